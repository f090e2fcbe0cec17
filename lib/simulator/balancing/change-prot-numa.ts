/**
 * Marks the pages of a range, so that the next access to each is a hint fault.
 *
 * Source: mm/mempolicy.c, change_prot_numa() and folio_can_map_prot_numa(); mm/mprotect.c,
 * change_pte_range(); mm/huge_memory.c, change_huge_pmd(); mm/memory-tiers.c, node_is_toptier().
 */

import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import {
  folioIdOf,
  isInline,
  isMarked,
  isPage,
  markedEntry,
  nodeOfInline,
} from '../memory/page-entry.ts';
import type { EntryRun } from '../memory/page-table.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import type { BalancedTask } from './balanced-task.ts';
import { isPromotedFrom } from './promotion.ts';

/** Consecutive pages with equal entries. */
/** How many pages were marked. */
export function changeProtNuma(
  task: BalancedTask,
  vma: Vma,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  const { pages, memory } = task.mm;
  const runs: EntryRun[] = [];
  pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (isPage(entry) && !isMarked(entry)) runs.push({ page, pageCount, entry });
  });
  let marked = 0;
  for (const run of runs) {
    if (!isMarkable(task, vma, run)) continue;
    mark(task, run);
    marked += run.pageCount;
  }
  memory.physical.balancing.numaPteUpdates += marked;
  return marked;
}

function mark({ mm, scan }: BalancedTask, { page, pageCount, entry }: EntryRun): void {
  const { pages, memory } = mm;
  if (isHuge(mm, page, entry)) memory.physical.balancing.numaHugePteUpdates += 1;
  const marked = markedEntry(entry);
  const folio = folioOfEntry(memory, entry);
  if (folio === null) pages.fill(page, page + pageCount, marked);
  else {
    pages.replace(page, pageCount, marked);
    folio.hasMarkedEntry = true;
  }
  if (!isPromotedFrom(memory, nodeOfEntry(memory, entry))) return;
  for (let at = page; at < page + pageCount; at += 1) scan.markedAtMs.set(at, memory.clock.nowMs);
}

/** Mapped by one entry of the table above. */
function isHuge({ pages, memory }: Mm, page: number, entry: number): boolean {
  const folio = folioOfEntry(memory, entry);
  return folio !== null && folio.pageCount > 1 && pages.isHuge(page);
}

function folioOfEntry({ folios }: Memory, entry: number): Folio | null {
  return isInline(entry) ? null : folios.get(folioIdOf(entry));
}

function nodeOfEntry(memory: Memory, entry: number): number {
  return folioOfEntry(memory, entry)?.node ?? nodeOfInline(entry);
}

function isMarkable(task: BalancedTask, vma: Vma, { page, entry }: EntryRun): boolean {
  const { memory } = task.mm;
  const node = nodeOfEntry(memory, entry);
  if (memory.balancing === 'tiering' && memory.isTopTier(node)) return false;
  if (memory.facts.balancingMarksAnyHuge && isHuge(task.mm, page, entry)) return true;
  const folio = folioOfEntry(memory, entry);
  if (folio !== null && isSpared(folio, vma, memory)) return false;
  // The private pages of a process with one thread are at home where it runs.
  const isAlone = task.threadCount === 1 && !hasFlag(vma, VM.SHARED);
  return !(isAlone && node === task.cpuNode);
}

function isSpared(folio: Folio, vma: Vma, { facts }: Memory): boolean {
  if (folio.isMerged) return true;
  const isPrivate = !hasFlag(vma, VM.SHARED);
  if (isPrivate && !facts.balancingMarksReferenced) {
    // Its object keeps a page of its own, too: more than one reference.
    if (folio.isHeld || folio.mapCount > 1 || folio.object !== null) return true;
  }
  const isPinnedSpared = isPrivate || !facts.balancingMarksPinnedShared;
  if (isPinnedSpared && folio.pins > 0) return true;
  if (isPrivate && folio.isShared) return true;
  return isFilePage(folio) && folio.isDirty;
}

/** No swap device backs it: page cache, and secret memory. Source: folio_is_file_lru(). */
export function isFilePage({ object }: Folio): boolean {
  return object?.kind.isOnFileList === true;
}
