/** Completions in real shells, and the man page through a real groff. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { findProgram } from '../../scripts/guest/host.mjs';
import { runCommand } from './run-command.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-numa-completion-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function needProgram(context: TestContext, name: string): void {
  if (findProgram(name) === undefined) context.skip(`${name} is not installed here`);
}

async function scriptFor(shell: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(['completion', shell]);
  expect([exitCode, stderr]).toEqual([0, '']);
  const file = join(folder, shell);
  writeFileSync(file, stdout);
  return file;
}

function output(program: string, words: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', input });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** What bash offers for the last of these words. */
function completedBy(file: string, words: readonly string[]): string[] {
  const script = [
    `source '${file}'`,
    'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()',
    '_node_numa',
    'printf "%s\\n" "${' + 'COMPREPLY[@]}"',
    'complete -p node-numa >/dev/null',
  ].join('\n');
  const lines = output('bash', ['-c', script, 'bash', 'node-numa', ...words]).split('\n');
  return [...new Set(lines.filter((line) => line !== ''))];
}

/** Words behind the program's name, and what is offered for the last of them. */
const OFFERED: readonly (readonly [words: string[], offered: string[]])[] = [
  [['mig'], ['migrate']],
  [['help', 'wh'], ['where']],
  [['--ver'], ['--version']],
  [['run', '--pol'], ['--policy']],
  [['run', '--policy', 'b'], ['bind']],
  [
    ['run', '-p', 'pref'],
    ['preferred', 'preferred-many'],
  ],
  [['run', '--policy', '=', 'w'], ['weighted-interleave']],
  [['run', '--cpus', ''], []],
  [['run', '--cpus', '0', '--all', '--sho'], ['--show']],
  [['run', '--cpus', '0', 'compge'], ['compgen']],
  [['run', '--cpus', '=', '0', '--all', '--', 'compge'], ['compgen']],
  [['run', 'ls', '--pol'], []],
  [['run', '--', 'ls', 'compge'], []],
  [['completion', 'z'], ['zsh']],
  [['migrate', '1', '--fr'], ['--from']],
];

describe('completion', () => {
  test('in bash', async (context) => {
    needProgram(context, 'bash');
    const file = await scriptFor('bash');
    for (const [words, offered] of OFFERED) {
      expect(completedBy(file, words), words.join(' ')).toEqual(offered);
    }
    const all = completedBy(file, ['']);
    expect(all).toEqual(expect.arrayContaining(commands.map(({ name }) => name)));
  });

  test('in fish', async (context) => {
    needProgram(context, 'fish');
    const file = await scriptFor('fish');
    const script = `source '${file}'; complete -C 'node-numa run --policy pref'`;
    const offered = output('fish', ['--no-config', '-c', script]);
    expect(offered.split('\n').map((line) => line.split('\t')[0])).toContain('preferred-many');
  });

  test('in zsh: it is read without complaint', async (context) => {
    needProgram(context, 'zsh');
    const file = await scriptFor('zsh');
    const script = `autoload -Uz compinit; compinit -D; source '${file}'; print $_comps[node-numa]`;
    expect(output('zsh', ['-f', '-c', script])).toBe('_node_numa\n');
  });

  test('of an unknown shell is refused with those that there are', async () => {
    const { exitCode, stderr } = await runCommand(['completion', 'tcsh']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('bash, zsh, fish');
  });
});

describe('the man page', () => {
  test('in docs/man is what the program prints', async () => {
    const { exitCode, stdout } = await runCommand(['man']);
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot('../../docs/man/node-numa.1');
  });

  test('has each command with its options, and groff nothing to complain of', async (context) => {
    needProgram(context, 'groff');
    const { stdout } = await runCommand(['man']);
    const shown = output('groff', ['-man', '-Tascii', '-P-cbou', '-ww'], stdout);
    for (const { name, options = [] } of commands) {
      expect(shown).toContain(`node-numa ${name} [options]`);
      for (const { flags, hidden } of options) if (!hidden) expect(shown).toContain(flags);
    }
  });

  test('is shown by man', async (context) => {
    needProgram(context, 'man');
    const { stdout } = await runCommand(['man']);
    const file = join(folder, 'node-numa.1');
    writeFileSync(file, stdout);
    expect(output('man', ['--warnings=w', '-l', file])).toContain('NODE-NUMA(1)');
  });
});
