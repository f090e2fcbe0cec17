/** Output into a pipe that nobody reads any more: the work goes on, without a complaint. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
