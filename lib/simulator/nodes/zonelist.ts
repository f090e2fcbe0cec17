/**
 * The order in which each node's CPUs look for memory when their own has none.
 *
 * Source: mm/page_alloc.c, build_zonelists() and find_next_best_node().
 */

import { MAX_NUMNODES } from '../../core/uapi.ts';

/** What the order depends on. */
export interface NodeDistances {
  /** Online nodes, ascending. */
  readonly nodes: readonly number[];
  /** Those of them with memory, ascending. */
  readonly memoryNodes: readonly number[];
  distance(from: number, to: number): number;
}

/** For each online node, the nodes with memory, nearest first. */
export function buildZonelists(machine: NodeDistances): Map<number, readonly number[]> {
  const load = new Map<number, number>();
  return new Map(machine.nodes.map((node) => [node, zonelistOf(node, machine, load)]));
}

/** `load` persists from node to node: equally near nodes take turns in being the first choice. */
function zonelistOf(
  local: number,
  { memoryNodes, distance }: NodeDistances,
  load: Map<number, number>,
): number[] {
  const order: number[] = [];
  let previous = local;
  while (order.length < memoryNodes.length) {
    const left = memoryNodes.filter((node) => !order.includes(node));
    const next = left.includes(local) ? local : nearest(local, left, { distance, load });
    if (distance(local, next) !== distance(local, previous)) {
      load.set(next, (load.get(next) ?? 0) + 1);
    }
    order.push(next);
    previous = next;
  }
  return order;
}

function nearest(
  local: number,
  candidates: readonly number[],
  { distance, load }: { distance: NodeDistances['distance']; load: ReadonlyMap<number, number> },
): number {
  const costOf = (node: number): number =>
    (distance(local, node) + (node < local ? 1 : 0)) * MAX_NUMNODES + (load.get(node) ?? 0);
  return candidates.reduce((best, node) => (costOf(node) < costOf(best) ? node : best));
}
