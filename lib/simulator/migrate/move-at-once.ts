/**
 * Moving ordinary pages, and folios that nothing can keep where they are, in one go: the outcome of
 * all steps for one after the other. So is that of pages that are pinned, which go nowhere.
 *
 * Source: mm/migrate.c, migrate_pages() and do_pages_move().
 */

import { NODE_ID_MAX } from '../../core/uapi.ts';
import type { CostAccount } from '../cost/cost-ledger.ts';
import { oneFolio, ordinaryFolios } from '../memory/count-costs.ts';
import type { Memory } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import { inlineEntry, isOrdinary, nodeOfInline } from '../memory/page-entry.ts';
import { hasFlag, VM } from '../memory/vma.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import { countAllocation, findNode, type Search } from '../policy/placement.ts';
import { type Item, MigratingFolio, mayBePinned } from './migrating-folio.ts';
import { type Isolated, type IsolatedFolio, type IsolatedRun, putBack } from './page-list.ts';
import { findTargetNode, type MigrationTarget, takeTargetMemory } from './target-folio.ts';

/** `stays`: EAGAIN, and for ever. Else what found no memory; a huge page goes step by step then,
 *  which splits it. */
export type OutcomeAtOnce = 'moved' | 'stays' | Item;

/** Moves an entry of a list, and puts back what has moved. */
export function moveAtOnce(
  memory: Memory,
  entry: Isolated,
  target: MigrationTarget,
): OutcomeAtOnce {
  return 'folio' in entry ? moveFolio(memory, entry, target) : moveRun(memory, entry, target);
}

function moveFolio(memory: Memory, entry: IsolatedFolio, target: MigrationTarget): OutcomeAtOnce {
  const { mm, page, folio } = entry;
  const { physical, migrated } = memory;
  const search = target.searchFor(page, folio);
  const node = findTargetNode(memory, folio, search);
  const isStuck = mayBePinned(folio);
  const isLarge = folio.pageCount > 1;
  if (node === NO_NODE) return isLarge && !isStuck ? new MigratingFolio(entry, target) : entry;
  if (isStuck) return 'stays';
  takeTargetMemory(memory, folio, { search, node });
  if (isLarge) physical.giveBackBlock(folio.node);
  else physical.giveBack(folio.node, 1);
  migrated.moved += folio.pageCount;
  target.account?.countMoved(folio.node, node, oneFolio(mm, page, folio));
  folio.node = node;
  // Its entries were replaced by others, which carry no mark; what they knew, the folio knows.
  mm.unmark(page);
  folio.isDirty ||= folio.hasDirtyEntry;
  putBack(entry);
  return 'moved';
}

/** Page by page, or as far as each target reaches. */
function moveRun(memory: Memory, run: IsolatedRun, target: MigrationTarget): OutcomeAtOnce {
  const { physical, migrated } = memory;
  const end = run.page + run.pageCount;
  for (let page = run.page; page < end; ) {
    const search = target.searchFor(page, null);
    const node = findNode(physical, search);
    if (node === NO_NODE) return { ...run, page, pageCount: end - page };
    const wanted = target.isUniform ? end - page : 1;
    const pageCount = Math.min(wanted, physical.availablePages(node));
    physical.take(node, pageCount);
    countAllocation(physical, search, node, pageCount);
    migrated.moved += pageCount;
    physical.giveBack(run.node, pageCount);
    target.account?.countMoved(run.node, node, ordinaryFolios(pageCount));
    run.mm.pages.fill(page, page + pageCount, inlineEntry(node));
    page += pageCount;
  }
  return 'moved';
}

/** What is asked of the pages from `start` on. */
export interface OrdinaryMove {
  readonly start: number;
  /** Exclusive: where the call ends. */
  readonly end: number;
  readonly node: number;
  readonly search: Search;
  /** Who counts what it costs. */
  readonly account: CostAccount | null;
  /** Pages in front of these that want room, too. */
  readonly pendingPages: number;
}

/** How many pages each entry has. A Map would cost more than all the rest. */
export function newEntryCounts(): Int32Array {
  return new Int32Array(inlineEntry(NODE_ID_MAX) + 1);
}

export interface OrdinaryPages {
  /** Pages that move by themselves, whatever lies behind them. */
  readonly pageCount: number;
  /** None between those and this page is on the node already. */
  readonly unsettledUntil: number;
}

/**
 * Pages that can be moved at once: up to one that is there already, which ends a run of the call,
 * or to the call's end. `counts` learns what they are.
 */
export function ordinaryPages(mm: Mm, move: OrdinaryMove, counts: Int32Array): OrdinaryPages {
  const { start, end, node, search, pendingPages } = move;
  const { physical } = mm.memory;
  const vma = mm.vmas.lookup(start);
  const none = { pageCount: 0, unsettledUntil: start };
  if (vma === undefined || vma.access === 'none' || hasFlag(vma, VM.IO)) return none;
  if (findNode(physical, search) !== node) return none;
  const target = inlineEntry(node);
  const roomPages = physical.availablePages(node) - pendingPages;
  const stop = countOrdinary(mm, start, Math.min(end, vma.end, start + roomPages), {
    target,
    counts,
  });
  if (stop === end) return { pageCount: end - start, unsettledUntil: end };
  let settled = stop;
  while (settled > start && mm.pages.get(settled - 1) !== target) settled -= 1;
  if (settled > start) countOrdinary(mm, start, settled, { target, counts });
  return { pageCount: settled - start, unsettledUntil: stop };
}

interface Counting {
  readonly target: number;
  readonly counts: Int32Array;
}

/** Counts ordinary pages by their entries, but for the target, up to the end or, with counts that
 *  are of no use, the first other page. */
function countOrdinary(mm: Mm, start: number, end: number, by: Counting): number {
  by.counts.fill(0);
  let page = start;
  mm.pages.forEachPart(start, end, (first, pageCount, entries, offset) => {
    if (page !== first || typeof entries === 'number') return;
    page += countPart(entries, offset, offset + pageCount, by) - offset;
  });
  return page;
}

/** Equal entries in a row are counted at once; the value is where it ended. Where that is before
 *  the end, some are not counted yet. */
function countPart(
  entries: Uint32Array,
  offset: number,
  end: number,
  { target, counts }: Counting,
): number {
  // In 32 bits with a sign, the engine keeps all of this in registers.
  const settled = target | 0;
  let last = settled;
  let alike = 0;
  for (let at = offset; at < end; at += 1) {
    const entry = (entries[at] as number) | 0;
    if (entry === settled) continue;
    if (entry !== last) {
      if (!isOrdinary(entry)) return at;
      counts[last] = (counts[last] as number) + alike;
      last = entry;
      alike = 0;
    }
    alike += 1;
  }
  counts[last] = (counts[last] as number) + alike;
  return end;
}

/** Moves as many pages as `ordinaryPages` has told, and counted. */
export function moveOrdinary(
  mm: Mm,
  pageCount: number,
  move: OrdinaryMove,
  counts: Int32Array,
): void {
  const { physical, migrated } = mm.memory;
  const target = inlineEntry(move.node);
  mm.pages.forEachPart(move.start, move.start + pageCount, (_page, count, entries, offset) => {
    if (typeof entries !== 'number') entries.fill(target, offset, offset + count);
  });
  for (const [entry, count] of counts.entries()) {
    if (count === 0) continue;
    physical.take(move.node, count);
    countAllocation(physical, move.search, move.node, count);
    migrated.moved += count;
    physical.giveBack(nodeOfInline(entry), count);
    move.account?.countMoved(nodeOfInline(entry), move.node, ordinaryFolios(count));
  }
  move.account?.endList();
}
