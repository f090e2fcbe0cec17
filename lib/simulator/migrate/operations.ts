/**
 * What a migration does to folios and page tables, one operation each. All steps go through this
 * object, so that a test can break one and see that it is noticed. The page-table entries that map
 * a folio are found by its offset, which is the same in all mappings of its object, or of a parent
 * and its children.
 *
 * Source: mm/migrate.c and mm/rmap.c, the functions named at each; rmap_walk_anon(),
 * rmap_walk_file() and vma_address().
 */

import type { Folio } from '../memory/folio.ts';
import { freeIfUnused, type Memory } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import {
  folioEntry,
  folioIdOf,
  isFolio,
  isMigration,
  migratingFolioId,
  migrationEntry,
} from '../memory/page-entry.ts';
import type { MigratingFolio } from './migrating-folio.ts';

/** A page is copied in two parts, so that a write between them can be told. */
export type Half = 'first' | 'second';

export const operations = {
  /** References beside those of mappings, of the object and of the migration itself. Source:
   *  folio_expected_ref_count(). */
  extraReferences(folio: Folio): number {
    const busy = folio.busyTries > 0 ? 1 : 0;
    if (busy > 0) folio.busyTries -= 1;
    return folio.references + folio.pins + busy;
  },

  /** Whether the object still has this folio. Source: folio_migrate_mapping(). */
  isInMapping({ folio, folioId }: MigratingFolio): boolean {
    // A private copy is none of the object's, even if of its pool.
    if (folio.object === null || folio.isAnonymous) return true;
    return folio.object.pages.get(folio.index) === folioId;
  },

  /** Puts migration entries in place of those that map the folio. Source:
   *  try_to_migrate_one(). */
  unmap({ mm, page, pageCount }: Place, { folio, folioId }: MigratingFolio): void {
    folio.isDirty ||= folio.hasDirtyEntry;
    mm.pages.replace(page, pageCount, migrationEntry(folioId));
    folio.mapCount -= pageCount;
  },

  /** The object has the target from now on. Source: folio_migrate_mapping(). */
  switchMapping({ folio, folioId, targetId }: MigratingFolio): void {
    if (folio.object?.pages.get(folio.index) !== folioId) return;
    folio.object.pages.set(folio.index, targetId as number);
  },

  /** Source: folio_copy(). */
  copy({ folio, target, memory }: MigratingFolio, half: Half): void {
    if (folio.words === null) return;
    const middle = memory.pageSizeBytes / 2;
    target.words ??= new Map();
    for (const [byte, word] of folio.words) {
      const isFirst = byte % memory.pageSizeBytes < middle;
      if (isFirst === (half === 'first')) target.words.set(byte, word);
    }
  },

  /** Source: folio_migrate_flags(). */
  copyFlags({ folio, target }: MigratingFolio): void {
    target.isDirty = folio.isDirty;
    target.isExclusive = folio.isExclusive;
    target.lastFault = folio.lastFault;
    target.isPartlyMapped = folio.isPartlyMapped;
  },

  /** Maps a folio where migration entries are: the target, or the source again. Source:
   *  remove_migration_pte(). */
  restore({ mm, page, pageCount }: Place, folioId: number): void {
    mm.pages.replace(page, pageCount, folioEntry(folioId));
    mm.memory.folios.get(folioId).mapCount += pageCount;
  },

  /** The next migration entries that are left of a folio. */
  leftEntry({ memory, folioId, range }: MigratingFolio): Place | undefined {
    const { value, done } = migrationEntriesOf(memory, folioId, range).next();
    return done === true ? undefined : value;
  },

  /** The migration's reference to a target ends: where it was mapped nowhere, it is free. */
  releaseTarget(memory: Memory, targetId: number): void {
    freeIfUnused(memory, targetId);
  },

  /** Back on its list, without the migration's reference. Source: folio_putback_lru(). */
  putBack(memory: Memory, folio: Folio, folioId: number): void {
    folio.isIsolated = false;
    freeIfUnused(memory, folioId);
  },
};

/** Entries in a row of one page table: one for a huge page, or one for each page. */
interface Place {
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
function migrationEntriesOf(
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
