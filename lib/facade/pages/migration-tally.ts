/**
 * Adds up the pages of a move and makes its receipt.
 */

import { assert } from '../../core/assert.ts';
import { ERRNO, errnoName } from '../../core/errno.ts';
import type { MigratedPages, MigrationReport } from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { STATUS_UNSET } from '../../core/uapi.ts';
import { type Targets, targetAt } from './attempt-pages.ts';
import { STATUS_NOT_PRESENT, STATUS_ZERO_PAGE } from './residency.ts';

/**
 * Outcome of a page whose whole call was refused with this errno: not a status of the page, whose
 * EACCES or EBUSY means something else.
 */
export function callFailed(errno: number): number {
  return CALL_FAILED - errno;
}

/** That errno; `undefined` for a status of the page itself. */
export function callErrnoOf(code: number): number | undefined {
  return code < CALL_FAILED && code !== STATUS_UNSET ? CALL_FAILED - code : undefined;
}

/** Below every status of a page, above `STATUS_UNSET`. */
const CALL_FAILED = -(2 ** 20);

/** What became of a chunk; all arrays have an entry for each page. */
export interface MovedChunk {
  /** Where each page was: a node or a negative status. */
  readonly before: Int32Array;
  readonly targets: Targets;
  /** The target node for pages that are there now, otherwise why they are not. */
  readonly outcome: Int32Array;
  /** Where the pages are now that did not reach the target. */
  readonly located: Int32Array;
}

/** Nothing has been counted. */
export const NO_PAGES: MigratedPages = {
  total: 0,
  moved: 0,
  alreadyThere: 0,
  notPresent: 0,
  zeroPage: 0,
  shared: 0,
  busy: 0,
  noMemory: 0,
  notAttempted: 0,
  failed: 0,
};

/** The counted part of every report of a move. */
export type MigrationTotals = Pick<
  MigrationReport,
  'pages' | 'failedBy' | 'before' | 'after' | 'complete' | 'outcome' | 'syscalls'
>;

/** @internal The one meaning of the word, whatever was moved. */
export function outcomeOf(pages: MigratedPages): Pick<MigrationReport, 'complete' | 'outcome'> {
  const { shared, busy, noMemory, notAttempted, failed } = pages;
  const isPartial = busy + noMemory + notAttempted + failed > 0;
  const outcome = isPartial ? 'partial' : shared > 0 ? 'spared' : 'complete';
  return { complete: outcome === 'complete', outcome };
}

/** Adds up pages chunk by chunk; `finish` makes the report. */
export class MigrationTally {
  readonly #pages: { -readonly [Name in keyof MigratedPages]: number } = { ...NO_PAGES };
  readonly #failedBy: Record<string, number> = {};
  readonly #before: Record<NodeId, number> = {};
  readonly #after: Record<NodeId, number> = {};
  readonly #syscalls: Record<string, number> = {};
  readonly #outcomes: Int32Array | undefined;

  /** @param outcomes gets that of each page, in the order in which they are added */
  constructor(outcomes?: Int32Array) {
    this.#outcomes = outcomes;
  }

  get moved(): number {
    return this.#pages.moved;
  }

  get busy(): number {
    return this.#pages.busy;
  }

  get pagesDone(): number {
    return this.#pages.total;
  }

  countSyscall(name: string, count: number = 1): void {
    this.#syscalls[name] = (this.#syscalls[name] ?? 0) + count;
  }

  /** Adds a chunk. */
  add({ before, targets, outcome, located }: MovedChunk): void {
    this.#outcomes?.set(outcome.map(absentAs(before)), this.#pages.total);
    for (let index = 0; index < before.length; index += 1) {
      const was = before[index] as number;
      const code = outcome[index] as number;
      this.#pages.total += 1;
      if (was >= 0) increment(this.#before, was);
      if (code === targetAt(targets, index)) {
        increment(this.#after, code);
        this.#pages[was === code ? 'alreadyThere' : 'moved'] += 1;
      } else {
        const now = located[index] as number;
        if (now >= 0) increment(this.#after, now);
        this.#addLeftBehind(was, code);
      }
    }
  }

  /** Pages that all were on one node, and now are on the target. */
  addMoved(pageCount: number, from: NodeId, target: NodeId): void {
    this.#note(target, pageCount);
    this.#pages.total += pageCount;
    this.#pages[from === target ? 'alreadyThere' : 'moved'] += pageCount;
    this.#before[from] = (this.#before[from] ?? 0) + pageCount;
    this.#after[target] = (this.#after[target] ?? 0) + pageCount;
  }

  /** Pages that are known to be absent without a look at each. */
  addAbsent(pageCount: number): void {
    this.#note(STATUS_NOT_PRESENT, pageCount);
    this.#pages.total += pageCount;
    this.#pages.notPresent += pageCount;
  }

  /** Pages that were not looked at: the move had ended, or locating them failed. */
  addUnknown(pageCount: number): void {
    this.#note(STATUS_UNSET, pageCount);
    this.#pages.total += pageCount;
    this.#pages.notAttempted += pageCount;
  }

  /** What has been counted so far. */
  totals(): MigrationTotals {
    const { total, ...parts } = this.#pages;
    const sum = Object.values(parts).reduce((all, count) => all + count, 0);
    assert(sum === total, `a report accounts for every page (${sum} of ${total})`);
    return {
      pages: Object.freeze({ ...this.#pages }),
      failedBy: Object.freeze({ ...this.#failedBy }),
      before: Object.freeze({ ...this.#before }),
      after: Object.freeze({ ...this.#after }),
      ...outcomeOf(this.#pages),
      syscalls: Object.freeze({ ...this.#syscalls }),
    };
  }

  #note(code: number, pageCount: number): void {
    this.#outcomes?.fill(code, this.#pages.total, this.#pages.total + pageCount);
  }

  #addLeftBehind(was: number, code: number): void {
    if (isAbsent(code)) {
      this.#pages[was === STATUS_ZERO_PAGE ? 'zeroPage' : 'notPresent'] += 1;
    } else if (code === -ERRNO.EACCES) {
      this.#pages.shared += 1;
    } else if (code === -ERRNO.EBUSY) {
      this.#pages.busy += 1;
    } else if (code === -ERRNO.ENOMEM) {
      this.#pages.noMemory += 1;
    } else if (code === STATUS_UNSET) {
      this.#pages.notAttempted += 1;
    } else {
      this.#pages.failed += 1;
      increment(this.#failedBy, errnoName(callErrnoOf(code) ?? -code));
    }
  }
}

/** The move cannot tell a zero page from an untouched one on every kernel; the query could. */
function absentAs(before: Int32Array): (code: number, index: number) => number {
  return (code, index) => {
    if (!isAbsent(code)) return code;
    return before[index] === STATUS_ZERO_PAGE ? STATUS_ZERO_PAGE : STATUS_NOT_PRESENT;
  };
}

function isAbsent(code: number): boolean {
  return code === STATUS_NOT_PRESENT || code === STATUS_ZERO_PAGE;
}

function increment<K extends string | number>(counts: Record<K, number>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
