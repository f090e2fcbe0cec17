/**
 * How many pages a step of a throttled move takes, so that no step takes longer than a budget: the
 * threads of the process wait for the pages that are on their way.
 *
 * Source: mm/migrate.c, migration_entry_wait(); NR_MAX_BATCHED_MIGRATION, the pages of one page of
 * entries, is what the kernel has on its way at a time.
 */

import type { PageSpan } from '../../backend/backend.ts';
import { invalidArgumentValue } from '../../core/argument-errors.ts';
import type { Part } from './present-parts.ts';
import { hugePagePages } from './residency.ts';

/** The fewest pages of a step: a call costs as much as moving some pages. */
const PAGES_MIN = 32;
/** Steps grow slowly and shrink at once. */
const GROWTH_MAX = 2;

export class PauseBudget {
  readonly #budgetMs: number;
  readonly #hugePagePages: number;
  readonly #pageCountMax: number;
  #pageCount: number;
  #longestMs = 0;
  #stepCount = 0;

  /**
   * @param budgetMs longest step that is wanted; infinite for none
   * @param pageCountMax of a step
   */
  constructor(budgetMs: number, pageSizeBytes: number, pageCountMax: number) {
    this.#budgetMs = budgetMs;
    this.#hugePagePages = hugePagePages(pageSizeBytes);
    this.#pageCountMax = pageCountMax;
    this.#pageCount = Number.isFinite(budgetMs) ? PAGES_MIN : this.#pageCountMax;
  }

  /**
   * Pages of the next step: a power of two, and where pages may be huge not less than one has, so
   * that none lies in two steps.
   */
  pageCount({ mayBeHuge }: { readonly mayBeHuge: boolean }): number {
    return Math.max(this.#pageCount, mayBeHuge ? this.#hugePagePages : 1);
  }

  /** The steps of a span in which pages may be huge; each is cut when its turn comes. */
  *cut({ address, pageCount }: PageSpan, pageSizeBytes: number): Generator<Part> {
    const firstPage = Number(address / BigInt(pageSizeBytes));
    for (let at = 0; at < pageCount; ) {
      const wanted = this.pageCount({ mayBeHuge: true });
      const end = Math.min(at + wanted - ((firstPage + at) % wanted), pageCount);
      const start = address + BigInt(at * pageSizeBytes);
      yield { address: start, pageCount: end - at, isAbsent: false };
      at = end;
    }
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  get stepCount(): number {
    return this.#stepCount;
  }

  /**
   * Takes note of a step in which so many pages were on their way.
   * @returns milliseconds to rest, so that the process has at least half of the time to itself; no
   *   thread waits for a step that had no page on its way
   */
  add(durationMs: number, pageCount: number): number {
    this.#stepCount += 1;
    this.#longestMs = Math.max(this.#longestMs, durationMs);
    if (!Number.isFinite(this.#budgetMs) || pageCount === 0) return 0;
    // A short step tells little: the end of a mapping, or of an aligned part.
    if (pageCount < this.#pageCount && durationMs <= this.#budgetMs) return durationMs;
    const growth = Math.min(GROWTH_MAX, this.#budgetMs / Math.max(durationMs, Number.EPSILON));
    const wanted = 2 ** Math.floor(Math.log2(Math.max(PAGES_MIN, pageCount * growth)));
    this.#pageCount = Math.min(wanted, this.#pageCountMax);
    return durationMs;
  }
}

/** Infinite for none. @throws TypeError ERR_INVALID_ARG_VALUE */
export function checkBudget(value: unknown): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && value > 0) return value;
  const rule = 'must be a number of milliseconds above 0';
  throw invalidArgumentValue('options.pauseBudgetMs', rule, value);
}
