/**
 * Writes through JavaScript, which no page fault announces: before each call into the simulator the
 * caller's pages that are not present, but whose bytes are no longer all zero, are write-faulted.
 * Mappings whose pages are all present are left out until one of them goes.
 *
 * Deviation: only what changed zeros is seen, in ascending order of addresses, and as if the
 * calling thread had done it just now (docs/simulator.md, "Differences").
 */

import { touchPages } from './memory/fault.ts';
import { isZeroPage, NONE } from './memory/page-entry.ts';
import type { FaultOutcome } from './memory/toucher.ts';
import { hasOwnBytes, type ProcessMappings } from './process-mappings.ts';
import type { Thread } from './tasks/thread.ts';
import type { LiveSpan } from './viewed-buffers.ts';

/** Bytes that are compared at once: native code compares faster than any loop in JavaScript. */
const CHUNK_BYTES = 2 ** 20;
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** Faults in what was written since the last call. */
export function settleWrites(thread: Thread, mappings: ProcessMappings): FaultOutcome {
  mappings.dropCollected(thread.mm);
  const unsettled = mappings.unsettled();
  if (unsettled.length > 0) {
    thread.mm.pages.whenEmptied ??= (start, end) => mappings.unsettle(start, end);
  }
  for (const mapped of unsettled) {
    const absent = absentRuns(thread, mapped);
    if (absent.length === 0) mappings.settled(mapped);
    const outcome = settleMapping(thread, mapped, absent);
    if (outcome !== 'done') return outcome;
  }
  return 'done';
}

/** Pages, counted from the mapping's first. */
type Run = readonly [start: number, stop: number];

function absentRuns({ mm }: Thread, { start, end }: LiveSpan): Run[] {
  const absent: Run[] = [];
  mm.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (entry === NONE || isZeroPage(entry)) absent.push([page - start, page - start + pageCount]);
  });
  return absent;
}

function settleMapping(thread: Thread, mapped: LiveSpan, absent: readonly Run[]): FaultOutcome {
  // What is written to bytes that a script has taken along is not seen.
  if (!hasOwnBytes(mapped)) return 'done';
  const { start: first, bytes, leadBytes, original } = mapped;
  const { pageSizeBytes } = thread.mm.memory;
  const pages = { bytes, leadBytes, pageSizeBytes, original };
  for (const [start, stop] of absent) {
    for (const [from, to] of writtenRuns(pages, start, stop)) {
      const outcome = touchPages(thread, first + from, first + to, 'write');
      if (outcome !== 'done') return outcome;
    }
  }
  return 'done';
}

/** Bytes cut into pages: the first of them is so many bytes behind the start of its page. */
interface PagedBytes {
  readonly bytes: ArrayBufferLike;
  readonly leadBytes: number;
  readonly pageSizeBytes: number;
  readonly original: Uint8Array | undefined;
}

/** Runs of pages between two that hold a byte other than zero, ascending. */
function* writtenRuns(pages: PagedBytes, start: number, stop: number): Generator<Run> {
  const { pageSizeBytes } = pages;
  const chunkPages = Math.max(1, CHUNK_BYTES / pageSizeBytes);
  let runStart = -1;
  for (let chunk = start; chunk < stop; chunk += chunkPages) {
    const chunkEnd = Math.min(stop, chunk + chunkPages);
    const isWritten = pageReader(pages, chunk, chunkEnd);
    for (let page = chunk; page < chunkEnd; page += 1) {
      if (isWritten?.(page) === true) {
        if (runStart < 0) runStart = page;
      } else if (runStart >= 0) {
        yield [runStart, page];
        runStart = -1;
      }
      // Nothing was written there: the rest of the chunk needs no look.
      if (isWritten === undefined) break;
    }
  }
  if (runStart >= 0) yield [runStart, stop];
}

/** Tells which pages of a chunk were written; undefined where none was. */
function pageReader(
  { bytes, leadBytes, pageSizeBytes, original }: PagedBytes,
  start: number,
  end: number,
): ((page: number) => boolean) | undefined {
  const offsetOf = (page: number): number =>
    Math.min(Math.max(0, page * pageSizeBytes - leadBytes), bytes.byteLength);
  const offset = offsetOf(start);
  const chunk = Buffer.from(bytes, offset, offsetOf(end) - offset);
  const isZero = (from: number, to: number): boolean =>
    original === undefined
      ? chunk.compare(ZEROS, 0, to - from, from, to) === 0
      : chunk.compare(original, offset + from, offset + to, from, to) === 0;
  if (isZero(0, chunk.length)) return undefined;
  return (page) => {
    const from = offsetOf(page) - offset;
    const to = offsetOf(page + 1) - offset;
    const isQuickest = original === undefined && chunk[from] !== 0;
    return from < to && (isQuickest || !isZero(from, to));
  };
}
