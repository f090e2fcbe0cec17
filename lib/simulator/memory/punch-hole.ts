/**
 * An object loses pages, and with it everybody who maps them: what is accessed there next is new.
 *
 * Source: mm/shmem.c, shmem_fallocate(); fs/hugetlbfs/inode.c, hugetlbfs_punch_hole();
 * mm/memory.c, unmap_mapping_range(), which leaves private copies alone.
 */

import { freeIfUnused, type Memory } from './memory.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Mm } from './mm.ts';
import { folioIdOf, isFolio } from './page-entry.ts';
import type { Vma } from './vma.ts';

/** Of huge pages of a pool only those that lie in the range as a whole. */
export function punchHole(memory: Memory, object: MemoryObject, start: number, end: number): void {
  const size = object.kind.isHugetlb ? memory.tablePages : 1;
  const first = Math.ceil(start / size) * size;
  const stop = Math.floor(end / size) * size;
  for (const mm of memory.mms) {
    for (const vma of mm.vmas) if (vma.object === object) unmapHole(mm, vma, first, stop);
  }
  for (let index = first; index < stop; index += size) {
    const folioId = object.pages.get(index);
    if (folioId === undefined) continue;
    object.pages.delete(index);
    freeIfUnused(memory, folioId);
  }
}

function unmapHole(mm: Mm, vma: Vma, first: number, stop: number): void {
  const object = vma.object as MemoryObject;
  const shift = vma.start - vma.offset;
  const start = Math.max(vma.start, first + shift);
  const end = Math.min(vma.end, stop + shift);
  if (start >= end) return;
  const ours = new Set<number>();
  for (let index = start - shift; index < end - shift; index += 1) {
    const folioId = object.pages.get(index);
    if (folioId !== undefined) ours.add(folioId);
  }
  const runs: { readonly page: number; readonly pageCount: number }[] = [];
  mm.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (isFolio(entry) && ours.has(folioIdOf(entry))) runs.push({ page, pageCount });
  });
  for (const { page, pageCount } of runs) mm.dropPages(page, page + pageCount);
}
