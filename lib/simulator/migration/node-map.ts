/**
 * Which node's pages go where when a process moves from one set of nodes to another, and in which
 * order.
 *
 * Source: mm/mempolicy.c, do_migrate_pages().
 */

import { hasNode, type Nodemask, nodesIn } from '../nodes/nodemask.ts';

/** From one node to another. */
export interface NodePair {
  readonly from: number;
  readonly to: number;
}

/** The pairs in the order in which they are worked off: the far end of a chain first. */
export function nodePairs(from: Nodemask, to: Nodemask): NodePair[] {
  const pairs: NodePair[] = [];
  const left = nodesIn(from);
  for (;;) {
    const pair = nextPair(left, from, to);
    if (pair === undefined) return pairs;
    pairs.push(pair);
    left.splice(left.indexOf(pair.from), 1);
  }
}

/** The first pair whose target is no source any more; else the last that is one at all. */
function nextPair(left: readonly number[], from: Nodemask, to: Nodemask): NodePair | undefined {
  const sources = nodesIn(from);
  const targets = nodesIn(to);
  let last: NodePair | undefined;
  for (const source of left) {
    if (sources.length !== targets.length && hasNode(to, source)) continue;
    const target = targets[sources.indexOf(source) % targets.length] as number;
    if (target === source) continue;
    last = { from: source, to: target };
    if (!left.includes(target)) break;
  }
  return last;
}
