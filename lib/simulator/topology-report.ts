/**
 * What sysfs tells of the machine: nodes with CPUs, memory and tier, and distances.
 *
 * Source: drivers/base/node.c; mm/memory-tiers.c, mt_perf_to_adistance().
 */

import type {
  CpuPackage,
  KnownNode,
  KnownTopology,
  LastLevelCache,
} from '../backend/topology-snapshot.ts';
import type { MachineNode } from '../core/machine-description.ts';
import type { MachineState } from './machine.ts';
import { type Nodemask, nodesIn } from './nodes/nodemask.ts';

/** Abstract distance of ordinary memory, and the width of a tier: MEMTIER_ADISTANCE_DRAM. */
const DRAM_DISTANCE = 576;
const TIER_WIDTH = 128;

/** Of the CPUs of most machines with several nodes. */
const LAST_LEVEL = 3;

type KnownMemory = Pick<KnownNode, 'memoryBytes' | 'freeBytes'>;

/** `allowed`: nodes of whoever asks. */
export function topologyOf(machine: MachineState, allowed: Nodemask): KnownTopology {
  const { nodes, distances } = machine.description;
  return {
    nodes: nodes.map((node) => snapshotOf(machine, node)),
    distances,
    allowedNodes: nodesIn(allowed),
    possibleNodes: idsBelow(machine.possibleNodeCount),
    possibleCpus: idsBelow(Math.max(...machine.cpus.all) + 1),
    packages: packagesOf(nodes),
    lastLevelCaches: cachesOf(nodes),
  };
}

function idsBelow(count: number): number[] {
  return Array.from({ length: count }, (_, id) => id);
}

/** undefined: there is no such node. */
export function nodeMemoryOf({ memory }: MachineState, node: number): KnownMemory | undefined {
  const { physical, pageSizeBytes } = memory;
  if (!physical.isOnline(node)) return undefined;
  return {
    memoryBytes: physical.totalPages(node) * pageSizeBytes,
    freeBytes: physical.freePages(node) * pageSizeBytes,
  };
}

function snapshotOf(machine: MachineState, node: MachineNode): KnownNode {
  const { id, cpus } = node;
  const memory = nodeMemoryOf(machine, id) as KnownMemory;
  const snapshot = { id, cpus: ascending(cpus), ...memory, ...accessTo(node) };
  return memory.memoryBytes === 0 ? snapshot : { ...snapshot, tier: tierOf(machine, node) };
}

/** Writes are as fast as reads. */
function accessTo({ id, ...node }: MachineNode): Pick<KnownNode, 'access'> {
  const { initiator = id, readLatencyNs, readBandwidthMBps } = node;
  if (readLatencyNs === undefined || readBandwidthMBps === undefined) return {};
  const latencies = { readLatencyNs, writeLatencyNs: readLatencyNs };
  const bandwidths = { readBandwidthMBps, writeBandwidthMBps: readBandwidthMBps };
  return { access: [{ initiators: [initiator], ...latencies, ...bandwidths }] };
}

/** Each node with CPUs is a package of its own where the description does not say otherwise. */
function packagesOf(nodes: readonly MachineNode[]): CpuPackage[] {
  const cpusOf = new Map<number, number[]>();
  nodes
    .filter(({ cpus }) => cpus.length > 0)
    .forEach((node, index) => {
      const { package: id = index } = node;
      cpusOf.set(id, [...(cpusOf.get(id) ?? []), ...node.cpus]);
    });
  return [...cpusOf].map(([id, cpus]) => ({ id, cpus: ascending(cpus) })).sort(byLowestCpu);
}

/** The CPUs of a node share one. */
function cachesOf(nodes: readonly MachineNode[]): LastLevelCache[] {
  const withCpus = nodes.filter(({ cpus }) => cpus.length > 0);
  return withCpus
    .map(({ cpus }) => ({ level: LAST_LEVEL, sizeBytes: null, cpus: ascending(cpus) }))
    .sort(byLowestCpu);
}

function byLowestCpu(a: { cpus: readonly number[] }, b: { cpus: readonly number[] }): number {
  return Number(a.cpus[0]) - Number(b.cpus[0]);
}

function ascending(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b);
}

/** Nodes with CPUs are ordinary; the others are as far as their latency and bandwidth say. */
function tierOf({ description, facts }: MachineState, node: MachineNode): number {
  const nodes = facts.hasSlowTiers ? description.nodes : [];
  const ordinary = nodes.find(({ cpus, readLatencyNs }) => cpus.length > 0 && readLatencyNs);
  const { readLatencyNs, readBandwidthMBps, cpus } = node;
  const isOrdinary = cpus.length > 0 || !readLatencyNs || !readBandwidthMBps;
  if (isOrdinary || !ordinary?.readLatencyNs || !ordinary.readBandwidthMBps) {
    return Math.floor(DRAM_DISTANCE / TIER_WIDTH);
  }
  const slower = readLatencyNs / ordinary.readLatencyNs;
  const narrower = ordinary.readBandwidthMBps / readBandwidthMBps;
  return Math.floor((DRAM_DISTANCE * slower * narrower) / TIER_WIDTH);
}
