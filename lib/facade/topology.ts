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
  /** CPUs of the node, ascending; empty for a memory-only node. */
  readonly cpus: readonly number[];
  /** Memory of the node in bytes; 0 for a node without memory. Free memory is a verb:
   *  `numa.freeMemory(id)`. */
  readonly memoryBytes: number;
  /** The kernel's memory tier, lower is faster; absent where the kernel does not tell. */
  readonly tier?: number;
}

export class Topology {
  /** The online nodes, ascending by id. */
  readonly nodes: readonly TopologyNode[];
  /** Ids of the online nodes. */
  readonly online: NodeMask;
  /** Ids of the nodes that have memory. */
  readonly withMemory: NodeMask;
  /** Ids of the nodes that have CPUs. */
  readonly withCpus: NodeMask;
  readonly #distances: readonly (readonly number[])[];

  /** @internal */
  constructor(snapshot: TopologySnapshot) {
    const nodes = snapshot.nodes.map(({ freeBytes: _, ...node }) =>
      Object.freeze({ ...node, cpus: Object.freeze([...node.cpus]) }),
    );
    this.nodes = Object.freeze(nodes);
    this.online = maskOf(nodes);
    this.withMemory = maskOf(nodes.filter((node) => node.memoryBytes > 0));
    this.withCpus = maskOf(nodes.filter((node) => node.cpus.length > 0));
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
   * SLIT distance from one node to another: 10 is local, 20 twice as far, 0 unknown.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes
   */
  distance(from: NodeId, to: NodeId): number {
    const row = this.#distances[this.#indexOf(from, 'from')];
    return row?.[this.#indexOf(to, 'to')] ?? 0;
  }

  /**
   * All online nodes, the nearest to `from` first, `from` itself at the head; the lower id first
   * among equals.
   * @throws RangeError ERR_OUT_OF_RANGE naming the online nodes
   */
  nearestFirst(from: NodeId): NodeId[] {
    this.#indexOf(from, 'from');
    return this.online
      .toArray()
      .sort((a, b) => this.distance(from, a) - this.distance(from, b) || a - b);
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
