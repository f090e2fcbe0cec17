/**
 * From a folio to the page-table entries that map it: by its offset, which is the same in all
 * mappings of its object, or of a parent and its children.
 *
 * Source: mm/rmap.c, rmap_walk_anon() and rmap_walk_file(), vma_address().
 */

import type { AddressSpace } from '../memory/address-space.ts';
import type { Memory } from '../memory/memory.ts';
import { folioIdOf, isFolio, isMigration, migratingFolioId } from '../memory/page-entry.ts';

/** Entries in a row of one page table: one for a huge page, or one for each page. */
export interface Place {
  readonly space: AddressSpace;
  readonly page: number;
  readonly pageCount: number;
}

interface FolioRange {
  /** null: not known. */
  readonly offset: number | null;
  readonly pageCount: number;
}

interface Wanted extends FolioRange {
  isWanted(entry: number): boolean;
}

/** Where a folio is mapped: each place is looked up when its turn comes. */
export function mappingsOf(
  memory: Memory,
  folioId: number,
  { offset, pageCount }: FolioRange,
): Generator<Place> {
  const isWanted = (entry: number): boolean => isFolio(entry) && folioIdOf(entry) === folioId;
  return placesOf(memory, { offset, pageCount, isWanted });
}

/** Where a folio was mapped, and accesses wait. */
export function migrationEntriesOf(
  memory: Memory,
  folioId: number,
  { offset, pageCount }: FolioRange,
): Generator<Place> {
  const isWanted = (entry: number): boolean =>
    isMigration(entry) && migratingFolioId(entry) === folioId;
  return placesOf(memory, { offset, pageCount, isWanted });
}

function* placesOf(memory: Memory, wanted: Wanted): Generator<Place> {
  for (const space of memory.spaces) {
    for (const [start, end] of rangesOf(space, wanted)) {
      for (let page = start; page < end; ) {
        const place = nextPlace(space, page, end, wanted);
        if (place === undefined) break;
        page = place.page + place.pageCount;
        yield place;
      }
    }
  }
}

function nextPlace(
  space: AddressSpace,
  start: number,
  end: number,
  { isWanted }: Wanted,
): Place | undefined {
  let found: Place | undefined;
  space.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (found === undefined && isWanted(entry)) found = { space, page, pageCount };
  });
  return found;
}

/** Pages that may map the offset; in all mappings where it is not known. */
function* rangesOf(
  { vmas }: AddressSpace,
  { offset, pageCount }: Wanted,
): Generator<readonly [number, number]> {
  for (const vma of vmas) {
    if (offset === null) yield [vma.start, vma.end];
    else {
      const first = vma.start + offset - vma.offset;
      const start = Math.max(vma.start, first);
      const end = Math.min(vma.end, first + pageCount);
      if (start < end) yield [start, end];
    }
  }
}
