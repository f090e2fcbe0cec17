/** The contract's document against the contract's tests: what an entry names exists. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT } from './repository.ts';
import { needCompiler } from './rules.ts';

test('docs/contract names tests that exist, and its coverage table is current', (context) => {
  needCompiler(context);
  const parameters = ['scripts/contract/coverage.mjs', '--check'];
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const problems = stdout.split('\n').filter((line) => line.startsWith('problem: '));
  expect(problems, stderr).toEqual([]);
  expect(status, stderr).toBe(0);
});
