/**
 * Counts the work of one call, which may stop in between while others go on. All calls of one kind
 * add to one sum.
 */

import type { MigrationKind } from '../interface/costs.ts';
import type { CostModel } from './cost-model.ts';
import { MigrationCounts } from './migration-work.ts';

/** The work of all calls of one kind. */
export class KindOfWork {
  readonly kind: MigrationKind;
  readonly #model: CostModel;
  #tally = new MigrationCounts();
  #copyNs = 0;

  constructor(kind: MigrationKind, model: CostModel) {
    this.kind = kind;
    this.#model = model;
  }

  get tally(): MigrationCounts {
    return this.#tally;
  }

  get totalNs(): number {
    return this.#model.bookkeepingNs(this.kind, this.#tally) + this.#copyNs;
  }

  /** At the speed that the link has now. */
  copy(from: number, to: number, bytes: number): void {
    this.#tally.copied.add(from, to, bytes);
    this.#copyNs += this.#model.copyNs(from, to, bytes);
  }

  reset(): void {
    this.#tally = new MigrationCounts();
    this.#copyNs = 0;
  }
}

/** Folios of one size. */
export interface CountedFolios {
  readonly folioCount: number;
  /** Base pages of all of them. */
  readonly pageCount: number;
  /** Page-table entries that map them, in all address spaces. */
  readonly entryCount: number;
}

/** How the machine's kernel does its work. */
export interface AccountRules {
  /** Pages are unmapped many at a time and flushed at once; else each entry by itself. */
  readonly batchesMigrations: boolean;
  readonly pageSizeBytes: number;
  /** Base pages of a huge page. */
  readonly tablePages: number;
}

export class CostAccount {
  readonly #work: KindOfWork;
  readonly #rules: AccountRules;
  /** CPUs beside the caller's that run threads of the process: whom a flush interrupts. */
  readonly #otherCpuCount: number;
  /** Pages unmapped since the last flush. */
  #unflushedPages = 0;

  constructor(work: KindOfWork, rules: AccountRules, otherCpuCount: number) {
    this.#work = work;
    this.#rules = rules;
    this.#otherCpuCount = otherCpuCount;
  }

  /** The fixed part of a call that moves or queries. */
  countCall(): void {
    this.#work.tally.calls += 1;
  }

  countLookups(count: number): void {
    this.#work.tally.addresses += count;
  }

  countWalk(entryCount: number): void {
    this.#work.tally.walkedEntries += entryCount;
  }

  /** Folios that have moved from one node to another. */
  countMoved(from: number, to: number, folios: CountedFolios): void {
    this.countUnmapped(folios);
    this.countCopied(from, to, folios.pageCount);
  }

  /** Of folios whose unmapping has been counted. */
  countCopied(from: number, to: number, pageCount: number): void {
    this.#work.copy(from, to, pageCount * this.#rules.pageSizeBytes);
  }

  /** Folios that were unmapped for a move, and mapped again where they were. */
  countUnmapped({ folioCount, pageCount, entryCount }: CountedFolios): void {
    const { tally } = this.#work;
    tally.folios += folioCount;
    tally.entries += entryCount;
    if (this.#rules.batchesMigrations) this.#fillBatches(folioCount, pageCount / folioCount);
    else this.#countFlushes(entryCount);
  }

  /** A list of pages has been dealt with: what is still unflushed gets its flush. */
  endList(): void {
    if (this.#unflushedPages > 0) this.#countFlushes(1);
    this.#unflushedPages = 0;
  }

  /**
   * A batch is full with the folio that brings it to a huge page's size.
   * Source: mm/migrate.c, NR_MAX_BATCHED_MIGRATION.
   */
  #fillBatches(folioCount: number, folioPages: number): void {
    const { tablePages } = this.#rules;
    for (let left = folioCount; left > 0; ) {
      const wanted = Math.ceil((tablePages - this.#unflushedPages) / folioPages);
      const taken = Math.min(left, wanted);
      this.#unflushedPages += taken * folioPages;
      if (taken === wanted) this.endList();
      left -= taken;
    }
  }

  #countFlushes(count: number): void {
    const { tally } = this.#work;
    tally.flushes += count;
    if (this.#otherCpuCount === 0) return;
    tally.shootdowns += count;
    tally.interrupts += count * this.#otherCpuCount;
  }
}
