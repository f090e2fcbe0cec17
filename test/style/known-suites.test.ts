/** What docs/contract/known-suites.md claims to be shown is shown by a test that exists. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT } from './repository.ts';
import { needCompiler } from './rules.ts';

test('known-suites.md names tests that exist, and its counts are current', (context) => {
  needCompiler(context);
  const parameters = ['scripts/contract/known-suites.mjs', '--check'];
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const problems = stdout.split('\n').filter((line) => line.startsWith('problem: '));
  expect(problems, stderr).toEqual([]);
  expect(status, stderr).toBe(0);
});
