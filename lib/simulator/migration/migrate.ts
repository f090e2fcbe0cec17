/**
 * Moving isolated pages: a target for each, then either the page is there, or it is back where it
 * was.
 *
 * Source: mm/migrate.c, migrate_pages() and folio_expected_ref_count().
 */

import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import { folioIdOf, isInline, nodeOfInline } from '../memory/page-entry.ts';
import { splitFolio } from '../memory/split-folio.ts';
import { maskOf, NO_NODE } from '../nodes/nodemask.ts';
import { type Allocator, countAllocation, findNode, type Search } from '../policy/placement.ts';
import {
  type Isolated,
  type IsolatedFolio,
  type IsolatedRun,
  type PageList,
  putBackRun,
} from './page-list.ts';

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

/** Exactly this node, without fallback: memory that the caller itself may use. */
export function exactly(node: number, { cpuNode, memsAllowed }: Allocator): MigrationTarget {
  const mask = maskOf([node]) & memsAllowed;
  const search = { start: node, first: mask, last: mask, cpuNode, isInterleaved: false };
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
      const outcome = isOutOfMemory ? 'left' : moveFolio(memory, entry, target);
      entry.folio.isIsolated = false;
      if (entry.folio.pageCount === 1) entry.space.unmark(entry.page, 1);
      if (outcome === 'split') entries.push(...piecesOf(memory, entry));
      else if (outcome !== 'moved') failedCount += 1;
      countMigration(memory, entry.folio, outcome);
      if (outcome === 'no-memory') isOutOfMemory = true;
    } else if (isOutOfMemory) {
      putBackRun(entry, entry.page, entry.pageCount, entry.node);
    } else {
      isOutOfMemory = !moveRun(memory, entry, target);
    }
  }
  return { failedCount, isOutOfMemory };
}

function countMigration({ migrated }: Memory, folio: Folio, outcome: FolioOutcome): void {
  if (outcome === 'split' || outcome === 'left') return;
  migrated[outcome === 'moved' ? 'moved' : 'failed'] += folio.pageCount;
}

/** Whether nothing beside mappings and its object holds the folio, and it can be copied. */
export function isMovable(folio: Folio): boolean {
  if (folio.isHeld || folio.kind === 'secret') return false;
  return !(folio.object?.type === 'file' && folio.isDirty);
}

/** `split`: there was no room for all of it in one piece. `left`: the call had ended by then. */
type FolioOutcome = 'moved' | 'split' | 'failed' | 'no-memory' | 'left';

function moveFolio(
  memory: Memory,
  { space, folio, page }: IsolatedFolio,
  target: MigrationTarget,
): FolioOutcome {
  const search = target.searchFor(page, folio);
  if (folio.isOfPool) return movePoolFolio(memory, folio, search);
  if (folio.pageCount > 1) {
    const outcome = moveLargeFolio(memory, folio, search);
    // Its pages were unmapped one after another.
    const isInParts = outcome === 'moved' && !space.pages.isHuge(page);
    if (isInParts && memory.profile.movingMapsPartly) folio.isPartlyMapped = true;
    return outcome;
  }
  const { physical } = memory;
  const node = findNode(physical, search);
  if (node === NO_NODE) return 'no-memory';
  if (!isMovable(folio)) return 'failed';
  physical.take(node, 1);
  countAllocation(physical, search, node);
  physical.giveBack(folio.node, 1);
  folio.node = node;
  return 'moved';
}

function findBlock({ physical }: Memory, { start, first, last }: Search): number {
  const node = physical.findBlock(start, first, { compacts: true });
  return node !== NO_NODE || first === last
    ? node
    : physical.findBlock(start, last, { compacts: true });
}

/** A transparent huge page. Source: migrate_pages_batch(), try_split_folio(). */
function moveLargeFolio(memory: Memory, folio: Folio, search: Search): FolioOutcome {
  const { physical, profile } = memory;
  if (folio.isPartlyMapped && profile.splitsPartlyMapped && isMovable(folio)) return 'split';
  const node = findBlock(memory, search);
  if (node === NO_NODE) return isMovable(folio) ? 'split' : 'no-memory';
  if (!isMovable(folio)) return 'failed';
  physical.takeBlock(node);
  countAllocation(physical, search, node);
  physical.giveBackBlock(folio.node);
  folio.node = node;
  return 'moved';
}

/** Into a free page of the pool, or into memory that becomes one. Source: migrate_hugetlbs(). */
function movePoolFolio(memory: Memory, folio: Folio, search: Search): FolioOutcome {
  const { pool, physical } = memory;
  const order = physical.zonelist(search.start);
  const free = [search.first, search.last]
    .map((allowed) => pool.find(order, allowed, { isReserved: false }))
    .find((node) => node !== undefined);
  const node = free ?? findBlock(memory, search);
  if (node === NO_NODE) return 'no-memory';
  if (!isMovable(folio)) return 'failed';
  if (free === undefined) pool.replace(folio.node, node);
  else {
    pool.take(node, { isReserved: false });
    pool.giveBack(folio.node);
  }
  folio.node = node;
  return 'moved';
}

/** The base pages of a folio that was isolated: each moves by itself. */
function piecesOf(memory: Memory, { space, page }: IsolatedFolio): Isolated[] {
  const folioId = folioIdOf(space.pages.get(page));
  const keepsZeros = !memory.profile.splittingDropsZeros;
  return splitFolio(memory, folioId, { keepsZeros }).map((piece): Isolated => {
    const entry = piece.space.pages.get(piece.page);
    if (isInline(entry)) return { ...piece, pageCount: 1, node: nodeOfInline(entry) };
    return { ...piece, folio: memory.folios.get(folioIdOf(entry)) };
  });
}

/** Moves a run page by page, or as far as each target reaches; false when memory ran out. */
function moveRun(memory: Memory, run: IsolatedRun, target: MigrationTarget): boolean {
  const { physical, migrated } = memory;
  const end = run.page + run.pageCount;
  for (let page = run.page; page < end; ) {
    const search = target.searchFor(page, null);
    const node = findNode(physical, search);
    if (node === NO_NODE) {
      migrated.failed += 1;
      putBackRun(run, page, end - page, run.node);
      return false;
    }
    const wanted = target.isUniform ? end - page : 1;
    const pageCount = Math.min(wanted, physical.availablePages(node));
    physical.take(node, pageCount);
    countAllocation(physical, search, node, pageCount);
    migrated.moved += pageCount;
    physical.giveBack(run.node, pageCount);
    putBackRun(run, page, pageCount, node);
    page += pageCount;
  }
  return true;
}
