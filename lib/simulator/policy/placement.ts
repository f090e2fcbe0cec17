/**
 * From a policy to a node: where the search for memory starts, which nodes it may take, and who
 * has room.
 *
 * Source: mm/mempolicy.c, policy_nodemask(), alloc_pages_mpol() and alloc_pages_preferred_many().
 */

import { hasNode, NO_NODE, type Nodemask } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import type { InterleaveCounter, InterleaveRules } from './interleave.ts';
import type { Mempolicy } from './mempolicy.ts';
import type { Zones } from './modes.ts';

/** Who allocates. */
export interface Allocator {
  /** Node of the CPU that runs the allocation. */
  readonly cpuNode: number;
  /** Nodes of its cpuset. */
  readonly memsAllowed: Nodemask;
}

/** What decides about one allocation. */
export interface Wish {
  /** `null`: local. */
  readonly policy: Mempolicy | null;
  /** For interleaving policies: the page's offset. */
  readonly index: number;
}

/** A search for memory. */
export interface Search extends Zones {
  /** Node of the CPU that searches. */
  readonly cpuNode: number;
  /** It starts where it does because it is that node's turn. */
  readonly isInterleaved: boolean;
}

/** The search that a policy prescribes. */
export function searchFor(
  { policy, index }: Wish,
  { cpuNode, memsAllowed }: Allocator,
  rules: InterleaveRules,
): Search {
  const by = { cpuNode, isInterleaved: false };
  if (policy === null) return { start: cpuNode, first: memsAllowed, last: memsAllowed, ...by };
  const { mode, nodes, homeNode } = policy;
  const home = homeNode === NO_NODE ? cpuNode : homeNode;
  const zones = mode.zones({ nodes, home, memsAllowed, index }, rules);
  return { ...zones, cpuNode, isInterleaved: mode.interleaving !== null };
}

/** The same for pages without an address: those that take turns take the thread's next. */
export function countedSearchFor(
  policy: Mempolicy | null,
  by: Allocator & { readonly counter: InterleaveCounter },
  rules: InterleaveRules,
): Search {
  const search = searchFor({ policy, index: 0 }, by, rules);
  if (!policy?.mode.interleaving) return search;
  const start = policy.mode.interleaving.takeCounted(policy.nodes, by.counter, rules);
  return { ...search, start };
}

/** The node that a search finds, NO_NODE where memory is exhausted. Takes nothing. */
export function findNode(memory: PhysicalMemory, search: Search, pageCount = 1): number {
  const { start, first, last } = search;
  const node = memory.find(start, first, pageCount);
  return node !== NO_NODE || first === last ? node : memory.find(start, last, pageCount);
}

/** Counts pages that a search has found and that were taken. */
export function countAllocation(
  memory: PhysicalMemory,
  { start, first, last, cpuNode, isInterleaved }: Search,
  given: number,
  pageCount = 1,
): void {
  const allowed = hasNode(first, given) ? first : last;
  const wanted = memory.zonelist(start).find((node) => hasNode(allowed, node)) ?? given;
  memory.counters.count({ wanted, given, pageCount, cpuNode, isInterleaved });
}
