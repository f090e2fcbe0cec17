/** Help on terminals of any width: what it says of options is broken between words. */

import { describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { runCommand } from './run-command.ts';

/** Command lines stay whole, to be copied. */
function proseOf(help: string): string[] {
  const [prose = ''] = help.split('\nExamples:\n');
  return prose.split('\n').filter((line) => !line.startsWith('Usage:'));
}

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
