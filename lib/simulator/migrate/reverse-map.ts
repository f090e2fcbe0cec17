/**
 * From a folio to the page-table entries that map it: by its offset, which is the same in all
 * mappings of its object, or of a parent and its children.
 *
 * Source: mm/rmap.c, rmap_walk_anon() and rmap_walk_file(), vma_address().
 */

import type { Memory } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import { folioIdOf, isFolio, isMigration, migratingFolioId } from '../memory/page-entry.ts';

/** Entries in a row of one page table: one for a huge page, or one for each page. */
export interface Place {
  readonly mm: Mm;
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
  for (const mm of memory.mms) {
    for (const [start, end] of rangesOf(mm, wanted)) {
      for (let page = start; page < end; ) {
        const place = nextPlace(mm, page, end, wanted);
        if (place === undefined) break;
        page = place.page + place.pageCount;
        yield place;
      }
    }
  }
}

function nextPlace(mm: Mm, start: number, end: number, { isWanted }: Wanted): Place | undefined {
  let found: Place | undefined;
  mm.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (found === undefined && isWanted(entry)) found = { mm, page, pageCount };
  });
  return found;
}

/** Pages that may map the offset; in all mappings where it is not known. */
function* rangesOf(
  { vmas }: Mm,
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
