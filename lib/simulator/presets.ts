/**
 * Machines to begin with. Sizes are small, so that a node can be filled; a machine of your own is
 * the same data with other numbers.
 */

import { COST_PROFILES } from './cost/cost-profile.ts';
import type { CostProfile, CostProfileName } from './interface/costs.ts';
import type { MachineDescription, MachineNode } from './nodes/machine-description.ts';

function nodesOf(...rows: [id: number, memoryMiB: number, cpus: number[]][]): MachineNode[] {
  return rows.map(([id, memoryMiB, cpus]) => ({ id, memoryMiB, cpus }));
}

/** The default: two nodes with CPUs, two with memory only, at uneven distances. */
const fourNodes: MachineDescription = {
  name: 'four-nodes',
  description:
    'Two nodes with CPUs and two with memory only, at uneven distances; the last is small.',
  nodes: nodesOf([0, 1024, [0, 1]], [1, 768, [2, 3]], [2, 512, []], [3, 128, []]),
  distances: [
    [10, 21, 17, 28],
    [21, 10, 28, 17],
    [17, 28, 10, 31],
    [28, 17, 31, 10],
  ],
};

const twoSockets: MachineDescription = {
  name: 'two-sockets',
  description: 'The common server: two nodes alike, four CPUs each.',
  nodes: nodesOf([0, 8192, [0, 1, 2, 3]], [1, 8192, [4, 5, 6, 7]]),
  distances: [
    [10, 21],
    [21, 10],
  ],
};

const eightNodes: MachineDescription = {
  name: 'eight-nodes',
  description: 'Two boards of four nodes in a ring: four distances besides the local one.',
  nodes: [0, 1, 2, 3, 4, 5, 6, 7].map((id) => ({
    id,
    memoryMiB: 1024,
    cpus: [2 * id, 2 * id + 1],
  })),
  distances: [
    [10, 12, 14, 12, 22, 26, 26, 26],
    [12, 10, 12, 14, 26, 22, 26, 26],
    [14, 12, 10, 12, 26, 26, 22, 26],
    [12, 14, 12, 10, 26, 26, 26, 22],
    [22, 26, 26, 26, 10, 12, 14, 12],
    [26, 22, 26, 26, 12, 10, 12, 14],
    [26, 26, 22, 26, 14, 12, 10, 12],
    [26, 26, 26, 22, 12, 14, 12, 10],
  ],
};

const subNumaClusters: MachineDescription = {
  name: 'sub-numa-clusters',
  description: 'Two sockets, each cut in two: near memory of the own socket, far of the other.',
  nodes: nodesOf([0, 2048, [0, 1]], [1, 2048, [2, 3]], [2, 2048, [4, 5]], [3, 2048, [6, 7]]),
  distances: [
    [10, 12, 21, 21],
    [12, 10, 21, 21],
    [21, 21, 10, 12],
    [21, 21, 12, 10],
  ],
};

const cxlTier: MachineDescription = {
  name: 'cxl-tier',
  description: 'Two ordinary nodes, and an expander on a CXL link: more memory, slower, no CPUs.',
  nodes: [
    { id: 0, memoryMiB: 2048, cpus: [0, 1], readLatencyNs: 80, readBandwidthMBps: 40_000 },
    { id: 1, memoryMiB: 2048, cpus: [2, 3], readLatencyNs: 80, readBandwidthMBps: 40_000 },
    {
      id: 2,
      memoryMiB: 8192,
      cpus: [],
      initiator: 0,
      readLatencyNs: 300,
      readBandwidthMBps: 8000,
    },
  ],
  distances: [
    [10, 21, 24],
    [21, 10, 34],
    [24, 34, 10],
  ],
};

const sparseIds: MachineDescription = {
  name: 'sparse-ids',
  description: 'Node ids with gaps, so that an id is not an index; the last node has no CPUs.',
  nodes: nodesOf([0, 768, [0, 1]], [2, 512, [2, 3]], [5, 256, []]),
  distances: [
    [10, 20, 30],
    [20, 10, 15],
    [30, 15, 10],
  ],
};

/** Nobody can change it, nor anything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/** Descriptions for `new Machine()`. */
export const presets: {
  readonly fourNodes: MachineDescription;
  readonly twoSockets: MachineDescription;
  readonly eightNodes: MachineDescription;
  readonly subNumaClusters: MachineDescription;
  readonly cxlTier: MachineDescription;
  readonly sparseIds: MachineDescription;
} = deepFreeze({ fourNodes, twoSockets, eightNodes, subNumaClusters, cxlTier, sparseIds });

/** Profiles for `startCosts`, by name; one of your own is the same data with other numbers. */
export const costProfiles: Readonly<Record<CostProfileName, CostProfile>> =
  deepFreeze(COST_PROFILES);
