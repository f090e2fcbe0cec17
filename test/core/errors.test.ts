/**
 * Errors are data, of which their words are made; the table from (system call, errno) to codes.
 * Both lists of codes change only on purpose.
 */

import { describe, expect, test } from 'vitest';
import {
  type ArgumentErrorCode,
  aboutArgument,
  describe as describeValue,
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
} from '../../lib/core/argument-errors.ts';
import { ERRNO, errnoName } from '../../lib/core/errno.ts';
import {
  AbortError,
  NumaError,
  type NumaErrorCode,
  type NumaErrorFields,
} from '../../lib/core/errors.ts';
import type { MigrationReport } from '../../lib/core/migration-report.ts';
import { explainedError } from '../../lib/facade/errors/explanations.ts';

type ErrnoName = keyof typeof ERRNO;

const TABLE: readonly (readonly [string, ErrnoName, NumaErrorCode])[] = [
  ['mbind', 'EIO', 'NUMA_POLICY_NOT_MET'],
  ['mbind', 'EPERM', 'NUMA_NOT_PERMITTED'],
  ['mbind', 'EINVAL', 'NUMA_INVALID_ARGUMENT'],
  ['mbind', 'EFAULT', 'NUMA_RANGE_UNMAPPED'],
  ['mbind', 'ENOMEM', 'NUMA_OUT_OF_MEMORY'],
  ['mbind', 'ENOSYS', 'NUMA_UNSUPPORTED'],
  ['mbind', 'EBUSY', 'NUMA_SYSTEM_ERROR'],
  ['set_mempolicy_home_node', 'EOPNOTSUPP', 'NUMA_POLICY_MISMATCH'],
  ['set_mempolicy_home_node', 'ENOENT', 'NUMA_POLICY_MISMATCH'],
  ['set_mempolicy_home_node', 'EINVAL', 'NUMA_INVALID_ARGUMENT'],
  ['set_mempolicy_home_node', 'ENOMEM', 'NUMA_OUT_OF_MEMORY'],
  ['set_mempolicy_home_node', 'ENOSYS', 'NUMA_UNSUPPORTED'],
  ['set_mempolicy_home_node', 'EPERM', 'NUMA_NOT_PERMITTED'],
  ['move_pages', 'EPERM', 'NUMA_NOT_PERMITTED'],
  ['move_pages', 'ENODEV', 'NUMA_NODE_OFFLINE'],
  ['move_pages', 'EACCES', 'NUMA_NODE_NOT_ALLOWED'],
  ['move_pages', 'ESRCH', 'NUMA_NO_SUCH_PROCESS'],
  ['move_pages', 'EFAULT', 'NUMA_RANGE_UNMAPPED'],
  ['move_pages', 'EINVAL', 'NUMA_INVALID_ARGUMENT'],
  ['move_pages', 'ENOMEM', 'NUMA_OUT_OF_MEMORY'],
  ['move_pages', 'ENOSYS', 'NUMA_UNSUPPORTED'],
  ['move_pages', 'EIO', 'NUMA_SYSTEM_ERROR'],
  ['migrate_pages', 'EPERM', 'NUMA_NOT_PERMITTED'],
  ['migrate_pages', 'ESRCH', 'NUMA_NO_SUCH_PROCESS'],
  ['migrate_pages', 'EINVAL', 'NUMA_INVALID_ARGUMENT'],
  ['set_mempolicy', 'EINVAL', 'NUMA_INVALID_ARGUMENT'],
  ['set_mempolicy', 'EPERM', 'NUMA_NOT_PERMITTED'],
  ['get_mempolicy', 'EFAULT', 'NUMA_RANGE_UNMAPPED'],
  ['mmap', 'ENOMEM', 'NUMA_OUT_OF_MEMORY'],
  ['sched_setaffinity', 'EINVAL', 'NUMA_INVALID_ARGUMENT'],
  ['attach', 'ENOENT', 'NUMA_RELEASED'],
  ['array_buffer', 'EOVERFLOW', 'NUMA_UNSUPPORTED'],
  ['array_buffer', 'EOPNOTSUPP', 'NUMA_UNSUPPORTED'],
  ['getcpu', 'EMFILE', 'NUMA_SYSTEM_ERROR'],
];

function failed(syscall: string, errno: number, backend = 'native'): NumaError {
  return explainedError({ syscall, errno, asked: '3 pages', args: { pageCount: 3 }, backend });
}

describe('a failed call', () => {
  test.each(TABLE)('%s: %s is %s', (syscall, name, code) => {
    const error = failed(syscall, ERRNO[name]);
    expect(error).toBeInstanceOf(NumaError);
    expect(error).toMatchObject({
      name: 'NumaError',
      code,
      syscall,
      errno: -ERRNO[name],
      errnoName: name,
      backend: 'native',
      asked: '3 pages',
      args: { pageCount: 3 },
    });
  });

  test.each(TABLE)('%s: %s says what was asked, the rule and what to do', (syscall, name) => {
    const { message, argument, rule, hint } = failed(syscall, ERRNO[name]);
    const about = argument === undefined ? '' : `${argument}: `;
    expect(message).toBe(`${syscall}: ${name}: 3 pages: ${about}${rule}; ${hint}`);
    expect(message).toMatch(/: \S.+; \S.+[^.]$/);
  });

  test('on a simulated machine has the remedy that there is', () => {
    expect(failed('move_pages', ERRNO.ESRCH, 'simulator').hint).toContain('processes of its own');
    expect(failed('attach', ERRNO.ENOENT, 'simulator').hint).toContain(
      'a simulated machine of its own',
    );
    expect(failed('mbind', ERRNO.EIO, 'simulator').hint).toBe(failed('mbind', ERRNO.EIO).hint);
  });

  test('with an errno that has no name here keeps its number', () => {
    expect(failed('mbind', 4095)).toMatchObject({
      code: 'NUMA_SYSTEM_ERROR',
      errno: -4095,
      errnoName: 'E4095',
    });
  });

  test('has Linux numbers that are those of this host, where it is Linux', async () => {
    const { constants } = await import('node:os');
    const known = Object.entries(constants.errno) as [string, number][];
    const shared = known.filter(([name]) => name in ERRNO);
    expect(shared.length).toBeGreaterThan(15);
    for (const [name, errno] of shared) expect([name, errnoName(errno)]).toEqual([name, name]);
  });
});

describe('what a NumaError says', () => {
  const whole: NumaErrorFields = {
    code: 'NUMA_NOT_PERMITTED',
    errno: -ERRNO.EPERM,
    errnoName: 'EPERM',
    syscall: 'move_pages',
    asked: '3 pages to node 1',
    argument: 'options.includeShared',
    hint: 'leave it out',
  };

  test.each<[string, Partial<NumaErrorFields>]>([
    ['move_pages: EPERM: 3 pages to node 1: options.includeShared: no; leave it out', {}],
    ['move_pages: EPERM: 3 pages to node 1: no; leave it out', { argument: undefined as never }],
    ['options.includeShared: no; leave it out', { asked: undefined as never }],
    [
      'move_pages: EPERM: 3 pages to node 1: options.includeShared: no',
      { hint: undefined as never },
    ],
  ])('is made of what it has: %s', (message, without) => {
    const fields = { ...whole, ...without };
    const error = new NumaError('no', fields);
    expect(error.message).toBe(message);
    expect({ ...error }).toEqual({ ...fields, name: 'NumaError', rule: 'no' });
  });

  test('is its rule where the code alone is known', () => {
    expect(new NumaError('no', { code: 'NUMA_RELEASED' }).message).toBe('no');
  });

  test('is made anew with what is added, and the first one is the cause', () => {
    const report = { pages: { total: 3 } } as MigrationReport;
    const error = new NumaError('no', whole, { cause: 'why' });
    const reported = error.with({ report });
    expect(reported).toBeInstanceOf(NumaError);
    expect(reported).toMatchObject({ ...whole, rule: 'no', report, message: error.message });
    expect(reported.cause).toBe(error);
    expect(error.report).toBeUndefined();
    const named = reported.with({ argument: '--include-shared', hint: 'ask root' });
    expect(named.message).toBe(
      'move_pages: EPERM: 3 pages to node 1: --include-shared: no; ask root',
    );
    expect(named.report).toBe(report);
  });

  test('stays where a change is undefined, and refuses one that is no field', () => {
    const error = new NumaError('no', whole);
    const same = error.with({ hint: undefined } as never);
    expect(same).toMatchObject({ ...whole, message: error.message });
    for (const name of ['rule', 'message', 'cause', 'stack', 'hints']) {
      const change = { [name]: 'other' } as never;
      expect(() => error.with(change)).toThrow(`"changes.${name}" argument is not known`);
    }
  });

  test('goes to another thread as its members', () => {
    const error = new NumaError('no', whole);
    expect(structuredClone({ ...error })).toEqual({ ...whole, name: 'NumaError', rule: 'no' });
    expect(Object.keys(structuredClone(error))).toEqual([]);
  });

  test('is never what cannot be said', () => {
    for (const name of ['code', 'asked', 'argument', 'syscall', 'errnoName', 'hint'] as const) {
      for (const value of [Symbol('x'), 7, {}]) {
        const fields = { ...whole, [name]: value } as never;
        expect(() => new NumaError('no', fields)).toThrow(`"fields.${name}" argument must be`);
      }
    }
  });
});

/** The compiler refuses a missing or a superfluous one. */
const NUMA_CODES: Readonly<Record<NumaErrorCode, true>> = {
  NUMA_BACKEND_UNAVAILABLE: true,
  NUMA_UNSUPPORTED: true,
  NUMA_INVALID_ARGUMENT: true,
  NUMA_NODE_NOT_ALLOWED: true,
  NUMA_NODE_OFFLINE: true,
  NUMA_NOT_PERMITTED: true,
  NUMA_RANGE_UNMAPPED: true,
  NUMA_POLICY_NOT_MET: true,
  NUMA_POLICY_MISMATCH: true,
  NUMA_OUT_OF_MEMORY: true,
  NUMA_NO_SUCH_PROCESS: true,
  NUMA_RELEASED: true,
  ...({ NUMA_CPUS_IN_USE: true, NUMA_MEMORY_IN_USE: true, NUMA_WORKER_ENDED: true } as const),
  NUMA_SYSTEM_ERROR: true,
};
const ARGUMENT_CODES: Readonly<Record<ArgumentErrorCode, true>> = {
  ERR_INVALID_ARG_TYPE: true,
  ERR_INVALID_ARG_VALUE: true,
  ERR_OUT_OF_RANGE: true,
};

describe('the public list of codes', () => {
  test('is this one, and changes only on purpose', () => {
    const codes = [...Object.keys(NUMA_CODES), ...Object.keys(ARGUMENT_CODES), 'ABORT_ERR'];
    expect(codes.sort()).toMatchInlineSnapshot(`
      [
        "ABORT_ERR",
        "ERR_INVALID_ARG_TYPE",
        "ERR_INVALID_ARG_VALUE",
        "ERR_OUT_OF_RANGE",
        "NUMA_BACKEND_UNAVAILABLE",
        "NUMA_CPUS_IN_USE",
        "NUMA_INVALID_ARGUMENT",
        "NUMA_MEMORY_IN_USE",
        "NUMA_NODE_NOT_ALLOWED",
        "NUMA_NODE_OFFLINE",
        "NUMA_NOT_PERMITTED",
        "NUMA_NO_SUCH_PROCESS",
        "NUMA_OUT_OF_MEMORY",
        "NUMA_POLICY_MISMATCH",
        "NUMA_POLICY_NOT_MET",
        "NUMA_RANGE_UNMAPPED",
        "NUMA_RELEASED",
        "NUMA_SYSTEM_ERROR",
        "NUMA_UNSUPPORTED",
        "NUMA_WORKER_ENDED",
      ]
    `);
  });

  test('has every code that the table gives', () => {
    const given = new Set(TABLE.map(([, , code]) => code));
    for (const code of given) expect(NUMA_CODES).toHaveProperty(code);
    expect(given.size).toBeGreaterThan(9);
  });

  test.each([
    [
      invalidArgumentType('options.to', 'a number', 'x'),
      { argument: 'options.to', rule: 'must be a number', received: '"x"' },
      'the "options.to" argument must be a number; received "x"',
    ],
    [
      invalidArgumentValue('a', 'must be 1', 2),
      { argument: 'a', rule: 'must be 1', received: '2' },
      'the "a" argument must be 1; received 2',
    ],
    [
      outOfRange('a', 'it must be 1', 2n),
      { argument: 'a', rule: 'is out of range: it must be 1', received: '2n' },
      'the value of "a" is out of range: it must be 1; received 2n',
    ],
  ])('%s has what it is made of', (error, fields, message) => {
    expect(error).toMatchObject({ ...fields, message });
    expect(aboutArgument('--to', error)).toBe(`--to ${fields.rule}; received ${fields.received}`);
  });

  test.each([
    [invalidArgumentType('a', 'a number', 'x'), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    [invalidArgumentValue('a', 'must be 1', 2), 'TypeError', 'ERR_INVALID_ARG_VALUE'],
    [outOfRange('a', 'it must be 1', 2), 'RangeError', 'ERR_OUT_OF_RANGE'],
    [new AbortError('m', {} as MigrationReport, 'why'), 'AbortError', 'ABORT_ERR'],
  ])('%s', (error, name, code) => {
    expect(error).toMatchObject({ name, code });
    expect(error).toBeInstanceOf(Error);
  });
});

describe('the description of a received value', () => {
  const raise = (): never => {
    throw new Error('no');
  };
  const throwing = new Proxy({}, { get: raise });
  test.each([
    ['x'.repeat(500)],
    [throwing],
    [Object.create(null)],
    [{ constructor: { name: 7 } }],
    [Symbol('secret')],
    [new (class Named {})()],
    [() => 0],
    [[1, 2, 3]],
    [2n ** 70n],
    [new Date(Number.NaN)],
    [Number.NaN],
  ])('is short and never throws (%#)', (value) => {
    const text = describeValue(value);
    expect(text.length).toBeGreaterThan(0);
    expect(text.length).toBeLessThan(100);
    expect(text).not.toContain('\n');
  });
});
