/** Help on terminals of any width: what it says of options is broken between words. */

import { describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { runCommand } from './run-command.ts';

/** Command lines stay whole, to be copied. */
function proseOf(help: string): string[] {
  const [prose = ''] = help.split('\nExamples:\n');
  return prose.split('\n').filter((line) => !line.startsWith('Usage:'));
}

describe('what is wrong with the words', () => {
  test.each([
    [['where', '--json'], "missing required argument 'pid'"],
    [['where', '1', '--bad', '--json'], "unknown option '--bad'"],
    [['where', '--json', 'init'], 'a process id is a number'],
    [['top', '--sort', 'size', '--json'], 'Allowed choices are memory, remote, cpu'],
    [['stat', '--json', '--watch'], "option '--watch <seconds>' argument missing"],
    [['where', '1', '--top', '1', '--top', '2', '--json'], "'--top <count>' is given twice"],
    [['top', '--jsno', '--json'], '(Did you mean --json?)'],
    [['run', '--json', '--policy', 'x'], 'Allowed choices are bind'],
    [['where', '1', '--machine', 'nowhere', '--json'], 'nowhere'],
  ])('%j: as JSON where it is asked for', async (words, message) => {
    const { exitCode, stdout, stderr } = await runCommand(words);
    expect([exitCode, stderr]).toEqual([2, '']);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'USAGE', message: expect.stringContaining(message) },
    });
  });

  test.each([
    [['where']],
    [['where', '--bad', '--', '--json']],
    [['run', '--policy', 'x', 'ls', '--json']],
    [['nothing', '--json']],
    [['completion', 'bash', '--json']],
  ])('%j: as text', async (words) => {
    const { exitCode, stdout, stderr } = await runCommand(words);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: /);
  });
});

describe('help', () => {
  test.for([40, 80, 200])('fits into %i columns', async (columns) => {
    for (const { name } of commands) {
      const { exitCode, stdout } = await runCommand(['help', name], { columns });
      expect(exitCode).toBe(0);
      expect(proseOf(stdout).filter((line) => line.length > columns)).toEqual([]);
    }
  });

  test('has options beside what they do where there is room', async () => {
    const wide = await runCommand(['help', 'run'], { columns: 80 });
    expect(wide.stdout).toContain('  -C, --cpus <list>          run on these CPUs\n');
    const narrow = await runCommand(['help', 'run'], { columns: 40 });
    expect(narrow.stdout).toContain('  -C, --cpus <list>\n      run on these CPUs\n');
  });
});
