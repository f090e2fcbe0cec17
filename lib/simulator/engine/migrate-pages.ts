/**
 * Moving isolated folios, step by step or all at once: the same outcome, but where others act
 * between two steps.
 *
 * Source: mm/migrate.c, migrate_pages() and migrate_pages_sync().
 */

import type { MigrationMode } from '../interface/migration-event.ts';
import type { Steps, Suspended } from '../memory/in-flight.ts';
import type { Memory } from '../memory/memory.ts';
import { type MigrationResult, migrateAtOnce } from '../migration/migrate-at-once.ts';
import type { MigrationTarget } from '../migration/migration-target.ts';
import type { PageList } from '../migration/page-list.ts';
import { type BatchResult, migrateBatch } from './migrate-batch.ts';
import { migrateOneByOne } from './migrate-one-by-one.ts';
import { MigratingFolio, stateOf } from './migrating-folio.ts';
import { putBack, type Run } from './run.ts';

/** Source: NR_MAX_MIGRATE_PAGES_RETRY, NR_MAX_MIGRATE_ASYNC_RETRY, NR_MAX_MIGRATE_SYNC_RETRY. */
const PASSES = { alone: 10, async: 3, sync: 7 } as const;

export interface MigrateOptions {
  /** `async`: automatic balancing, which waits for nobody and splits nothing. Default `sync`. */
  readonly mode?: MigrationMode;
}

/** Moves every page of the list, and puts back what does not move. */
export function* migratePages(
  memory: Memory,
  list: PageList,
  target: MigrationTarget,
  { mode = 'sync' }: MigrateOptions = {},
): Steps<MigrationResult> {
  const keepsHuge = mode === 'async';
  if (!memory.inFlight.isStepped) return migrateAtOnce(memory, list, target, { keepsHuge });
  const owner = memory.inFlight.current as Suspended;
  const run: Run = { memory, target, owner, keepsHuge };
  const items = list.folios.map((entry) => new MigratingFolio(entry, target));
  const result = yield* new Migration(run, mode).migrate(items);
  memory.migrated.failed += result.failedPages;
  target.account?.endList();
  for (const item of result.left) yield* putBack(run, item);
  const { isOutOfMemory } = result;
  const isAllDone = result.left.length === 0;
  return { failedCount: isAllDone ? 0 : result.failedCount, isOutOfMemory };
}

/** Tells of the pages that a call has taken off their lists since it last did. */
export function tellIsolated({ inFlight }: Memory, list: PageList): Steps<void> | [] {
  return inFlight.isStepped ? isolations(list) : [];
}

function* isolations(list: PageList): Steps<void> {
  for (const { folio, folioId, space, page } of list.takeUntold()) {
    const address = BigInt(page) * BigInt(space.memory.pageSizeBytes);
    const source = stateOf(folioId, folio);
    yield { step: 'isolate', source, address, note: `off the list of node ${folio.node}` };
  }
}

class Migration {
  readonly #run: Run;
  readonly #mode: MigrationMode;

  constructor(run: Run, mode: MigrationMode) {
    this.#run = run;
    this.#mode = mode;
  }

  *migrate(items: readonly MigratingFolio[]): Steps<BatchResult> {
    const isBatched = this.#run.memory.profile.batchesMigrations;
    if (!isBatched) return yield* this.#round(items, (part, pieces) => this.#alone(part, pieces));
    const ofPool = items.filter(({ folio }) => folio.isOfPool);
    const first = yield* this.#alone(ofPool, null);
    if (first.isOutOfMemory) {
      const others = items.filter(({ folio }) => !folio.isOfPool);
      return { ...first, left: [...first.left, ...others] };
    }
    let sum = first;
    const batches = batchesOf(items.filter(({ folio }) => !folio.isOfPool));
    for (const [index, batch] of batches.entries()) {
      const round = yield* this.#round(batch, (part, pieces) => this.#batch(part, pieces));
      sum = added(sum, round);
      if (sum.isOutOfMemory) return withLeft(sum, batches.slice(index + 1).flat());
    }
    return sum;
  }

  /** Pieces of huge pages have one more go, which counts for nothing: their whole has failed. */
  *#round(
    items: readonly MigratingFolio[],
    migrate: (
      items: readonly MigratingFolio[],
      pieces: MigratingFolio[] | null,
    ) => Steps<BatchResult>,
  ): Steps<BatchResult> {
    const pieces: MigratingFolio[] = [];
    const result = yield* migrate(items, pieces);
    if (result.isOutOfMemory) return { ...result, left: [...result.left, ...pieces] };
    if (pieces.length === 0) return result;
    const { memory } = this.#run;
    const last = memory.profile.batchesMigrations
      ? yield* migrateBatch(this.#run, pieces, { mode: 'async', passes: 1, pieces: null })
      : yield* this.#alone(pieces, null);
    const isOutOfMemory = !memory.profile.batchesMigrations && last.isOutOfMemory;
    const failedPages = result.failedPages + last.failedPages;
    return { ...result, failedPages, isOutOfMemory, left: [...result.left, ...last.left] };
  }

  *#alone(items: readonly MigratingFolio[], pieces: MigratingFolio[] | null): Steps<BatchResult> {
    return yield* migrateOneByOne(this.#run, items, { mode: this.#mode, pieces });
  }

  /** All together without waiting, then the rest one at a time. Source: migrate_pages_sync(). */
  *#batch(items: readonly MigratingFolio[], pieces: MigratingFolio[] | null): Steps<BatchResult> {
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
      sum = added(sum, yield* migrateBatch(run, [item], patient));
      if (sum.isOutOfMemory) return withLeft(sum, first.left.slice(index + 1));
    }
    return sum;
  }
}

function added(sum: BatchResult, more: BatchResult): BatchResult {
  return {
    failedCount: sum.failedCount + more.failedCount,
    failedPages: sum.failedPages + more.failedPages,
    splitCount: sum.splitCount + more.splitCount,
    isOutOfMemory: more.isOutOfMemory,
    left: [...sum.left, ...more.left],
  };
}

function withLeft(sum: BatchResult, left: readonly MigratingFolio[]): BatchResult {
  return { ...sum, left: [...sum.left, ...left] };
}

/** As many base pages as a huge page has, or one that goes beyond. Source:
 *  NR_MAX_BATCHED_MIGRATION. */
function batchesOf(items: readonly MigratingFolio[]): MigratingFolio[][] {
  const batches: MigratingFolio[][] = [];
  let pages = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const { tablePages } = item.memory;
    if (pages >= tablePages) {
      batches.push([]);
      pages = 0;
    }
    batches.at(-1)?.push(item);
    pages += item.folio.pageCount;
  }
  return batches;
}
