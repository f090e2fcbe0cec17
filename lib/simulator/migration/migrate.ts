/**
 * Moving isolated pages: a target for each, then either the page is there, or it is back where it
 * was.
 *
 * Source: mm/migrate.c, migrate_pages() and folio_expected_ref_count().
 */

import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import { maskOf, NO_NODE } from '../nodes/nodemask.ts';
import { findNode, type Search } from '../policy/placement.ts';
import { type IsolatedFolio, type IsolatedRun, type PageList, putBackRun } from './page-list.ts';

/** Where pages go: new_folio_t. */
export interface MigrationTarget {
  /** One search does for all pages. */
  readonly isUniform: boolean;
  /** For the page at this place; a folio is asked for once, by its first page. */
  searchFor(page: number, folio: Folio | null): Search;
}

export interface MigrationResult {
  /** Folios that stayed. */
  readonly failedCount: number;
  /** A target had no memory: the call ended there. */
  readonly isOutOfMemory: boolean;
}

/** Exactly this node, without fallback. */
export function exactly(node: number): MigrationTarget {
  const mask = maskOf([node]);
  const search = { start: node, first: mask, last: mask };
  return { isUniform: true, searchFor: () => search };
}

/** Moves every page of the list, and puts back what does not move. */
export function migratePageList(
  memory: Memory,
  { entries }: PageList,
  target: MigrationTarget,
): MigrationResult {
  let failedCount = 0;
  let isOutOfMemory = false;
  for (const entry of entries) {
    if ('folio' in entry) {
      const outcome = isOutOfMemory ? 'failed' : moveFolio(memory, entry, target);
      entry.folio.isIsolated = false;
      if (outcome !== 'moved') failedCount += 1;
      if (outcome === 'no-memory') isOutOfMemory = true;
    } else if (isOutOfMemory) {
      putBackRun(entry, entry.page, entry.pageCount, entry.node);
    } else {
      isOutOfMemory = !moveRun(memory, entry, target);
    }
  }
  return { failedCount, isOutOfMemory };
}

/** Whether something beside mappings and the object itself holds the folio, or it cannot be copied. */
export function isMovable(folio: Folio): boolean {
  if (folio.isHeld || folio.kind === 'secret') return false;
  return !(folio.object?.type === 'file' && folio.isDirty);
}

function moveFolio(
  { physical }: Memory,
  { folio, page }: IsolatedFolio,
  target: MigrationTarget,
): 'moved' | 'failed' | 'no-memory' {
  const { pageCount } = folio;
  const node = findNode(physical, target.searchFor(page, folio), pageCount);
  if (node === NO_NODE) return pageCount === 1 ? 'no-memory' : 'failed';
  if (!isMovable(folio)) return 'failed';
  physical.take(node, pageCount);
  physical.giveBack(folio.node, pageCount);
  folio.node = node;
  return 'moved';
}

/** Moves a run page by page, or as far as each target reaches; false when memory ran out. */
function moveRun({ physical }: Memory, run: IsolatedRun, target: MigrationTarget): boolean {
  const end = run.page + run.pageCount;
  for (let page = run.page; page < end; ) {
    const node = findNode(physical, target.searchFor(page, null));
    if (node === NO_NODE) {
      putBackRun(run, page, end - page, run.node);
      return false;
    }
    const wanted = target.isUniform ? end - page : 1;
    const pageCount = Math.min(wanted, physical.availablePages(node));
    physical.take(node, pageCount);
    physical.giveBack(run.node, pageCount);
    putBackRun(run, page, pageCount, node);
    page += pageCount;
  }
  return true;
}
