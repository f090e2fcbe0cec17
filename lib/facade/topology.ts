/**
 * The machine's nodes as a snapshot: ids are opaque and may have gaps, nodes may have no CPU or no
 * memory, and distances belong to pairs of ids, not to positions.
 *
 * Source: numa(3); Documentation/admin-guide/mm/numa_memory_policy.rst.
 */

import type { MemoryAccess, TopologySnapshot } from '../backend/topology-snapshot.ts';
import { outOfRange } from '../core/argument-errors.ts';
import { checkInteger, checkOptions, checkWord } from '../core/check-arguments.ts';
import { type CpuId, CpuMask } from '../core/cpu-mask.ts';
import { type NodeId, NodeMask } from '../core/node-mask.ts';
import { CPU_ID_MAX, NODE_ID_MAX } from '../core/uapi.ts';
import {
  type MemoryPerformance,
  NEARNESS_MEASURES,
  type NearnessMeasure,
  performanceOf,
} from './memory-performance.ts';

/** One memory node. Plain data. */
export interface TopologyNode {
  readonly id: NodeId;
  /** CPUs of the node, ascending; empty for a memory-only node, `null` where unknown. */
  readonly cpus: readonly number[] | null;
  /** Memory of the node in bytes; 0 for a node without memory, `null` where unknown. Free memory
   *  is a verb: `numa.freeMemory(id)`. */
  readonly memoryBytes: number | null;
  /** The kernel's memory tier, lower is faster; absent where the kernel does not tell. */
  readonly tier?: number;
}

/** A physical package (socket). A node may be a part of one, and one may hold several nodes. */
export interface TopologyPackage {
  /** The kernel's number of it. */
  readonly id: number;
  readonly cpus: CpuMask;
  /** The nodes of its CPUs. */
  readonly nodes: NodeMask;
}

/** CPUs that share their last cache. */
export interface TopologyCache {
  /** 3 on most machines. */
  readonly level: number;
  /** `null` where unknown. */
  readonly sizeBytes: number | null;
  readonly cpus: CpuMask;
  /** The nodes of its CPUs. */
  readonly nodes: NodeMask;
}

export interface NearestFirstOptions {
  /**
   * `distance` (default): the firmware's table of distances. `latency`: the shortest read first;
   * `bandwidth`: the most read first. Nodes of which that is unknown come last, by distance.
   */
  readonly by?: NearnessMeasure;
}

export class Topology {
  /** The online nodes, ascending by id. */
  readonly nodes: readonly TopologyNode[];
  /** Ids of the online nodes. */
  readonly online: NodeMask;
  /** Ids of the nodes that have memory; what is unknown of a node does not leave it out. */
  readonly withMemory: NodeMask;
  /** Ids of the nodes that have CPUs; the same holds. */
  readonly withCpus: NodeMask;
  /** The CPUs of the online nodes; those that a node does not tell are not among them. */
  readonly cpus: CpuMask;
  /** Ids that nodes and CPUs of this machine could ever have, those that are plugged in later
   *  included; `null` where it does not tell. */
  readonly possibleNodes: NodeMask | null;
  readonly possibleCpus: CpuMask | null;
  /** The packages of the online CPUs; `null` where the machine does not tell them. */
  readonly packages: readonly TopologyPackage[] | null;
  /** The last caches of the online CPUs, one for each group that shares it; `null` likewise. */
  readonly lastLevelCaches: readonly TopologyCache[] | null;
  /**
   * Why these are not the machine's nodes as its kernel has them: one without NUMA, or a sandbox
   * that hides them. `null` where they are.
   */
  readonly incompleteReason: string | null;
  readonly #distances: TopologySnapshot['distances'];
  readonly #access: ReadonlyMap<NodeId, readonly MemoryAccess[]>;

  /** @internal */
  constructor(snapshot: TopologySnapshot) {
    const nodes = snapshot.nodes.map(({ freeBytes: _, access: __, ...node }) =>
      Object.freeze({ ...node, cpus: node.cpus && Object.freeze([...node.cpus]) }),
    );
    this.nodes = Object.freeze(nodes);
    this.online = maskOf(nodes);
    this.withMemory = maskOf(nodes.filter((node) => node.memoryBytes !== 0));
    this.withCpus = maskOf(nodes.filter((node) => node.cpus?.length !== 0));
    this.cpus = CpuMask.from(new Set(nodes.flatMap((node) => node.cpus ?? [])));
    const { possibleNodes, possibleCpus } = snapshot;
    this.possibleNodes = possibleNodes === undefined ? null : NodeMask.from(possibleNodes);
    this.possibleCpus = possibleCpus === undefined ? null : CpuMask.from(possibleCpus);
    this.incompleteReason = snapshot.incompleteReason ?? null;
    this.packages = this.#groups(snapshot.packages);
    this.lastLevelCaches = this.#groups(snapshot.lastLevelCaches);
    this.#access = new Map(snapshot.nodes.map(({ id, access = [] }) => [id, access]));
    this.#distances = snapshot.distances;
    Object.freeze(this);
  }

  /**
   * A node by id.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes
   */
  node(id: NodeId): TopologyNode {
    return this.nodes[this.#indexOf(id, 'id')] as TopologyNode;
  }

  /**
   * SLIT distance from one node to another: 10 is local, 20 twice as far; `null` where unknown.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes
   */
  distance(from: NodeId, to: NodeId): number | null {
    const row = this.#distances[this.#indexOf(from, 'from')];
    const column = this.#indexOf(to, 'to');
    // A row of another length is of other nodes, and 0 is no distance.
    return row?.length === this.nodes.length ? row[column] || null : null;
  }

  /**
   * All online nodes, the nearest to `from` first; among equals the nearer by distance, then the
   * lower id. By distance `from` itself is at the head, and those at unknown ones come last.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes; TypeError ERR_INVALID_ARG_VALUE
   */
  nearestFirst(from: NodeId, options?: NearestFirstOptions): NodeId[] {
    this.#indexOf(from, 'from');
    const { by = 'distance' } = checkOptions(options, 'options', ['by']);
    const measure = checkWord(by, 'options.by', NEARNESS_MEASURES);
    const far = (to: NodeId): number =>
      to === from ? 0 : (this.distance(from, to) ?? Number.MAX_VALUE);
    const slow = (to: NodeId): number => {
      if (measure === 'distance') return 0;
      const told = this.memoryPerformance(from, to);
      if (measure === 'latency') return told?.readLatencyNs ?? Number.MAX_VALUE;
      return -(told?.readBandwidthMBps ?? 0);
    };
    const ranked = this.online.toArray().map((id) => ({ id, slow: slow(id), far: far(id) }));
    ranked.sort((a, b) => a.slow - b.slow || a.far - b.far || a.id - b.id);
    return ranked.map(({ id }) => id);
  }

  /**
   * How fast the memory of node `to` is for the CPUs of node `from`, as the firmware tells; `null`
   * where it does not, for a node without CPUs, and for one without memory.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes
   * Source: HMAT, as `access0` and `access1` of a node in sysfs have it.
   */
  memoryPerformance(from: NodeId, to: NodeId): MemoryPerformance | null {
    const { cpus } = this.nodes[this.#indexOf(from, 'from')] as TopologyNode;
    this.#indexOf(to, 'to');
    return performanceOf({
      ...{ access: this.#access.get(to) ?? [], from, hasCpus: cpus?.length !== 0 },
      distanceFrom: (node) => (this.online.has(node) ? this.distance(node, to) : null),
    });
  }

  /**
   * The package of a CPU; `null` where the machine does not tell.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online CPUs
   */
  packageOf(cpu: CpuId): TopologyPackage | null {
    return this.#groupOf(cpu, this.packages);
  }

  /**
   * The last cache that a CPU shares; `null` where the machine does not tell.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online CPUs
   */
  lastLevelCacheOf(cpu: CpuId): TopologyCache | null {
    return this.#groupOf(cpu, this.lastLevelCaches);
  }

  /**
   * The node of a CPU; `null` where a node that does not tell its CPUs may be it.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online CPUs
   * Source: numa_node_of_cpu of numa(3).
   */
  nodeOfCpu(cpu: CpuId): NodeId | null {
    checkInteger(cpu, 'cpu', 0, CPU_ID_MAX);
    const node = this.nodes.find(({ cpus }) => cpus?.includes(cpu));
    if (node !== undefined) return node.id;
    if (this.nodes.some(({ cpus }) => cpus === null)) return null;
    throw outOfRange('cpu', `the online CPUs are ${this.cpus}`, cpu);
  }

  #groups<T extends { readonly cpus: readonly number[] }>(
    groups: readonly T[] | undefined,
  ): readonly (Omit<T, 'cpus'> & { readonly cpus: CpuMask; readonly nodes: NodeMask })[] | null {
    if (groups === undefined) return null;
    const made = groups.map((group) => {
      const cpus = CpuMask.from(group.cpus);
      const nodes = maskOf(this.nodes.filter((node) => node.cpus?.some((cpu) => cpus.has(cpu))));
      return Object.freeze({ ...group, cpus, nodes });
    });
    return Object.freeze(made);
  }

  #groupOf<T extends { readonly cpus: CpuMask }>(
    cpu: CpuId,
    groups: readonly T[] | null,
  ): T | null {
    this.nodeOfCpu(cpu);
    return groups?.find(({ cpus }) => cpus.has(cpu)) ?? null;
  }

  #indexOf(id: NodeId, argument: string): number {
    checkInteger(id, argument, 0, NODE_ID_MAX);
    const index = this.nodes.findIndex((node) => node.id === id);
    if (index < 0) throw outOfRange(argument, `the online nodes are ${this.online}`, id);
    return index;
  }
}

function maskOf(nodes: readonly TopologyNode[]): NodeMask {
  return NodeMask.from(nodes.map((node) => node.id));
}
