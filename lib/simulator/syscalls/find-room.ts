/**
 * Where the system puts a mapping that may be anywhere.
 *
 * Source: mm/mmap.c, generic_get_unmapped_area_topdown().
 */

import type { AddressSpace } from '../memory/address-space.ts';
import { pageOf } from './range-argument.ts';

/** Where the kernel starts to look for room, downwards: below the stack of a 47-bit process. */
const MMAP_BASE = 0x7fff_f000_0000n;

/** The highest gap below the base: new mappings come below older ones, a page apart. */
export function findRoom(
  { vmas, memory }: AddressSpace,
  pageCount: number,
  alignmentPages = 1,
): number {
  let end = pageOf(MMAP_BASE, memory.pageSizeBytes);
  for (const vma of [...vmas].reverse()) {
    if (vma.start >= end) continue;
    if (startBelow(end, pageCount, alignmentPages) > vma.end) break;
    end = vma.start - 1;
  }
  return startBelow(end, pageCount, alignmentPages);
}

function startBelow(end: number, pageCount: number, alignmentPages: number): number {
  return Math.floor((end - pageCount) / alignmentPages) * alignmentPages;
}
