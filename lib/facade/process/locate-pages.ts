/**
 * Where the pages of a process's range are, page by page or by runs.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import { outOfRange } from '../../core/argument-errors.ts';
import { checkAddress, checkInteger, checkOptions } from '../../core/check-arguments.ts';
import { withJson } from '../../core/json.ts';
import { partsOf, Turns } from '../pages/present-parts.ts';
import {
  chunksOf,
  locate,
  type PagesOfProcess,
  type PlacedRun,
  STATUS_NOT_PRESENT,
} from '../pages/residency.ts';
import type { ProcessFiles } from './process-files.ts';

/** Pages whose places one call of `locate` gives: 64 GiB of small ones, an array of 64 MiB. */
const LOCATED_PAGES_MAX = 2 ** 24;

const ADDRESSES_END = 2n ** 64n;

/** The range that a caller asks for. @throws TypeError, RangeError naming the member */
export function rangeOf({ backend, pid }: ProcessFiles, span: PageSpan): PagesOfProcess {
  const { address, pageCount } = checkOptions(span, 'span', ['address', 'pageCount']);
  const start = checkAddress(address, 'span.address');
  const count = checkInteger(pageCount, 'span.pageCount', 1);
  const end = start + BigInt(count) * BigInt(backend.pageSizeBytes);
  const rule = 'the range must lie within 64 bits of addresses';
  if (end > ADDRESSES_END) throw outOfRange('span.pageCount', rule, pageCount);
  return { backend, pid: pid === backend.pid ? 0 : pid, address: start, pageCount: count };
}

/** Places of pages that nobody has looked at. @throws RangeError for too many pages */
export function newPlaces({ pageCount }: PagesOfProcess): Int32Array {
  if (pageCount > LOCATED_PAGES_MAX) {
    const rule = `it must be at most ${LOCATED_PAGES_MAX}; locateRuns() takes any`;
    throw outOfRange('span.pageCount', rule, pageCount);
  }
  return new Int32Array(pageCount).fill(STATUS_NOT_PRESENT);
}

/**
 * Asks for the pages of a range that may be there; the others are not present.
 * @param take gets the place in the range of the first page, and the places of some
 * @returns the first call that failed
 */
export async function locateParts(
  range: PagesOfProcess,
  signal: AbortSignal | undefined,
  take: (index: number, places: Int32Array) => void,
): Promise<SyscallFailure | undefined> {
  const size = BigInt(range.backend.pageSizeBytes);
  const turns = new Turns();
  for (const part of partsOf(range)) {
    if (turns.areDue) await turns.take();
    signal?.throwIfAborted();
    if (part.isAbsent) continue;
    for (const span of chunksOf(part, range.backend)) {
      signal?.throwIfAborted();
      const places = new Int32Array(span.pageCount);
      const result = await locate(range, span, places);
      if (!result.ok) return result;
      take(Number((span.address - range.address) / size), places);
    }
  }
  signal?.throwIfAborted();
  return undefined;
}

/** Collects runs, whatever the order of the parts that they are in. */
export class PlacedRuns {
  readonly #range: PagesOfProcess;
  readonly #runs: { index: number; pageCount: number; place: number }[] = [];

  constructor(range: PagesOfProcess) {
    this.#range = range;
  }

  add(index: number, places: Int32Array): void {
    for (let at = 0; at < places.length; ) {
      const place = places[at] as number;
      let end = at + 1;
      while (end < places.length && places[end] === place) end += 1;
      if (place !== STATUS_NOT_PRESENT) {
        this.#runs.push({ index: index + at, pageCount: end - at, place });
      }
      at = end;
    }
  }

  /** Ascending; those of two parts that meet are one. */
  finish(): PlacedRun[] {
    const { address: start, backend } = this.#range;
    const joined: { index: number; pageCount: number; place: number }[] = [];
    for (const run of this.#runs.sort((a, b) => a.index - b.index)) {
      const last = joined.at(-1);
      if (last?.place === run.place && last.index + last.pageCount === run.index) {
        last.pageCount += run.pageCount;
      } else joined.push(run);
    }
    return joined.map(({ index, pageCount, place }) => {
      const address = start + BigInt(index) * BigInt(backend.pageSizeBytes);
      return withJson({ address, pageCount, place });
    });
  }
}
