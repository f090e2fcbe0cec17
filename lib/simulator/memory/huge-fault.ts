/**
 * Transparent huge pages: where a first write may have one, and on which node.
 *
 * Source: mm/huge_memory.c, do_huge_pmd_anonymous_page(); mm/mempolicy.c, alloc_pages_mpol(), which
 * tries the preferred node alone first.
 */

import { hasNode, maskOf, NO_NODE } from '../nodes/nodemask.ts';
import { isInterleavingMode } from '../policy/interleave.ts';
import { type Search, searchFor } from '../policy/placement.ts';
import type { Toucher } from './fault.ts';
import { allocateFolio, type Memory } from './memory.ts';
import { NONE } from './page-entry.ts';
import { hasFlag, interleaveIndexAt, rangePolicyAt, VM, type Vma } from './vma.ts';

/** Maps a huge page around `page` if there can be one there; the number of pages from `page` on. */
export function faultHugePage(toucher: Toucher, vma: Vma, page: number): number {
  const { space } = toucher;
  const { memory } = space;
  if (!wantsHugePages(memory, vma)) return 0;
  const pageCount = memory.tablePages;
  const first = Math.floor(page / pageCount) * pageCount;
  const whole = space.vmas.lookup(page) as Vma;
  if (first < whole.start || first + pageCount > whole.end) return 0;
  if (!isUntouched(toucher, first, pageCount)) return 0;
  const policy = rangePolicyAt(vma, page) ?? toucher.policy;
  const index = interleaveIndexAt(whole, first, pageCount);
  const search = searchFor({ policy, index }, toucher, memory.interleave);
  const isFree = policy === null || !isInterleavingMode(policy.mode);
  const node = findHugeNode(memory, search, { isFree });
  if (node === NO_NODE) return 0;
  const folioId = allocateFolio(memory, 'anonymous', node, { pageCount });
  space.mapFolio(first, folioId, pageCount);
  return first + pageCount - page;
}

function wantsHugePages({ hugePages }: Memory, vma: Vma): boolean {
  if (hugePages === 'never' || hasFlag(vma, VM.NOHUGEPAGE)) return false;
  return hugePages === 'always' || hasFlag(vma, VM.HUGEPAGE);
}

function isUntouched({ space }: Toucher, first: number, pageCount: number): boolean {
  let isEmpty = true;
  space.pages.forEachRun(first, first + pageCount, (_page, _count, entry) => {
    if (entry !== NONE) isEmpty = false;
  });
  return isEmpty;
}

function findHugeNode(memory: Memory, search: Search, { isFree }: { isFree: boolean }): number {
  const { start, first } = search;
  const isOnlyStart = isFree && hasNode(first, start);
  return memory.physical.find(start, isOnlyStart ? maskOf([start]) : first, memory.tablePages);
}
