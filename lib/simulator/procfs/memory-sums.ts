/**
 * How much memory a process has, by kind.
 *
 * Source: fs/proc/task_mmu.c, task_mem(); mm/memory.c, mm_counter_file().
 */

import type { Mm } from '../memory/mm.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { forEachCounted, swappedPages } from './mapping-counts.ts';
import { kernelPart, programPart } from './maps.ts';

/** In base pages. */
export interface MemorySums {
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
