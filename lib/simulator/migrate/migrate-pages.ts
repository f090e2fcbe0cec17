/**
 * Moving isolated folios: in batches, or one by one as older kernels do, with what is still there
 * put back at the end.
 *
 * Source: mm/migrate.c, migrate_pages() and migrate_pages_sync().
 */

import type { MigrationMode } from '../interface/migration-event.ts';
import type { Steps, Suspended } from '../memory/in-flight.ts';
import type { Memory } from '../memory/memory.ts';
import { type BatchResult, migrateBatch } from './migrate-batch.ts';
import { migrateOneByOne } from './migrate-one-by-one.ts';
import {
  type Item,
  itemsOf,
  MigratingFolio,
  type MigrationRun,
  mayBePinned,
  pagesOfFirst,
  pagesOfItem,
  putBackFolio,
  stateOf,
} from './migrating-folio.ts';
import { moveAtOnce } from './move-at-once.ts';
import { type Isolated, type PageList, putBack } from './page-list.ts';
import type { MigrationTarget } from './target-folio.ts';

/** Source: NR_MAX_MIGRATE_PAGES_RETRY, NR_MAX_MIGRATE_ASYNC_RETRY, NR_MAX_MIGRATE_SYNC_RETRY. */
const PASSES = { alone: 10, async: 3, sync: 7 } as const;

export interface MigratePagesOptions {
  /** `async`: automatic balancing, which waits for nobody and splits nothing. Default `sync`. */
  readonly mode?: MigrationMode;
}

export interface MigrationResult {
  /** Folios that stayed. */
  readonly failedCount: number;
  /** A target had no memory: the call ended there. */
  readonly isOutOfMemory: boolean;
}

/** Moves every page of the list, and puts back what does not move. */
export function* migratePages(
  memory: Memory,
  list: PageList,
  target: MigrationTarget,
  { mode = 'sync' }: MigratePagesOptions = {},
): Steps<MigrationResult> {
  const owner = memory.inFlight.current ?? nobody();
  const { isWatched } = list;
  const run: MigrationRun = { memory, target, owner, isWatched, keepsHuge: mode === 'async' };
  const items = itemsOf(list, target);
  const rest = items.every(isFree) ? moveAll(run, items) : items;
  const result = rest.length === 0 ? nothing() : yield* new Migration(run, mode).migrate(rest);
  memory.migrated.failed += result.failedPages;
  target.account?.endList();
  for (const item of result.left) {
    if (item instanceof MigratingFolio) yield* putBackFolio(run, item);
    else putBack(item);
  }
  // A huge page all of whose pieces have arrived is none that stayed.
  const isAllDone = result.left.length === 0;
  return {
    failedCount: isAllDone ? 0 : result.failedCount,
    isOutOfMemory: result.isOutOfMemory,
  };
}

/** Nothing but memory can be in its way. */
function isFree(item: Item): item is Isolated {
  return !(item instanceof MigratingFolio) && !('folio' in item && mayBePinned(item.folio));
}

/** A list in which nothing has steps, up to what finds no memory: that, and what is behind it. */
function moveAll({ memory, target }: MigrationRun, items: readonly Isolated[]): Item[] {
  for (const [index, item] of items.entries()) {
    const rest = moveAtOnce(memory, item, target);
    if (rest !== 'moved') return [rest === 'stays' ? item : rest, ...items.slice(index + 1)];
  }
  return [];
}

/** All further tries of one that was in the way of the others. */
function tryAgain({ memory, target }: MigrationRun, item: Isolated): BatchResult {
  const rest = moveAtOnce(memory, item, target);
  if (rest === 'moved') return nothing();
  const isOutOfMemory = rest !== 'stays';
  return {
    ...nothing(),
    failedCount: 1,
    failedPages: pagesOfFirst(item),
    isOutOfMemory,
    left: [item],
  };
}

/** Locks are let go before anybody could ask whose they are. */
function nobody(): Suspended {
  return { isEnded: false, isolated: new Set(), goOn: () => undefined };
}

/** Tells of the pages that a call has taken off their lists since it last did. */
export function tellIsolated(list: PageList): Steps<void> | [] {
  return list.isWatched ? isolations(list) : [];
}

function* isolations(list: PageList): Steps<void> {
  for (const { folio, folioId, mm, page } of list.takeUntold()) {
    const address = BigInt(page) * BigInt(mm.memory.pageSizeBytes);
    const source = stateOf(folioId, folio);
    yield { step: 'isolate', source, address, note: `off the list of node ${folio.node}` };
  }
}

/** Many folios are unmapped together, and flushed at once; else each by itself. */
export function movesInBatches({ facts }: Memory): boolean {
  return facts.batchesMigrations;
}

class Migration {
  readonly #run: MigrationRun;
  readonly #mode: MigrationMode;
  readonly #isBatched: boolean;

  constructor(run: MigrationRun, mode: MigrationMode) {
    this.#run = run;
    this.#mode = mode;
    this.#isBatched = movesInBatches(run.memory);
  }

  *migrate(items: readonly Item[]): Steps<BatchResult> {
    if (!this.#isBatched) {
      return yield* this.#round(items, (part, pieces) => this.#alone(part, pieces));
    }
    const ofPool = items.filter(isOfPool);
    const others = ofPool.length === 0 ? items : items.filter((item) => !isOfPool(item));
    let sum = ofPool.length === 0 ? nothing() : yield* this.#alone(ofPool, null);
    if (sum.isOutOfMemory) return withLeft(sum, others);
    const batches = batchesOf(others, this.#run.memory.tablePages);
    for (const [index, batch] of batches.entries()) {
      const round = yield* this.#round(batch, (part, pieces) => this.#batch(part, pieces));
      sum = added(sum, round);
      if (sum.isOutOfMemory) return withLeft(sum, batches.slice(index + 1).flat());
    }
    return sum;
  }

  /** Pieces of huge pages have one more go, which counts for nothing: their whole has failed. */
  *#round(
    items: readonly Item[],
    migrate: (items: readonly Item[], pieces: Item[] | null) => Steps<BatchResult>,
  ): Steps<BatchResult> {
    const pieces: Item[] = [];
    const result = yield* migrate(items, pieces);
    if (result.isOutOfMemory) return withLeft(result, pieces);
    if (pieces.length === 0) return result;
    const last = this.#isBatched
      ? yield* migrateBatch(this.#run, pieces, { mode: 'async', passes: 1, pieces: null })
      : yield* this.#alone(pieces, null);
    const isOutOfMemory = !this.#isBatched && last.isOutOfMemory;
    const failedPages = result.failedPages + last.failedPages;
    return { ...result, failedPages, isOutOfMemory, left: [...result.left, ...last.left] };
  }

  *#alone(items: readonly Item[], pieces: Item[] | null): Steps<BatchResult> {
    return yield* migrateOneByOne(this.#run, items, { mode: this.#mode, pieces });
  }

  /** All together without waiting, then the rest one at a time. Source: migrate_pages_sync(). */
  *#batch(items: readonly Item[], pieces: Item[] | null): Steps<BatchResult> {
    const run = this.#run;
    if (this.#mode === 'async') {
      return yield* migrateBatch(run, items, { mode: 'async', passes: PASSES.alone, pieces });
    }
    const options = { mode: 'async', passes: PASSES.async, pieces } as const;
    const first = yield* migrateBatch(run, items, options);
    if (first.isOutOfMemory) return first;
    // Of the first round only what was split counts: the others have another try.
    let sum: BatchResult = { ...first, failedCount: first.splitCount, failedPages: 0, left: [] };
    for (const [index, item] of first.left.entries()) {
      const patient = { mode: 'sync', passes: PASSES.sync, pieces } as const;
      const isStepwise = item instanceof MigratingFolio;
      const more = isStepwise ? yield* migrateBatch(run, [item], patient) : tryAgain(run, item);
      sum = added(sum, more);
      if (sum.isOutOfMemory) return withLeft(sum, first.left.slice(index + 1));
    }
    return sum;
  }
}

function nothing(): BatchResult {
  return { failedCount: 0, failedPages: 0, splitCount: 0, isOutOfMemory: false, left: [] };
}

/** The sum takes over what the first has left: there may be very many. */
function added(sum: BatchResult, more: BatchResult): BatchResult {
  for (const item of more.left) sum.left.push(item);
  return {
    failedCount: sum.failedCount + more.failedCount,
    failedPages: sum.failedPages + more.failedPages,
    splitCount: sum.splitCount + more.splitCount,
    isOutOfMemory: more.isOutOfMemory,
    left: sum.left,
  };
}

function withLeft(sum: BatchResult, left: readonly Item[]): BatchResult {
  return { ...sum, left: [...sum.left, ...left] };
}

function isOfPool(item: Item): boolean {
  return item instanceof MigratingFolio && item.folio.isOfPool;
}

/** As many base pages as a huge page has, or a folio that goes beyond; a run behind a full batch
 *  is as many batches as it fills, in one. Source: NR_MAX_BATCHED_MIGRATION. */
function batchesOf(items: readonly Item[], batchPages: number): Item[][] {
  const batches: Item[][] = [];
  let room = 0;
  const add = (item: Item): void => {
    if (room <= 0) {
      batches.push([]);
      room = batchPages;
    }
    batches.at(-1)?.push(item);
    const pageCount = pagesOfItem(item);
    room -= 'folio' in item ? pageCount : pageCount % batchPages;
  };
  for (const item of items) {
    if ('folio' in item || room <= 0 || item.pageCount <= room) add(item);
    else {
      const { page, pageCount } = item;
      const first = room;
      add({ ...item, pageCount: first });
      add({ ...item, page: page + first, pageCount: pageCount - first });
    }
  }
  return batches;
}
