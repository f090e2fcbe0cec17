/**
 * The machine's nodes as a snapshot: ids are opaque and may have gaps, nodes may have no CPU or no
 * memory, and distances belong to pairs of ids, not to positions.
 *
 * Source: numa(3); Documentation/admin-guide/mm/numa_memory_policy.rst.
 */

import type { TopologySnapshot } from '../backend/topology-snapshot.ts';
import { outOfRange } from '../core/argument-errors.ts';
import { checkInteger } from '../core/check-arguments.ts';
import { type NodeId, NodeMask } from '../core/node-mask.ts';
import { NODE_ID_MAX } from '../core/uapi.ts';

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
