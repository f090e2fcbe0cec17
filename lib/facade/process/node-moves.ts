/**
 * From which node to which node the pages of a process go.
 *
 * Source: mm/mempolicy.c, do_migrate_pages(): the n-th node of one set goes to the n-th of the
 * other, counted round; where the sets are of different size, what is on a target already stays.
 */

import type { NodeId, NodeMask } from '../../core/node-mask.ts';

export interface NodeMoves {
  readonly from: NodeMask;
  readonly to: NodeMask;
}

/** The node that a page on `node` is to be on: its own where it stays. */
export function targetOf(node: NodeId, { from, to }: NodeMoves): NodeId {
  const isKept = from.size !== to.size && to.has(node);
  if (!from.has(node) || isKept) return node;
  const targets = to.toArray();
  return targets[from.toArray().indexOf(node) % targets.length] as NodeId;
}
