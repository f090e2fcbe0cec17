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
  const base = pageOf(MMAP_BASE, memory.pageSizeBytes);
  let start = 0;
  for (const gap of vmas.gapsBelow(base, pageCount + 1)) {
    start = startBelow(gap.end === base ? base : gap.end - 1, pageCount, alignmentPages);
    if (start > gap.start) break;
  }
  return start;
}

function startBelow(end: number, pageCount: number, alignmentPages: number): number {
  return Math.floor((end - pageCount) / alignmentPages) * alignmentPages;
}
