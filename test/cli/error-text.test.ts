/** Errors of the facade in the words of a command: its options, and not what only looks alike. */

import { describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { errorText } from '../../lib/cli/error-text.ts';
import {
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
} from '../../lib/core/argument-errors.ts';
import { NumaError } from '../../lib/index.ts';
import { runCommand } from './run-command.ts';

function specOf(name: string) {
  const spec = commands.find((command) => command.name === name);
  if (spec === undefined) throw new Error(`no command ${name}`);
  return spec;
}

function refused(argument: string): NumaError {
  return new NumaError('needs more', {
    code: 'NUMA_NOT_PERMITTED',
    syscall: 'move_pages',
    errnoName: 'EPERM',
    asked: 'process 7 to 1',
    argument,
    hint: 'leave it out',
  });
}

describe('an argument', () => {
  test.each([
    ['migrate', outOfRange('options.to', 'so', 9), '--to is out of range: so; received 9'],
    [
      'migrate',
      invalidArgumentType('options.mappings.kind', 'a kind', 7),
      '--mapping must be a kind',
    ],
    ['migrate', invalidArgumentValue('options.pauseBudgetMs', 'is so', 0), '--pause-budget is so'],
    [
      'where',
      invalidArgumentValue('options.mappings.file', 'must not be empty', ''),
      '--mapping must not be',
    ],
    ['run', outOfRange('nodes', 'so', '9'), '--memory-nodes is out of range: so; received "9"'],
    ['run', invalidArgumentValue('--cpus', 'names no CPU', ''), '--cpus names no CPU; received ""'],
    ['stat', outOfRange('pid', 'so', 9), 'the value of "pid" is out of range: so; received 9'],
  ])('%s: %s', (name, error, text) => {
    expect(errorText(error, specOf(name))).toContain(text);
  });

  test('of several says which one', () => {
    const error = invalidArgumentType('options.mappings[1].kind', 'a kind', 7);
    expect(errorText(error, specOf('where'))).toMatch(/^.*--mapping \(number 2\) must be a kind/);
  });

  test.each([
    ['where', '4000000'],
    ['migrate', '4000000', '--to', '1'],
  ])('%s: the way to a process of this host is in words of the command', async (...words) => {
    const { stderr } = await runCommand([...words, '--machine', 'two-services']);
    expect(stderr).toContain('a simulated machine has processes of its own: 2, 100, 101');
    expect(stderr).toContain('without --machine it is one of this host');
    expect(stderr).not.toContain('openNuma');
  });

  test('of a refused call is the option, too', () => {
    const error = refused('options.includeShared');
    expect(errorText(error, specOf('migrate'))).toBe(
      'move_pages: EPERM: process 7 to 1: --include-shared: needs more; leave it out',
    );
    expect(errorText(error, specOf('where'))).toBe(error.message);
    expect(errorText(error, undefined)).toBe(error.message);
    expect(errorText(refused('options.total'), specOf('migrate'))).toContain(': options.total: ');
  });

  test.each(commands)('$name: what it is made into is an option of the command', (spec) => {
    const flags = spec.options?.map(({ long }) => long) ?? [];
    expect(flags).toEqual(expect.arrayContaining(Object.values(spec.madeOf ?? {})));
  });
});

test('text that looks like an argument stays as it is', async () => {
  const path = './the "options.to" argument.json';
  const { exitCode, stderr } = await runCommand(['nodes', '--machine', path]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`--machine ${path}: `);
});
