/**
 * Many folios in one go: all are unmapped, then the TLB is flushed once, then all are moved, with
 * some passes over those that something was in the way of. A huge page that becomes base pages on
 * the list is split here for both ways of moving; each of these then moves by itself.
 *
 * Source: mm/migrate.c, migrate_pages_batch(), migrate_folios_move(), Linux 6.3 and later, and
 * try_split_folio().
 */

import type { MigrationMode } from '../interface/migration-event.ts';
import type { Steps } from '../memory/in-flight.ts';
import { splitFolio } from '../memory/split-folio.ts';
import {
  forget,
  type Item,
  isInVain,
  itemsOf,
  MigratingFolio,
  type MigrationRun,
  pagesOfFirst,
  pagesOfItems,
} from './migrating-folio.ts';
import { moveAtOnce } from './move-at-once.ts';
import { moveFolio } from './move-folio.ts';
import { type Isolated, PageList } from './page-list.ts';
import { backOut, unmapFolio } from './unmap-folio.ts';

export interface BatchOptions {
  readonly mode: MigrationMode;
  readonly passes: number;
  /** Takes the pieces of huge pages that were split; null: none is. */
  readonly pieces: Item[] | null;
}

export interface BatchResult {
  readonly failedCount: number;
  /** Base pages of those that had a last try. */
  readonly failedPages: number;
  /** Huge pages that became base pages. */
  readonly splitCount: number;
  readonly isOutOfMemory: boolean;
  /** Those that are still on the call's list. */
  readonly left: Item[];
}

export function* migrateBatch(
  run: MigrationRun,
  items: readonly Item[],
  options: BatchOptions,
): Steps<BatchResult> {
  const batch = new Batch(run, options);
  yield* batch.unmap(items);
  yield* batch.move();
  return batch.result();
}

class Batch {
  readonly #run: MigrationRun;
  readonly #options: BatchOptions;
  readonly #unmapped: MigratingFolio[] = [];
  /** Those with a try left, and those without. */
  readonly #open: Item[] = [];
  readonly #dropped: Item[] = [];
  #failedCount = 0;
  #failedPages = 0;
  #splitCount = 0;
  #isOutOfMemory = false;

  constructor(run: MigrationRun, options: BatchOptions) {
    this.#run = run;
    this.#options = options;
  }

  result(): BatchResult {
    return {
      failedCount: this.#failedCount,
      failedPages: this.#failedPages,
      splitCount: this.#splitCount,
      isOutOfMemory: this.#isOutOfMemory,
      left: [...this.#open, ...this.#dropped],
    };
  }

  *unmap(items: readonly Item[]): Steps<void> {
    const { mode, passes } = this.#options;
    const { memory, target } = this.#run;
    let open = [...items];
    for (let pass = 0; pass < passes && open.length > 0; pass += 1) {
      yield { step: 'pass', mode, pass, note: `to unmap: ${open.length}` };
      const again: Item[] = [];
      for (const [index, item] of open.entries()) {
        const rest = item instanceof MigratingFolio ? item : moveAtOnce(memory, item, target);
        if (rest === 'moved') continue;
        if (rest === 'stays') again.push(item);
        else if (!(rest instanceof MigratingFolio)) this.#dropWithoutMemory(rest);
        else if (yield* this.#unmapOne(rest, pass)) again.push(rest);
        if (!this.#isOutOfMemory) continue;
        this.#failedPages += pagesOfItems(again);
        this.#open.push(...again, ...open.slice(index + 1));
        return;
      }
      const isLast = isInVain(this.#run, open, again);
      open = again;
      if (isLast) break;
    }
    this.#failedCount += open.length;
    this.#failedPages += pagesOfItems(open);
    this.#open.push(...open);
  }

  #dropWithoutMemory(rest: Isolated): void {
    this.#isOutOfMemory = true;
    this.#failedPages += pagesOfFirst(rest);
    this.#dropped.push(rest);
  }

  /** True: the next pass is to try again. */
  *#unmapOne(item: MigratingFolio, pass: number): Steps<boolean> {
    const { mode, pieces } = this.#options;
    const { keepsHuge } = this.#run;
    if (pieces !== null && isSplitFirst(item)) {
      yield* this.#split(item, pieces);
      return false;
    }
    const outcome = yield* unmapFolio(this.#run, item, { mode, pass });
    if (outcome === 'again') return true;
    if (outcome === 'unmapped') this.#unmapped.push(item);
    if (outcome === 'freed' || outcome === 'unmapped') return false;
    this.#failedCount += 1;
    if (outcome === 'no-memory' && pieces !== null && !keepsHuge && canSplit(item)) {
      yield* this.#split(item, pieces);
      return false;
    }
    this.#isOutOfMemory = outcome === 'no-memory';
    this.#failedPages += item.folio.pageCount;
    this.#dropped.push(item);
    return false;
  }

  *#split(item: MigratingFolio, pieces: Item[]): Steps<void> {
    this.#splitCount += 1;
    pieces.push(...(yield* splitItem(this.#run, item)));
  }

  *move(): Steps<void> {
    if (this.#unmapped.length === 0) return;
    const { mode, passes } = this.#options;
    yield { step: 'flush-tlb', mode, note: `once for all: ${this.#unmapped.length}` };
    let open = this.#unmapped;
    for (let pass = 0; pass < passes && open.length > 0; pass += 1) {
      yield { step: 'pass', mode, pass, note: `to move: ${open.length}` };
      const again: MigratingFolio[] = [];
      for (const item of open) {
        const outcome = yield* moveFolio(this.#run, item, { mode, pass });
        if (outcome === 'again') again.push(item);
        if (outcome === 'failed') yield* this.#giveUp(item, 'EBUSY', pass);
      }
      const isLast = isInVain(this.#run, open, again);
      open = again;
      if (isLast) break;
    }
    for (const item of open) yield* this.#giveUp(item, 'EAGAIN: no pass is left', passes - 1);
  }

  *#giveUp(item: MigratingFolio, why: string, pass: number): Steps<void> {
    this.#failedCount += 1;
    this.#failedPages += item.folio.pageCount;
    this.#dropped.push(item);
    yield* backOut(this.#run, item, { mode: this.#options.mode, pass }, why);
  }
}

/** Nobody holds it, and nobody else has it locked. */
export function canSplit({ folio, isTransparentHuge }: MigratingFolio): boolean {
  return isTransparentHuge && !folio.isHeld && folio.lockedBy === null && folio.busyTries === 0;
}

/** Some of its pages are unmapped: newer kernels do not carry them along. */
function isSplitFirst(item: MigratingFolio): boolean {
  const { splitsPartlyMapped } = item.memory.facts;
  return item.folio.isPartlyMapped && splitsPartlyMapped && canSplit(item);
}

export function* splitItem(run: MigrationRun, item: MigratingFolio): Steps<Item[]> {
  const { memory, target } = run;
  const report = item.report('split', { note: `into ${item.folio.pageCount} base pages` });
  forget(run, item);
  item.folio.isIsolated = false;
  const keepsZeros = !memory.facts.splittingDropsZeros;
  const list = new PageList(memory.inFlight);
  for (const { mm, page } of splitFolio(memory, item.folioId, { keepsZeros })) {
    list.isolate(mm, page, 1);
  }
  yield report;
  return itemsOf(list, target);
}
