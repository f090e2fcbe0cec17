/**
 * The order in which nodes are tried, from each node of a machine.
 *
 * Source: mm/page_alloc.c, find_next_best_node() and build_zonelists().
 */

import type { WorldMachine } from './world.ts';

/** The nearest of the unused; a node below `from` counts one more, then the less loaded goes. */
function nextBest(
  { topology: { nodes, distances } }: WorldMachine,
  from: number,
  unused: ReadonlySet<number>,
  load: ReadonlyMap<number, number>,
): number | null {
  const indexOf = (node: number): number => nodes.findIndex(({ id }) => id === node);
  const row = distances[indexOf(from)] ?? [];
  const cost = (node: number): number => (row[indexOf(node)] ?? 0) + (node < from ? 1 : 0);
  const loadOf = (node: number): number => load.get(node) ?? 0;
  const byCost = (a: number, b: number): number =>
    cost(a) - cost(b) || loadOf(a) - loadOf(b) || a - b;
  return [...unused].sort(byCost)[0] ?? null;
}

/** For each online node, those that have memory, in the order in which the kernel tries them. */
export function fallbackOrders(machine: WorldMachine): ReadonlyMap<number, readonly number[]> {
  const { nodes, distances } = machine.topology;
  const withMemory = nodes.filter(({ memoryBytes }) => memoryBytes > 0).map(({ id }) => id);
  const load = new Map<number, number>();
  const orders = new Map<number, number[]>();
  for (const [row, { id: from }] of nodes.entries()) {
    const distance = (node: number): number =>
      distances[row]?.[nodes.findIndex(({ id }) => id === node)] ?? 0;
    const order = withMemory.includes(from) ? [from] : [];
    const unused = new Set(withMemory.filter((node) => node !== from));
    let last = from;
    for (let next = nextBest(machine, from, unused, load); next !== null; ) {
      // Who begins a group of equals gets a load, so that another begins it for the next node.
      if (distance(next) !== distance(last)) load.set(next, (load.get(next) ?? 0) + 1);
      order.push(next);
      unused.delete(next);
      last = next;
      next = nextBest(machine, from, unused, load);
    }
    orders.set(from, order);
  }
  return orders;
}
