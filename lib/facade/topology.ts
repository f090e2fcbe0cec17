/**
 * The machine's nodes as a snapshot: ids are opaque and may have gaps, nodes may have no CPU or no
 * memory, and distances belong to pairs of ids, not to positions.
 *
 * Source: numa(3); Documentation/admin-guide/mm/numa_memory_policy.rst.
 */

import type { TopologySnapshot } from '../backend/topology-snapshot.ts';
import { outOfRange } from '../core/argument-errors.ts';
import { checkInteger } from '../core/check-arguments.ts';
import { type CpuId, CpuMask } from '../core/cpu-mask.ts';
import { type NodeId, NodeMask } from '../core/node-mask.ts';
import { CPU_ID_MAX, NODE_ID_MAX } from '../core/uapi.ts';

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
  /**
   * Why these are not the machine's nodes as its kernel has them: one without NUMA, or a sandbox
   * that hides them. `null` where they are.
   */
  readonly incompleteReason: string | null;
  readonly #distances: TopologySnapshot['distances'];

  /** @internal */
  constructor(snapshot: TopologySnapshot) {
    const nodes = snapshot.nodes.map(({ freeBytes: _, ...node }) =>
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
   * All online nodes, the nearest to `from` first, `from` itself at the head; the lower id first
   * among equals. Those at unknown distances come last.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes
   */
  nearestFirst(from: NodeId): NodeId[] {
    this.#indexOf(from, 'from');
    const farness = (to: NodeId): number =>
      to === from ? 0 : (this.distance(from, to) ?? Number.MAX_VALUE);
    return this.online.toArray().sort((a, b) => farness(a) - farness(b) || a - b);
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
