/**
 * The receipt of a move: every page accounted for, in the kernel's own words where it gave any.
 */

import { assert } from '../core/assert.ts';
import { ERRNO, errnoName } from '../core/errno.ts';
import { NumaError } from '../core/errors.ts';
import type { NodeId } from '../core/node-mask.ts';
import { NOT_PRESENT, type NodePages, STATUS_UNSET, ZERO_PAGE } from './residency.ts';

/** What became of the pages; the members after `total` sum to it. Counts of base pages. */
export interface MigratedPages {
  readonly total: number;
  /** On the target node now, elsewhere before. */
  readonly moved: number;
  /** On the target node before and after. */
  readonly alreadyThere: number;
  /** Never touched or swapped out: nothing to move. */
  readonly notPresent: number;
  /** Only read so far: the shared page of zeros, which belongs to no range. */
  readonly zeroPage: number;
  /** Mapped by another process too, left in place; `includeShared` moves them. */
  readonly shared: number;
  /** Pinned, or in use by the kernel or a device: could not be moved. */
  readonly busy: number;
  /** Left behind because the target node had no free memory. */
  readonly noMemory: number;
  /** Elsewhere, and not tried because the move ended before their turn. */
  readonly notAttempted: number;
  /** Refused for another reason; `failedBy` has them by errno name. */
  readonly failed: number;
}

export interface MigrationReport {
  /** The node that was asked for. */
  readonly target: NodeId;
  readonly pageSizeBytes: number;
  readonly pages: MigratedPages;
  /** Number of `failed` pages by errno name. */
  readonly failedBy: Readonly<Record<string, number>>;
  /** Pages by node as the kernel reported them before the move. */
  readonly before: NodePages;
  /** Pages by node after it, as the kernel reported them. */
  readonly after: NodePages;
  /** Every page that is present is on the target node. */
  readonly complete: boolean;
  /** The move was ended by its AbortSignal. */
  readonly aborted: boolean;
  /** The way that the pages took. */
  readonly method: 'move_pages';
  /** Number of system calls made, by name. */
  readonly syscalls: Readonly<Record<string, number>>;
  /** Wall-clock time of the whole verb, locating included. */
  readonly durationNs: number;
  /** Kind of the backend that moved the pages. */
  readonly backend: string;
}

/** How far a move has come. */
export interface MigrationProgress {
  readonly pagesDone: number;
  readonly pagesTotal: number;
  /** Pages moved so far. */
  readonly moved: number;
}

/** Adds up pages chunk by chunk; `finish` makes the report. */
export class MigrationTally {
  readonly #target: NodeId;
  readonly #pages: { -readonly [Name in keyof MigratedPages]: number } = {
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
  readonly #failedBy: Record<string, number> = {};
  readonly #before: Record<NodeId, number> = {};
  readonly #after: Record<NodeId, number> = {};
  readonly #syscalls: Record<string, number> = {};

  constructor(target: NodeId) {
    this.#target = target;
  }

  get moved(): number {
    return this.#pages.moved;
  }

  get pagesDone(): number {
    return this.#pages.total;
  }

  countSyscall(name: string, count: number = 1): void {
    this.#syscalls[name] = (this.#syscalls[name] ?? 0) + count;
  }

  /**
   * Adds a chunk.
   * @param before where each page was: a node or a negative status
   * @param outcome the target node for pages that are there now, otherwise why they are not
   * @param located where the pages are now that did not reach the target
   */
  add(before: Int32Array, outcome: Int32Array, located: Int32Array): void {
    for (let index = 0; index < before.length; index += 1) {
      const was = before[index] as number;
      const code = outcome[index] as number;
      this.#pages.total += 1;
      if (was >= 0) increment(this.#before, was);
      if (code === this.#target) {
        increment(this.#after, code);
        this.#pages[was === code ? 'alreadyThere' : 'moved'] += 1;
      } else {
        const now = located[index] as number;
        if (now >= 0) increment(this.#after, now);
        this.#addLeftBehind(was, code);
      }
    }
  }

  /** Pages of which nothing could be learned, because even locating them failed. */
  addUnknown(pageCount: number): void {
    this.#pages.total += pageCount;
    this.#pages.notAttempted += pageCount;
  }

  finish(facts: {
    pageSizeBytes: number;
    aborted: boolean;
    durationNs: number;
    backend: string;
  }): MigrationReport {
    const { total, ...parts } = this.#pages;
    const { moved, alreadyThere, notPresent, zeroPage } = parts;
    const sum = Object.values(parts).reduce((all, count) => all + count, 0);
    assert(sum === total, `a report accounts for every page (${sum} of ${total})`);
    return Object.freeze({
      target: this.#target,
      pages: Object.freeze({ ...this.#pages }),
      failedBy: Object.freeze(this.#failedBy),
      before: Object.freeze(this.#before),
      after: Object.freeze(this.#after),
      complete: moved + alreadyThere + notPresent + zeroPage === total,
      method: 'move_pages',
      syscalls: Object.freeze(this.#syscalls),
      ...facts,
    });
  }

  #addLeftBehind(was: number, code: number): void {
    if (code === NOT_PRESENT || code === ZERO_PAGE) {
      // The move cannot tell a zero page from an untouched one on every kernel; the query could.
      this.#pages[was === ZERO_PAGE ? 'zeroPage' : 'notPresent'] += 1;
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
      increment(this.#failedBy, errnoName(-code));
    }
  }
}

/** @internal The error of a strict move that left pages elsewhere. */
export function notMet(report: MigrationReport): NumaError {
  const { pages, target, failedBy, backend } = report;
  const { shared, busy, noMemory, notAttempted } = pages;
  const counts = { shared, busy, noMemory, notAttempted, ...failedBy };
  const reasons = Object.entries(counts).filter(([, count]) => count > 0);
  const list = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  return new NumaError(
    `migrate: strict was asked, and not every page is on node ${target}: ${list}`,
    {
      code: 'NUMA_POLICY_NOT_MET',
      backend,
      args: { target, pageCount: pages.total },
      hint: 'see error.report; unpin busy pages, free memory on the node, or leave strict out',
      report,
    },
  );
}

function increment<K extends string | number>(counts: Record<K, number>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
