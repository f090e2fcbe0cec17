/**
 * What /proc tells of a process's memory: its mappings, and the state of each page.
 *
 * Source: fs/proc/task_mmu.c, show_map_vma() and pagemap_pmd_range().
 */

import type { PageSpan } from '../backend/backend.ts';
import type { AddressSpace } from './memory/address-space.ts';
import { folioIdOf, isFolio, isPage, isZeroPage, SWAPPED } from './memory/page-entry.ts';
import { addressOf, pageOf } from './syscalls/range-argument.ts';

const PRESENT = 1n << 63n;
const SWAP = 1n << 62n;
const FILE_OR_SHARED = 1n << 61n;

/** The mapped parts of a range, cut to it. */
export function mapsOf({ vmas, memory }: AddressSpace, span: PageSpan): PageSpan[] {
  const first = pageOf(span.address, memory.pageSizeBytes);
  return vmas.within(first, first + span.pageCount).map(({ start, end }) => ({
    address: addressOf(start, memory.pageSizeBytes),
    pageCount: end - start,
  }));
}

/** The entry of each page of a range. */
export function pagemapOf(space: AddressSpace, span: PageSpan): BigUint64Array {
  const entries = new BigUint64Array(span.pageCount);
  const first = pageOf(span.address, space.memory.pageSizeBytes);
  space.pages.forEachRun(first, first + span.pageCount, (page, pageCount, entry) => {
    const bits = bitsOf(space, entry);
    if (bits !== 0n) entries.fill(bits, page - first, page - first + pageCount);
  });
  return entries;
}

function bitsOf({ memory: { folios } }: AddressSpace, entry: number): bigint {
  if (entry === SWAPPED) return SWAP;
  if (!isPage(entry)) return isZeroPage(entry) ? PRESENT : 0n;
  const isFile = isFolio(entry) && folios.get(folioIdOf(entry)).object !== null;
  return isFile ? PRESENT | FILE_OR_SHARED : PRESENT;
}
