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

describe('packages', () => {
  test('are one for each node with CPUs, or hold the nodes that the description says', () => {
    const packagesOf = (description: MachineDescription) =>
      topologyOf(description).packages?.map(({ id, cpus, nodes }) => `${id}: ${cpus} of ${nodes}`);
    expect(packagesOf(presets.twoSockets)).toEqual(['0: 0-3 of 0', '1: 4-7 of 1']);
    expect(packagesOf(presets.subNumaClusters)).toEqual(['0: 0-3 of 0-1', '1: 4-7 of 2-3']);
    expect(packagesOf(presets.cxlTier)).toEqual(['0: 0-1 of 0', '1: 2-3 of 1']);
  });

  test('are found by a CPU, as last caches are', () => {
    const topology = topologyOf(presets.subNumaClusters);
    expect(topology.packageOf(5)).toBe(topology.packages?.[1]);
    const cache = topology.lastLevelCacheOf(5);
    expect(cache).toMatchObject({ level: 3, sizeBytes: null });
    expect([`${cache?.cpus}`, `${cache?.nodes}`]).toEqual(['4-5', '2']);
    for (const ask of ['packageOf', 'lastLevelCacheOf'] as const) {
      expect(thrownBy(() => topology[ask](8)).code).toBe('ERR_OUT_OF_RANGE');
    }
  });
});

describe('the speed of memory', () => {
  const topology = topologyOf(presets.hmatTiers);

  test('is told from the node that reaches it best', () => {
    const speed = { readLatencyNs: 300, writeLatencyNs: 300 };
    const width = { readBandwidthMBps: 8000, writeBandwidthMBps: 8000 };
    expect(topology.memoryPerformance(0, 2)).toEqual({ ...speed, ...width, isEstimated: false });
  });

  test('is worked out by distance for others, and says so', () => {
    // Node 2 is 14 from node 0, its initiator, and 28 from node 1.
    expect(topology.memoryPerformance(1, 2)).toMatchObject({
      ...{ readLatencyNs: 600, readBandwidthMBps: 4000, isEstimated: true },
    });
  });

  test('is unknown from a node without CPUs, and where the firmware is silent', () => {
    expect(topology.memoryPerformance(2, 0)).toBeNull();
    expect(topologyOf(presets.twoSockets).memoryPerformance(0, 0)).toBeNull();
    expect(thrownBy(() => topology.memoryPerformance(0, 4)).code).toBe('ERR_OUT_OF_RANGE');
  });
});

describe('nodes by nearness', () => {
  const description: MachineDescription = {
    name: 'high-bandwidth',
    description: 'a node with CPUs, high-bandwidth memory behind it, and an expander',
    nodes: [
      { id: 0, memoryMiB: 64, cpus: [0], readLatencyNs: 90, readBandwidthMBps: 40_000 },
      {
        ...{ id: 1, memoryMiB: 64, cpus: [], initiator: 0 },
        ...{ readLatencyNs: 120, readBandwidthMBps: 60_000 },
      },
      {
        ...{ id: 2, memoryMiB: 64, cpus: [], initiator: 0 },
        ...{ readLatencyNs: 300, readBandwidthMBps: 8000 },
      },
    ],
    distances: [
      [10, 30, 20],
      [30, 10, 40],
      [20, 40, 10],
    ],
  };

  test.each([
    [undefined, [0, 2, 1]],
    ['distance', [0, 2, 1]],
    ['latency', [0, 1, 2]],
    ['bandwidth', [1, 0, 2]],
  ] as const)('by %s', (by, expected) => {
    const options = by === undefined ? undefined : { by };
    expect(topologyOf(description).nearestFirst(0, options)).toEqual(expected);
  });

  test('are by distance where nothing is told', () => {
    for (const by of ['latency', 'bandwidth'] as const) {
      const topology = topologyOf(presets.subNumaClusters);
      expect(topology.nearestFirst(3, { by })).toEqual(topology.nearestFirst(3));
      expect(topologyOf(description).nearestFirst(1, { by })).toEqual([1, 0, 2]);
    }
  });
});
