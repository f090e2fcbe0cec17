/** Sets of CPUs: as sets of nodes are, and never taken for one. */

import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bind, CpuMask, NodeMask, openNuma } from '../../lib/index.ts';
import { thrownBy } from './thrown.ts';

describe('a set of CPUs', () => {
  test('has the operations and the text of a set of nodes', () => {
    const [a, b] = [CpuMask.of(8191, 2, 0, 1, 1), CpuMask.parse('1-3')];
    expect(`${a}`).toBe('0-2,8191');
    expect(JSON.stringify({ a })).toBe('{"a":"0-2,8191"}');
    expect(inspect(b)).toBe('CpuMask(1-3)');
    expect(`${a.union(b)}`).toBe('0-3,8191');
    expect(`${a.intersection(b)}`).toBe('1-2');
    expect(`${a.difference(b)}`).toBe('0,8191');
    expect(`${a.symmetricDifference(b)}`).toBe('0,3,8191');
    expect([a.has(8191), a.has(8190), a.size, a.first]).toEqual([true, false, 4, 0]);
    expect(CpuMask.of(1, 2).isSubsetOf(b)).toBe(true);
    expect(CpuMask.from(a)).toBe(a);
    expect(CpuMask.empty.isEmpty).toBe(true);
  });

  test.each([
    ['all', '0,2,4'],
    ['!0', '2,4'],
    ['+0-1', '0,2'],
    ['!+2', '0,2'],
    ['5', '5'],
  ])('%s means %s where the CPUs 0, 2 and 4 are allowed', (text, expected) => {
    expect(`${CpuMask.parse(text, { allowed: CpuMask.of(0, 2, 4) })}`).toBe(expected);
  });

  test.each([
    ['8192', 'the largest is 8191'],
    ['!', 'needs a CPU list after "!"'],
    ['0x1', '"0x1" is no number or range'],
    ['all', 'needs the allowed CPUs of a machine'],
  ])('%s is refused: %s', (text, message) => {
    const { code, message: said } = thrownBy(() => CpuMask.parse(text));
    expect([code, said]).toEqual(['ERR_INVALID_ARG_VALUE', expect.stringContaining(message)]);
    expect(said).toContain('"cpus"');
  });

  test('is read from a long text in the time that reading takes', () => {
    const before = process.cpuUsage();
    const all = CpuMask.parse('0-8191,'.repeat(150_000).concat('0-8191'));
    expect([`${all}`, all.size]).toEqual(['0-8191', 8192]);
    // Each range gone through took fifteen seconds.
    expect(process.cpuUsage(before).user).toBeLessThan(5e6);
    expect(`${CpuMask.parse('5-7,1,6-9,3,1-2')}`).toBe('1-3,5-9');
  });

  test('says which CPU is not online', () => {
    const { code, message } = thrownBy(() => CpuMask.parse('0,3', { online: CpuMask.of(0) }));
    expect(code).toBe('ERR_OUT_OF_RANGE');
    expect(message).toContain('CPU 3 is not online (online: 0)');
  });

  test('is no set of nodes, and a set of nodes none of CPUs', () => {
    const [cpus, nodes] = [CpuMask.of(1), NodeMask.of(1)];
    const numa = openNuma({ backend: 'simulator' });
    for (const mix of [
      () => cpus.union(nodes as never),
      () => nodes.isSubsetOf(cpus as never),
      () => CpuMask.parse('all', { allowed: nodes as never }),
      () => cpus.equals(Object.create(cpus)),
      () => NodeMask.from(cpus),
      () => CpuMask.from(nodes),
      () => bind(cpus),
      () => numa.thread.bind({ cpus: nodes }),
      () => numa.thread.bind({ nodes: cpus }),
    ]) {
      expect(thrownBy(mix).code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});
