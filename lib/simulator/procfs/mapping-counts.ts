/**
 * What the pages of a mapping are, as far as numa_maps and smaps count them; of a whole process,
 * how much memory it has of each kind.
 *
 * Source: fs/proc/task_mmu.c, gather_stats(), smaps_account() and task_mem(); mm/memory.c,
 * mm_counter_file().
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
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { kernelPart, programPart } from './maps.ts';

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

/** In base pages. */
interface MemorySums {
  mapped: number;
  locked: number;
  anonymous: number;
  file: number;
  sharedMemory: number;
  stack: number;
  swapped: number;
  hugetlb: number;
}

export function memorySums(mm: Mm): MemorySums {
  const sums = { ...NOTHING };
  for (const vma of mm.vmas) addMapping(mm, vma, sums);
  return sums;
}

const NOTHING: Readonly<MemorySums> = {
  mapped: 0,
  locked: 0,
  anonymous: 0,
  file: 0,
  sharedMemory: 0,
  stack: 0,
  swapped: 0,
  hugetlb: 0,
};

function addMapping(mm: Mm, vma: Vma, sums: MemorySums): void {
  const pageCount = vma.end - vma.start;
  sums.mapped += pageCount;
  sums.swapped += swappedPages(mm, vma);
  if (hasFlag(vma, VM.LOCKED)) sums.locked += pageCount;
  if (programPart(mm, vma) === 'stack') sums.stack += pageCount;
  // What the kernel maps into each process belongs to nobody.
  if (kernelPart(mm, vma) !== null) return;
  forEachCounted(mm, vma, (run) => {
    if (run.isOfPool) sums.hugetlb += run.pageCount;
    else if (run.isAnonymous) sums.anonymous += run.pageCount;
    else if (vma.object?.kind.usage === 'shared memory') sums.sharedMemory += run.pageCount;
    else sums.file += run.pageCount;
  });
}

/** In base pages: VmRSS. */
export function residentPages({ anonymous, file, sharedMemory }: MemorySums): number {
  return anonymous + file + sharedMemory;
}
