/**
 * Many pages of an interleaving policy at once, with the outcome of one fault after the other: as
 * long as each node has room for all of its pages, none of them can go elsewhere.
 *
 * Source: mm/memory.c, do_anonymous_page(); mm/mempolicy.c, interleave_nid().
 */

import type { Mempolicy } from '../policy/mempolicy.ts';
import {
  type Allocator,
  countAllocation,
  findNode,
  type Search,
  searchFor,
} from '../policy/placement.ts';
import type { Mm } from './mm.ts';
import { inlineEntry } from './page-entry.ts';

/** Pages that nothing is at, the first of which has the place `index` in interleaving. */
export interface PagesInTurns {
  readonly page: number;
  readonly pageCount: number;
  readonly index: number;
}

/** The number of pages faulted in: 0 for a single one, of a policy whose nodes take no turns, or
 *  where a node is short of memory. */
export function faultInTurns(
  mm: Mm,
  allocator: Allocator,
  policy: Mempolicy | null,
  { page, pageCount, index }: PagesInTurns,
): number {
  if (pageCount === 1 || !policy?.mode.interleaving) return 0;
  const { interleaving } = policy.mode;
  const { physical, interleave } = mm.memory;
  const turns = interleaving.turns(policy.nodes, interleave);
  const { turn, indexCount } = interleaving.turnAt(index, turns.length, interleave);
  const taken = Math.min(pageCount, indexCount);
  const counts = [...countTurns(turns, turn, taken)];
  const anyNode = searchFor({ policy, index }, allocator, interleave);
  const search = (node: number): Search => ({ ...anyNode, start: node });
  if (counts.some(([node, count]) => findNode(physical, search(node), count) !== node)) return 0;
  for (const [node, count] of counts) {
    physical.take(node, count);
    countAllocation(physical, search(node), node, count);
  }
  mm.pages.fillInTurns(page, page + taken, Uint32Array.from(turns, inlineEntry), turn);
  return taken;
}

/** How many of so many turns, from one on, are each node's. */
function countTurns(
  turns: readonly number[],
  turn: number,
  pageCount: number,
): Map<number, number> {
  const rounds = Math.floor(pageCount / turns.length);
  const rest = pageCount % turns.length;
  const counts = new Map<number, number>();
  for (const [place, node] of turns.entries()) {
    const isInRest = (place + turns.length - turn) % turns.length < rest;
    const count = rounds + Number(isInRest);
    if (count > 0) counts.set(node, (counts.get(node) ?? 0) + count);
  }
  return counts;
}
