/** What the topology tells of CPUs and of the speed of memory, on machines made for it. */

import { describe, expect, test } from 'vitest';
import { CpuMask, NodeMask, openNuma, type Topology } from '../../lib/index.ts';
import { Machine, type MachineDescription, presets } from '../../lib/simulator/public.ts';
import { thrownBy } from '../core/thrown.ts';

function topologyOf(description: MachineDescription): Topology {
  return openNuma({ machine: new Machine(description) }).topology;
}

describe('CPUs', () => {
  test('are each on a node', () => {
    const topology = topologyOf(presets.twoSockets);
    expect(topology.cpus).toEqual(CpuMask.parse('0-7'));
    expect([0, 3, 4, 7].map((cpu) => topology.nodeOfCpu(cpu))).toEqual([0, 0, 1, 1]);
  });

  test('that are not there are named with those that are', () => {
    const { code, message } = thrownBy(() => topologyOf(presets.twoSockets).nodeOfCpu(8));
    expect([code, message]).toEqual(['ERR_OUT_OF_RANGE', expect.stringContaining('0-7')]);
  });

  test('that could be there include those of nodes to come', () => {
    const topology = topologyOf(presets.sparseIds);
    expect(topology.online).toEqual(NodeMask.of(0, 2, 5));
    expect(topology.possibleNodes).toEqual(NodeMask.parse('0-5'));
    expect(topology.possibleCpus).toEqual(CpuMask.parse('0-1'));
  });
});

describe('CPUs of a thread', () => {
  const numa = openNuma({ machine: new Machine(presets.twoSockets) });

  test.each([
    [CpuMask.of(1, 2), '1-2'],
    ['!1', '2'],
    ['2', '2'],
    [new Set([4, 5]), '4-5'],
    ['+1', '5'],
    [7, '7'],
    ['all', '7'],
    [numa.topology.cpus, '0-7'],
  ])('are set by %s, one after the other, to %s', (cpus, expected) => {
    numa.thread.setAffinity(cpus);
    expect(`${numa.thread.affinity()}`).toBe(expected);
  });
});
