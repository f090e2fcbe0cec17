/**
 * Counts where the pages of a range are, by nodes.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { NODE_ID_MAX } from '../../core/uapi.ts';
import type { Ending } from './attempt-pages.ts';
import { partsOf, Turns } from './present-parts.ts';
import {
  chunksOf,
  isUniform,
  locate,
  locateSync,
  type PagesOfProcess,
  type Residency,
  STATUS_NOT_PRESENT,
  STATUS_ZERO_PAGE,
} from './residency.ts';

/**
 * Counts the placement of a range, and notes that of each page in `places`; resolves with the
 * failure of the first call that failed.
 */
export async function countResidency(
  range: PagesOfProcess,
  signal: Ending | undefined,
  places?: Int32Array,
): Promise<SyscallResult<Residency>> {
  const tally = new ResidencyTally();
  let pagesDone = 0;
  places?.fill(STATUS_NOT_PRESENT);
  const turns = new Turns();
  for (const part of partsOf(range)) {
    if (turns.areDue) await turns.take();
    signal?.throwIfAborted();
    if (part.isAbsent) {
      tally.addAbsent(part.pageCount);
      pagesDone += part.pageCount;
      continue;
    }
    for (const span of chunksOf(part, range.backend)) {
      signal?.throwIfAborted();
      const status = new Int32Array(span.pageCount);
      const result = await locate(range, span, status);
      if (!result.ok) return result;
      tally.add(status);
      places?.set(status, pagesDone);
      pagesDone += span.pageCount;
    }
  }
  signal?.throwIfAborted();
  return { ok: true, value: finish(tally, range) };
}

/** The same, blocking the calling thread. */
export function countResidencySync(range: PagesOfProcess): SyscallResult<Residency> {
  const tally = new ResidencyTally();
  for (const part of partsOf(range)) {
    if (part.isAbsent) tally.addAbsent(part.pageCount);
    else {
      for (const span of chunksOf(part, range.backend)) {
        const status = new Int32Array(span.pageCount);
        const result = locateSync(range, span, status);
        if (!result.ok) return result;
        tally.add(status);
      }
    }
  }
  return { ok: true, value: finish(tally, range) };
}

function finish(tally: ResidencyTally, { backend, pageCount }: PagesOfProcess): Residency {
  const { pageSizeBytes } = backend;
  return tally.finish({ pageCount, pageSizeBytes, method: 'move_pages' });
}

/** Adds pages up by where they are. */
export class ResidencyTally {
  readonly #byNode: Record<NodeId, number> = {};
  #present = 0;
  #notPresent = 0;
  #zeroPage = 0;

  addAbsent(pageCount: number): void {
    this.#notPresent += pageCount;
  }

  add(status: Int32Array): void {
    if (isUniform(status)) {
      this.addPages(status[0] as number, status.length);
      return;
    }
    // Into an array first: on mixed pages that halves what counting adds (scripts/bench).
    const counts = new Int32Array(NODE_ID_MAX + 1);
    for (let index = 0; index < status.length; index += 1) {
      const place = status[index] as number;
      if (place >= 0 && place < counts.length) (counts[place] as number) += 1;
      else this.addPages(place, 1);
    }
    counts.forEach((pageCount, node) => {
      if (pageCount > 0) this.addPages(node, pageCount);
    });
  }

  /** Of pages with another place nothing is known. */
  addPages(place: number, pageCount: number): void {
    if (pageCount === 0) return;
    if (place >= 0) {
      this.#byNode[place] = (this.#byNode[place] ?? 0) + pageCount;
      this.#present += pageCount;
    } else if (place === STATUS_NOT_PRESENT) {
      this.#notPresent += pageCount;
    } else if (place === STATUS_ZERO_PAGE) {
      this.#zeroPage += pageCount;
    }
  }

  finish(facts: {
    readonly pageCount: number;
    readonly pageSizeBytes: number;
    readonly method: Residency['method'];
  }): Residency {
    const { pageCount: total, pageSizeBytes, method } = facts;
    const [present, notPresent, zeroPage] = [this.#present, this.#notPresent, this.#zeroPage];
    const failed = Math.max(0, total - present - notPresent - zeroPage);
    return Object.freeze({
      pageSizeBytes,
      pages: Object.freeze({ total, present, notPresent, zeroPage, failed }),
      byNode: Object.freeze(this.#byNode),
      method,
    });
  }
}
