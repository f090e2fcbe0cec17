/** `node-numa migrate` on a simulated machine: plan, report, refusals, and the interrupt. */

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runCommand, SNAPSHOT_KERNEL } from './run-command.ts';

const MACHINE = ['--machine', 'two-services', '--kernel', SNAPSHOT_KERNEL];
const WEB = '100';
const DATABASE = '101';

/** Times are the machine's that runs the tests. */
function timeless(text: string): string {
  return text
    .replace(/"(durationNs|longestNs)": \d+/g, '"$1": 0')
    .replace(/in [\d.]+ [mu]?s, [\d.]+ \w+\/s/, 'in no time')
    .replace(/longest [\d.]+ [mu]?s/, 'longest none');
}

describe('migrate', () => {
  test('a plan, and its JSON', async () => {
    const words = ['migrate', WEB, '--to', '1', '--dry-run', ...MACHINE];
    const text = await runCommand(words, { columns: 80 });
    expect([text.exitCode, text.stderr]).toEqual([0, '']);
    expect(text.stdout.replaceAll('\u001b', '^')).toMatchSnapshot();
    const { stdout } = await runCommand([...words, '--json']);
    expect(stdout).toMatchSnapshot();
  });

  test('all of a process, and its JSON', async () => {
    const words = ['migrate', WEB, '--from', '0', '--to', '2', ...MACHINE];
    const text = await runCommand(words);
    expect(text.exitCode).toBe(0);
    expect(timeless(text.stdout)).toMatchSnapshot();
    const { exitCode, stdout } = await runCommand([...words, '--json']);
    expect(exitCode).toBe(0);
    expect(timeless(stdout)).toMatchSnapshot();
  });

  test('what stays behind, and why: exit status 3', async () => {
    const words = ['migrate', DATABASE, '--to', '1', '--include-shared', ...MACHINE];
    const { exitCode, stdout } = await runCommand(words);
    expect(exitCode).toBe(3);
    expect(timeless(stdout)).toMatchSnapshot();
  });

  test('shared pages that were not asked for: exit status 5, and a word of their own', async () => {
    const words = ['migrate', DATABASE, '--to', '1', '--mapping', 'kind=file', ...MACHINE];
    const { exitCode, stdout } = await runCommand(words);
    expect(exitCode).toBe(5);
    expect(stdout).toContain('done but for shared pages: 0 B moved');
    const json = JSON.parse((await runCommand([...words, '--json'])).stdout);
    expect(json.report).toMatchObject({ complete: false, outcome: 'spared' });
    expect(json.report.notSelectedBytes).toBeGreaterThan(0);
    const all = await runCommand([...words, '--include-shared']);
    expect(all.exitCode).toBe(0);
  });

  test('at once, as migratepages does', async () => {
    const words = ['migrate', WEB, '--from', '0', '--to', '2', '--at-once', ...MACHINE];
    const { exitCode, stdout } = await runCommand(words);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('nothing stayed behind');
    const pinned = await runCommand(['migrate', DATABASE, '--to', '1', '--at-once', ...MACHINE]);
    expect(pinned.exitCode).toBe(3);
    expect(pinned.stdout).toContain('16 pages stayed behind, 64 KiB are on nodes that were');
  });

  test.each([
    [[WEB], 2, "required option '--to <nodes>' not specified"],
    [
      [WEB, '--to', '9'],
      2,
      '--to is out of range: node 9 is not online; the allowed nodes are 0-3',
    ],
    [[WEB, '--to', 'x'], 2, '--to must be a list like 0-2,5'],
    [[WEB, '--to', '1', '--from', '7'], 2, 'node 7 is not online; the online nodes are 0-3'],
    [[WEB, '--to', '1', '--mapping', 'file=*.so'], 2, 'of process 100 is selected'],
    [[WEB, '--to', '1', '--pause-budget', '0'], 2, 'must be a number above 0'],
    [[WEB, '--to', '1', '--at-once', '--dry-run'], 2, 'cannot be used with option'],
    [['77', '--to', '1'], 1, 'there is no such process'],
  ])('%j', async (words, status, message) => {
    const { exitCode, stderr, stdout } = await runCommand(['migrate', ...words, ...MACHINE]);
    expect(exitCode).toBe(status);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  test('an interrupt ends it with a report: exit status 3', async () => {
    const interrupt = new AbortController();
    const words = ['migrate', WEB, '--to', '2', '--pause-budget', '0.001', ...MACHINE];
    const ran = await runCommand(words, {
      columns: 400,
      signal: interrupt.signal,
      // It rests after each of many steps, and tells of the first.
      onStderr: () => interrupt.abort(new Error('enough')),
    });
    const stdout = stripVTControlCharacters(ran.stdout);
    expect(ran.exitCode).toBe(3);
    expect(stdout).toContain('interrupted: ');
    expect(stdout).toContain('were not tried: the move had ended before their turn');
  });
});
