/**
 * Moving isolated pages while nobody else can act: a target for each, then either the page is
 * there, or it is back where it was. What `engine/` does step by step, in one go.
 *
 * Source: mm/migrate.c, migrate_pages() and folio_expected_ref_count().
 */

import type { CostAccount } from '../cost/cost-account.ts';
import { oneFolio, ordinaryFolios } from '../memory/count-costs.ts';
import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import { folioIdOf, isInline, nodeOfInline } from '../memory/page-entry.ts';
import { splitFolio } from '../memory/split-folio.ts';
import type { Vma } from '../memory/vma.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import { countAllocation, findNode, type Search } from '../policy/placement.ts';
import type { MigrationTarget } from './migration-target.ts';
import {
  type Isolated,
  type IsolatedFolio,
  type IsolatedRun,
  type PageList,
  putBack,
  putBackRun,
} from './page-list.ts';
import { findBlock, findPoolPage } from './target-memory.ts';

export interface MigrationResult {
  /** Folios that stayed. */
  readonly failedCount: number;
  /** A target had no memory: the call ended there. */
  readonly isOutOfMemory: boolean;
}

/** Moves every page of the list, and puts back what does not move. */
export function migrateAtOnce(
  memory: Memory,
  list: PageList,
  target: MigrationTarget,
  { keepsHuge }: { readonly keepsHuge: boolean },
): MigrationResult {
  const call: Call = { memory, target, keepsHuge, failed: 0, left: 0, isOutOfMemory: false };
  const pieces: Isolated[] = [];
  for (const entry of inOrder(memory, list)) {
    pieces.push(...moveEntry(call, entry));
    // Older kernels come back to them at the end.
    if (memory.profile.batchesMigrations) movePieces(call, pieces.splice(0));
  }
  movePieces(call, pieces);
  target.account?.endList();
  // A huge page all of whose pieces have arrived is none that stayed.
  return { failedCount: call.left === 0 ? 0 : call.failed, isOutOfMemory: call.isOutOfMemory };
}

interface Call {
  readonly memory: Memory;
  readonly target: MigrationTarget;
  readonly keepsHuge: boolean;
  /** Folios that could not be moved as they were. */
  failed: number;
  /** Folios and pieces that are where they were. */
  left: number;
  isOutOfMemory: boolean;
}

/** Source: migrate_hugetlbs(), which newer kernels call first. */
function inOrder({ profile }: Memory, { entries }: PageList): readonly Isolated[] {
  const isOfPool = (entry: Isolated): boolean => 'folio' in entry && entry.folio.isOfPool;
  if (!profile.batchesMigrations || !entries.some(isOfPool)) return entries;
  return [...entries.filter(isOfPool), ...entries.filter((entry) => !isOfPool(entry))];
}

/** Moves a run or a folio; the value is what it was split into instead. */
function moveEntry(call: Call, entry: Isolated): Isolated[] {
  const { memory, target } = call;
  if (!('folio' in entry)) {
    if (call.isOutOfMemory) putBackRun(entry, entry.page, entry.pageCount, entry.node);
    else call.isOutOfMemory = !moveRun(memory, entry, target);
    return [];
  }
  const outcome = call.isOutOfMemory ? 'left' : moveFolio(call, entry);
  // Its entries were replaced by others, which carry no mark; what they knew, the folio knows now.
  if (outcome === 'moved' || outcome === 'failed') {
    entry.space.unmark(entry.page);
    entry.folio.isDirty ||= entry.folio.hasDirtyEntry;
  }
  putBack({ entries: [entry] });
  if (outcome !== 'left' && outcome !== 'split') countMigration(memory, entry.folio, outcome);
  if (outcome === 'moved') return [];
  call.failed += 1;
  if (outcome === 'split') return piecesOf(memory, entry);
  call.left += 1;
  if (outcome === 'no-memory') call.isOutOfMemory = true;
  return [];
}

/** One go at each: that one of them stays is counted with its whole. */
function movePieces(call: Call, pieces: readonly Isolated[]): void {
  const { memory, target } = call;
  const goesOn = memory.profile.batchesMigrations;
  let isOutOfMemory = call.isOutOfMemory;
  for (const piece of pieces) {
    if (isOutOfMemory) putBack({ entries: [piece] });
    else if ('folio' in piece) {
      const outcome = moveFolio(call, piece);
      putBack({ entries: [piece] });
      if (outcome !== 'split' && outcome !== 'left') countMigration(memory, piece.folio, outcome);
      if (outcome !== 'moved') call.left += 1;
      isOutOfMemory = outcome === 'no-memory';
    } else isOutOfMemory = !moveRun(memory, piece, target);
    if (isOutOfMemory) call.left += 1;
  }
  if (!goesOn) call.isOutOfMemory = isOutOfMemory;
}

function countMigration(
  { migrated }: Memory,
  { pageCount }: Folio,
  outcome: 'moved' | 'failed' | 'no-memory',
): void {
  migrated[outcome === 'moved' ? 'moved' : 'failed'] += pageCount;
}

/** Whether nothing beside mappings and its object holds the folio, and it can be copied. */
export function isMovable(folio: Folio): boolean {
  if (folio.isHeld || folio.kind === 'secret') return false;
  return !(folio.object?.type === 'file' && folio.isDirty);
}

/** `split`: there was no room for all of it in one piece. `left`: the call had ended by then. */
type FolioOutcome = 'moved' | 'split' | 'failed' | 'no-memory' | 'left';

function moveFolio(call: Call, entry: IsolatedFolio): FolioOutcome {
  const { node: from } = entry.folio;
  const outcome = placeFolio(call, entry);
  const { account } = call.target;
  if (account !== null) countFolio(account, entry, from, outcome);
  return outcome;
}

/** One that stays has been unmapped once, but for memory that may be pinned. */
function countFolio(
  account: CostAccount,
  { space, page, folio }: IsolatedFolio,
  from: number,
  outcome: FolioOutcome,
): void {
  const folios = oneFolio(space, page, folio);
  if (outcome === 'moved') account.countMoved(from, folio.node, folios);
  const staysMapped = folio.kind === 'anonymous' && folio.isExclusive && folio.pins > 0;
  if (outcome === 'failed' && !staysMapped) account.countUnmapped(folios);
}

function placeFolio(
  { memory, target, keepsHuge }: Call,
  { space, folio, page }: IsolatedFolio,
): FolioOutcome {
  const search = target.searchFor(page, folio);
  if (folio.isOfPool) return movePoolFolio(memory, folio, search);
  if (folio.pageCount > 1) {
    const found = moveLargeFolio(memory, folio, search);
    const outcome = found === 'split' && keepsHuge ? 'no-memory' : found;
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
  const { pool } = memory;
  const free = findPoolPage(memory, search);
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
    const id = folioIdOf(entry);
    const vma = piece.space.vmas.lookup(piece.page) as Vma;
    return { ...piece, folio: memory.folios.get(id), folioId: id, vma };
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
    target.account?.countMoved(run.node, node, ordinaryFolios(pageCount));
    putBackRun(run, page, pageCount, node);
    page += pageCount;
  }
  return true;
}
