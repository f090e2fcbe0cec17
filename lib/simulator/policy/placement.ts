/**
 * From a policy to a node: where the search for memory starts, which nodes it may take, and who
 * has room.
 *
 * Source: mm/mempolicy.c, policy_nodemask(), alloc_pages_mpol() and alloc_pages_preferred_many().
 */

import { MPOL } from '../../core/uapi.ts';
import { firstNode, hasNode, NO_NODE, NO_NODES, type Nodemask } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import { type InterleaveRules, interleavedNode, isInterleavingMode } from './interleave.ts';
import type { Mempolicy } from './mempolicy.ts';

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

/** Where a search for memory starts, and what it may take: first, then at last. */
export interface Search {
  readonly start: number;
  readonly first: Nodemask;
  readonly last: Nodemask;
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
  const anywhere = { first: memsAllowed, last: memsAllowed, ...by };
  if (policy === null) return { start: cpuNode, ...anywhere };
  const home = policy.homeNode === NO_NODE ? cpuNode : policy.homeNode;
  switch (policy.mode) {
    case MPOL.PREFERRED:
      return { start: firstNode(policy.nodes), ...anywhere };
    case MPOL.PREFERRED_MANY:
      return { start: home, first: policy.nodes & memsAllowed, last: memsAllowed, ...by };
    case MPOL.BIND: {
      // A mask that the cpuset no longer meets is no restriction at all.
      const met = policy.nodes & memsAllowed;
      const nodes = met === NO_NODES ? memsAllowed : met;
      return { start: home, first: nodes, last: nodes, ...by };
    }
    default:
      if (!isInterleavingMode(policy.mode)) return { start: cpuNode, ...anywhere };
      return { ...anywhere, start: interleavedNode(policy, index, rules), isInterleaved: true };
  }
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
