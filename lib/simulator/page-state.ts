/** One page of an address space, for who looks on: nothing changes, and nobody goes on. */

import type { FolioDetails, PageEntry, PageState } from './interface/simulated-process.ts';
import type { Folio } from './memory/folio.ts';
import type { Mm } from './memory/mm.ts';
import {
  DEVICE,
  folioIdOf,
  GUARD,
  isFolio,
  isInline,
  isMarked,
  isMigration,
  isZeroPage,
  migratingFolioId,
  nodeOfInline,
  SWAPPED,
} from './memory/page-entry.ts';
import { stateOf } from './migrate/migrating-folio.ts';

/** An ordinary page has no number: it is nothing but its node. */
const NO_NUMBER = -1;

export function pageStateOf({ pages, memory }: Mm, page: number): PageState {
  const entry = pages.get(page);
  const details = (id: number): FolioDetails => detailsOf(id, memory.folios.get(id));
  if (isMigration(entry)) return { entry: 'migration', folio: details(migratingFolioId(entry)) };
  if (!isInline(entry) && !isFolio(entry)) return { entry: absenceOf(entry), folio: null };
  const folio = isFolio(entry) ? details(folioIdOf(entry)) : ordinary(nodeOfInline(entry));
  return { entry: isMarked(entry) ? 'marked' : 'present', folio };
}

function absenceOf(entry: number): PageEntry {
  if (isZeroPage(entry)) return 'zero';
  if (entry === SWAPPED) return 'swapped';
  if (entry === GUARD) return 'guard';
  return entry === DEVICE ? 'device' : 'absent';
}

function detailsOf(id: number, folio: Folio): FolioDetails {
  const onList = folio.isIsolated ? 'isolated' : 'lru';
  return {
    ...stateOf(id, folio),
    list: folio.isOnList ? onList : 'none',
    isLocked: folio.lockedBy !== null,
    pins: folio.pins,
    references: folio.references,
  };
}

function ordinary(node: number): FolioDetails {
  const state = { folio: NO_NUMBER, node, pageCount: 1, mapCount: 1 };
  return { ...state, list: 'lru', isLocked: false, pins: 0, references: 0 };
}
