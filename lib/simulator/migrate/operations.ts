/**
 * What a migration does to folios and page tables, one operation each. All steps go through this
 * object, so that a test can break one and see that it is noticed.
 *
 * Source: mm/migrate.c and mm/rmap.c, the functions named at each.
 */

import type { Folio } from '../memory/folio.ts';
import { freeIfUnused, type Memory } from '../memory/memory.ts';
import { folioEntry, migrationEntry } from '../memory/page-entry.ts';
import type { MigratingFolio } from './migrating-folio.ts';
import { migrationEntriesOf, type Place } from './reverse-map.ts';

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
