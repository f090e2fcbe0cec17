/**
 * How many pages a step of a throttled move takes, so that no step takes longer than a budget: the
 * threads of the process wait for the pages that are on their way.
 *
 * Source: mm/migrate.c, migration_entry_wait(); NR_MAX_BATCHED_MIGRATION, the pages of one page of
 * entries, is what the kernel has on its way at a time.
 */

import { CHUNK_PAGE_COUNT } from '../residency.ts';

/** A page of page table entries maps this many pages: no huge page lies in two steps. */
const ENTRY_BYTES = 8;
/** Steps grow slowly and shrink at once. */
const GROWTH_MAX = 2;

export class PauseBudget {
  readonly #budgetMs: number;
  readonly #unitPages: number;
  #pageCount: number;
  #longestMs = 0;
  #stepCount = 0;

  /** @param budgetMs longest step that is wanted; infinite for none */
  constructor(budgetMs: number, pageSizeBytes: number) {
    this.#budgetMs = budgetMs;
    this.#unitPages = pageSizeBytes / ENTRY_BYTES;
    this.#pageCount = Number.isFinite(budgetMs) ? this.#unitPages : CHUNK_PAGE_COUNT;
  }

  /** Pages of the next step: a multiple of those that one page of entries maps. */
  get pageCount(): number {
    return this.#pageCount;
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  get stepCount(): number {
    return this.#stepCount;
  }

  /**
   * Takes note of a step.
   * @returns milliseconds to rest, so that the process has at least half of the time to itself
   */
  add(durationMs: number): number {
    this.#stepCount += 1;
    this.#longestMs = Math.max(this.#longestMs, durationMs);
    if (!Number.isFinite(this.#budgetMs)) return 0;
    const growth = Math.min(GROWTH_MAX, this.#budgetMs / Math.max(durationMs, Number.EPSILON));
    const units = Math.floor((this.#pageCount * growth) / this.#unitPages);
    const unitsMax = CHUNK_PAGE_COUNT / this.#unitPages;
    this.#pageCount = Math.max(1, Math.min(units, unitsMax)) * this.#unitPages;
    return durationMs;
  }
}
