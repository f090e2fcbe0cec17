/**
 * What the pages of a mapping are, as far as numa_maps and smaps count them.
 *
 * Source: fs/proc/task_mmu.c, gather_stats() and smaps_account().
 */

import type { Folio } from '../memory/folio.ts';
import type { Mm } from '../memory/mm.ts';
import {
  folioIdOf,
  isDirtyEntry,
  isFolio,
  isInline,
  isMigration,
  migratingFolioId,
  nodeOfInline,
  SWAPPED,
} from '../memory/page-entry.ts';
import type { Vma } from '../memory/vma.ts';

/** Consecutive pages of a mapping that are alike. */
export interface CountedRun {
  readonly pageCount: number;
  readonly node: number;
  /** Belongs to no object: an ordinary page, or one that was merged with others. */
  readonly isAnonymous: boolean;
  readonly isMerged: boolean;
  readonly isDirty: boolean;
  /** How many mappings each page has. */
  readonly mapCount: number;
  /** Huge pages of a pool. */
  readonly isOfPool: boolean;
  /** Mapped as one huge page. */
  readonly isMappedHuge: boolean;
  /** On its way to another node: smaps counts it, numa_maps does not. */
  readonly isMigrating: boolean;
}

export type VisitCounted = (run: CountedRun) => void;

/** Visits the pages that a mapping has; zero pages, guards and device memory are none. */
export function forEachCounted(mm: Mm, vma: Vma, visit: VisitCounted): void {
  const { folios } = mm.memory;
  mm.pages.forEachRun(vma.start, vma.end, (page, pageCount, entry) => {
    if (isInline(entry)) visit(ordinaryRun(pageCount, nodeOfInline(entry)));
    else if (isFolio(entry)) {
      const folio = folios.get(folioIdOf(entry));
      const isMappedHuge = folio.pageCount > 1 && mm.pages.isHuge(page);
      const isDirty = folio.isDirty || isDirtyEntry(entry);
      visit({ ...folioRun(pageCount, folio), isMappedHuge, isDirty });
    } else if (isMigration(entry)) {
      const folio = folios.get(migratingFolioId(entry));
      visit({ ...folioRun(pageCount, folio), isMigrating: true });
    }
  });
}

/** Pages that were written to a swap device. */
export function swappedPages({ pages }: Mm, { start, end }: Vma): number {
  let count = 0;
  pages.forEachRun(start, end, (_page, pageCount, entry) => {
    if (entry === SWAPPED) count += pageCount;
  });
  return count;
}

function ordinaryRun(pageCount: number, node: number): CountedRun {
  return {
    pageCount,
    node,
    isAnonymous: true,
    isMerged: false,
    isDirty: true,
    mapCount: 1,
    isOfPool: false,
    isMappedHuge: false,
    isMigrating: false,
  };
}

function folioRun(pageCount: number, folio: Folio): CountedRun {
  return {
    pageCount,
    node: folio.node,
    isAnonymous: folio.isAnonymous,
    isMerged: folio.isMerged,
    isDirty: folio.isDirty,
    mapCount: Math.max(1, Math.ceil(folio.mapCount / folio.pageCount)),
    isOfPool: folio.isOfPool,
    isMappedHuge: false,
    isMigrating: false,
  };
}
