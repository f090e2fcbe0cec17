/** Wrong arguments: a typed error that names the argument, and nothing has happened. */

import { afterAll, describe, expect, test } from 'vitest';
import { describe as describeValue } from '../../lib/core/argument-errors.ts';
import {
  bind,
  MappedBuffer,
  MemoryView,
  Numa,
  ProcessMemory,
  ThreadMemory,
  Topology,
} from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { wrongCalls } from './bad-input.ts';
import { firstNode, numa } from './machine.ts';
import { allocateOn, checksum, PAGE, writePattern } from './placed-buffer.ts';

const PAGE_COUNT = 4;
const buffer = allocateOn(firstNode, PAGE_COUNT);
writePattern(buffer);
const sum = checksum(buffer);
afterAll(() => buffer.release());

const TABLE = wrongCalls(PAGE_COUNT * PAGE, PAGE);
/** An error says what is right, not only that something is wrong. */
const RULE = / must | needs | known | cannot | has | counts | follow | is not | are /;

describe('a wrong argument', () => {
  test.each([...new Set(TABLE.map(({ verb }) => verb))])('of %s', async (verb) => {
    const stateOf = () => [`${buffer.policy()}`, `${numa.thread.policy()}`, numa.thread.affinity()];
    const before = stateOf();
    for (const { call, argument, code, value } of TABLE.filter((row) => row.verb === verb)) {
      const failure = await failureOf(() => call({ numa, buffer }));
      const shown = `${argument} = ${describeValue(value)}: ${failure.message}`;
      expect(failure.message).toContain(`"${argument}"`);
      expect(failure.code, shown).toBe(code);
      expect(failure.name).toBe(code === 'ERR_OUT_OF_RANGE' ? 'RangeError' : 'TypeError');
      expect(failure.message).toMatch(RULE);
      expect(failure.message).toMatch(/received \S/);
    }
    expect(stateOf()).toEqual(before);
    expect(buffer.residencySync().byNode).toEqual({ [firstNode]: PAGE_COUNT });
    expect(checksum(buffer)).toBe(sum);
  });

  test('is tried for every public verb', () => {
    const tried = new Set(TABLE.map(({ verb }) => verb.replace(/^.*\./, '')));
    const withoutArguments = [
      ...['cpu', 'affinity', 'allowedNodes', 'release', 'constructor'],
      ...[
        'capabilities',
        'balancing',
        'interleaveWeights',
        'nodeStatistics',
        'processIds',
        'hugePages',
        'isTruncated',
        'threads',
      ],
    ];
    const types = [Numa, MappedBuffer, MemoryView, ThreadMemory, ProcessMemory, Topology];
    const prototypes: object[] = types.map((type) => type.prototype);
    prototypes.push(Object.getPrototypeOf(MappedBuffer.prototype));
    for (const prototype of prototypes) {
      const members = Object.entries(Object.getOwnPropertyDescriptors(prototype));
      const verbs = members.filter(([, { value }]) => typeof value === 'function');
      for (const [verb] of verbs) {
        if (!withoutArguments.includes(verb)) expect([...tried]).toContain(verb);
      }
    }
    expect(TABLE.length).toBeGreaterThan(300);
  });
});

describe('what the machine cannot give', () => {
  test('more memory than there are addresses is out of memory', async () => {
    const { code, error } = await failureOf(() => numa.allocate(2 ** 52));
    expect(code).toBe('NUMA_OUT_OF_MEMORY');
    expect(error).toMatchObject({ syscall: 'mmap', args: { lengthBytes: 2 ** 52 } });
    expect(error.hint).toBeTruthy();
  });

  test('a handle that names nothing is of a released buffer', async () => {
    for (const handle of [
      { id: 2 ** 40, generation: 1 },
      { id: 0, generation: 2 ** 40 },
      { ...buffer.handle, generation: buffer.handle.generation + 1 },
    ]) {
      const { code, error } = await failureOf(() => numa.attach(handle));
      expect(code).toBe('NUMA_RELEASED');
      expect(error.args).toEqual(handle);
    }
  });

  test('CPUs that nobody has are an invalid argument', async () => {
    const { code, error } = await failureOf(() => numa.thread.setAffinity([8191]));
    expect(code).toBe('NUMA_INVALID_ARGUMENT');
    expect(error).toMatchObject({ syscall: 'sched_setaffinity', args: { cpus: [8191] } });
  });

  test('the memory of a node that is not there is an invalid argument', async () => {
    const { code } = await failureOf(() => numa.freeMemory(1000));
    expect(code).toBe('NUMA_INVALID_ARGUMENT');
  });

  test('a failed allocation leaves no mapping behind', async () => {
    for (let round = 0; round < 50; round += 1) {
      const { code } = await failureOf(() => numa.allocate(2 ** 20, { policy: bind(1000) }));
      expect(code).toBe('ERR_OUT_OF_RANGE');
    }
  });
});
