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
import { hasOwnBytes, type Mapped, type ProcessMappings } from './process-mappings.ts';
import type { Thread } from './tasks/thread.ts';

/** Bytes that are compared at once: native code compares faster than any loop in JavaScript. */
const CHUNK_BYTES = 2 ** 20;
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** Faults in what was written since the last call. */
export function settleWrites(thread: Thread, mappings: ProcessMappings): FaultOutcome {
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

function absentRuns({ mm }: Thread, { start, end }: Mapped): Run[] {
  const absent: Run[] = [];
  mm.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (entry === NONE || isZeroPage(entry)) absent.push([page - start, page - start + pageCount]);
  });
  return absent;
}

function settleMapping(thread: Thread, mapped: Mapped, absent: readonly Run[]): FaultOutcome {
  // What is written to bytes that a script has taken along is not seen.
  if (!hasOwnBytes(mapped)) return 'done';
  const { start: first, bytes } = mapped;
  const { pageSizeBytes } = thread.mm.memory;
  for (const [start, stop] of absent) {
    for (const [from, to] of writtenRuns(bytes, start, stop, pageSizeBytes)) {
      const outcome = touchPages(thread, first + from, first + to, 'write');
      if (outcome !== 'done') return outcome;
    }
  }
  return 'done';
}

/** Runs of pages between two that hold a byte other than zero, ascending. */
function* writtenRuns(
  bytes: ArrayBuffer,
  start: number,
  stop: number,
  pageSizeBytes: number,
): Generator<Run> {
  const chunkPages = Math.max(1, CHUNK_BYTES / pageSizeBytes);
  let runStart = -1;
  for (let chunk = start; chunk < stop; chunk += chunkPages) {
    const chunkEnd = Math.min(stop, chunk + chunkPages);
    const isWritten = pageReader(bytes, chunk, chunkEnd, pageSizeBytes);
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
  bytes: ArrayBuffer,
  start: number,
  end: number,
  pageSizeBytes: number,
): ((page: number) => boolean) | undefined {
  const offset = start * pageSizeBytes;
  const length = Math.min(end * pageSizeBytes, bytes.byteLength) - offset;
  const chunk = Buffer.from(bytes, offset, length);
  const isZero = (from: number, to: number): boolean =>
    chunk.compare(ZEROS, 0, to - from, from, to) === 0;
  if (isZero(0, length)) return undefined;
  return (page) => {
    const from = (page - start) * pageSizeBytes;
    return chunk[from] !== 0 || !isZero(from, Math.min(from + pageSizeBytes, length));
  };
}
