/**
 * Output into a pipe that nobody reads any more: the work goes on, without a complaint. What cannot
 * be written for another reason is no success.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MACHINE = ['--machine', 'two-services'];

/** Runs a command whose standard output is closed as soon as it has started. */
async function runUnread(words: readonly string[]): Promise<{ status: unknown; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.destroy();
  const [status] = await once(child, 'close');
  return { status, stderr };
}

test.each([
  [['nodes', ...MACHINE]],
  [['nodes', ...MACHINE, '--json']],
  [['migrate', '100', '--to', '1', ...MACHINE]],
  [['where', '100', '--watch', '0.05', ...MACHINE]],
  [['stat', '--watch', '0.05', '--count', '1000', '--machine', 'four-nodes']],
  [['--help']],
])('%j', { timeout: 30_000 }, async (words) => {
  expect(await runUnread(words)).toEqual({ status: 0, stderr: '' });
});

test('a full disk is a failure; standard error that is full leaves the answer whole', () => {
  const full = openSync('/dev/full', 'w');
  const words = [PROGRAM, 'nodes', '--json', '--machine', 'four-nodes'];
  const onFull = spawnSync(process.execPath, words, { stdio: ['ignore', full, 'pipe'] });
  expect([onFull.status, onFull.stderr.toString()]).toEqual([
    1,
    expect.stringMatching(/^node-numa: what it prints cannot be written: ENOSPC/),
  ]);
  const two = [PROGRAM, 'stat', '100', '4000000', ...MACHINE];
  const beside = spawnSync(process.execPath, two, { stdio: ['ignore', 'pipe', full] });
  expect(beside.status).toBe(3);
  expect(beside.stdout.toString()).toMatch(/^process 100, MiB/m);
  closeSync(full);
});
