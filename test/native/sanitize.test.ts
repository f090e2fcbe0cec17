/** The short form of `npm run sanitize`: the addon under ASan and UBSan, on this Node. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scaledTimeoutMs } from '../support/environment.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** As scripts/sanitize/run.mjs documents it. */
const UNAVAILABLE = 4;
const options = { timeout: scaledTimeoutMs(300_000) };

test('the sanitizers find nothing but what was planted', options, (context) => {
  const command = ['scripts/sanitize/run.mjs', '--short'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  if (status === UNAVAILABLE) context.skip(stderr.trim());
  expect(status, `${stdout}${stderr}`).toBe(0);
  const counts = /(\d+) workers terminated, (\d+) releases under pending operations/.exec(stdout);
  expect(Number(counts?.[1]), stdout).toBeGreaterThan(20);
  expect(Number(counts?.[2]), stdout).toBeGreaterThan(100);
});
