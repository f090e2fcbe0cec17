/**
 * From which node to which node the pages of a process go.
 *
 * Source: mm/mempolicy.c, do_migrate_pages(): the n-th node of one set goes to the n-th of the
 * other, counted round; where the sets are of different size, what is on a target already stays.
 */

import type { NodeExpression, NodeId, NodeMask } from '../../core/node-mask.ts';
import type { Context } from '../context.ts';

export interface NodeMoves {
  readonly from: NodeMask;
  readonly to: NodeMask;
}

/**
 * The sets that a caller names. Without `from` it is all nodes with memory but the `to` ones.
 * @throws TypeError, RangeError for nodes that are not online, and targets that are not allowed
 */
export function nodeMoves(
  context: Context,
  { from, to }: { readonly from?: NodeExpression; readonly to?: NodeExpression },
): NodeMoves {
  const toNodes = context.resolveSome(to, 'options.to');
  context.checkAllowed(toNodes, 'options.to', `${toNodes}`);
  if (from === undefined) {
    return { from: context.topology.withMemory.difference(toNodes), to: toNodes };
  }
  const fromNodes = context.resolveSome(from, 'options.from');
  context.checkOnline(fromNodes, 'options.from');
  return { from: fromNodes, to: toNodes };
}

/** The node that a page on `node` is to be on: its own where it stays. */
export function targetOf(node: NodeId, { from, to }: NodeMoves): NodeId {
  const isKept = from.size !== to.size && to.has(node);
  if (!from.has(node) || isKept) return node;
  const targets = to.toArray();
  return targets[from.toArray().indexOf(node) % targets.length] as NodeId;
}
