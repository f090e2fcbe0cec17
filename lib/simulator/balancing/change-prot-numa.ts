/**
 * Marks the pages of a range, so that the next access to each is a hint fault.
 *
 * Source: mm/mempolicy.c, change_prot_numa(); mm/mprotect.c, change_pte_range() and
 * folio_can_map_prot_numa(); mm/memory-tiers.c, node_is_toptier().
 */

import type { Folio } from '../memory/folio.ts';
import {
  folioIdOf,
  isInline,
  isMarked,
  isPage,
  markedEntry,
  nodeOfInline,
} from '../memory/page-entry.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import type { BalancedTask } from './balanced-task.ts';

/** How many pages were marked. */
export function changeProtNuma(
  task: BalancedTask,
  vma: Vma,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  const { pages } = task.space;
  // The pages of a process with one thread are at home where it runs.
  const home = task.threadCount === 1 ? task.cpuNode : NO_NODE;
  const runs: [number, number, number][] = [];
  pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (isPage(entry) && !isMarked(entry)) runs.push([page, pageCount, entry]);
  });
  let marked = 0;
  for (const [page, pageCount, entry] of runs) {
    if (!isMarkable(task, vma, entry, home)) continue;
    pages.fill(page, page + pageCount, markedEntry(entry));
    marked += pageCount;
  }
  return marked;
}

function isMarkable({ space }: BalancedTask, vma: Vma, entry: number, home: number): boolean {
  const { memory } = space;
  const folio = isInline(entry) ? null : memory.folios.get(folioIdOf(entry));
  if (folio !== null && isSpared(folio, vma, memory)) return false;
  const node = folio === null ? nodeOfInline(entry) : folio.node;
  if (node === home) return false;
  return memory.balancing !== 'tiering' || !memory.isTopTier(node);
}

function isSpared(folio: Folio, vma: Vma, { profile }: BalancedTask['space']['memory']): boolean {
  if (folio.kind === 'merged') return true;
  const isPrivate = !hasFlag(vma, VM.SHARED);
  if (isPrivate && profile.balancingSparesReferenced) {
    // Its object keeps a page of its own, too: more than one reference.
    if (folio.isHeld || folio.mapCount > folio.pageCount || folio.object !== null) return true;
  }
  const isPinnedSpared = isPrivate || profile.balancingSparesPinned === 'all';
  if (isPinnedSpared && folio.pins > 0) return true;
  if (isPrivate && folio.isShared) return true;
  return isFilePage(folio) && folio.isDirty;
}

/** On the lists of files: page cache that no swap device backs. */
export function isFilePage({ object }: Folio): boolean {
  return object?.isFile === true;
}
