/**
 * Writes through JavaScript, which no page fault announces: before each call into the simulator the
 * caller's pages that are not present, but whose bytes are no longer all zero, are write-faulted.
 * Which mappings, and which buffers of the engine, may have such pages is kept: those whose pages
 * are all present are left out until one of them goes.
 *
 * Deviation: only what changed zeros is seen, in ascending order of addresses, and as if the
 * calling thread had done it just now (docs/simulator.md, "Differences").
 */

import { lowerBound, SortedSpans, type Span } from '../core/sorted-spans.ts';
import { hasOwnBytes } from './mapped.ts';
import { type FaultOutcome, touchPages } from './memory/fault.ts';
import type { Mm } from './memory/mm.ts';
import { isZeroPage, NONE } from './memory/page-entry.ts';
import type { ProcessMappings } from './process-mappings.ts';
import type { Thread } from './tasks/thread.ts';
import type { LiveSpan } from './viewed-buffers.ts';

/** Bytes that are compared at once: native code compares faster than any loop in JavaScript. */
const CHUNK_BYTES = 2 ** 20;
/** One array is kept for a buffer of so many at most. */
const CHUNKS_MAX = 1024;
const ZEROS = new Uint8Array(CHUNK_BYTES);
const { compare } = Buffer.prototype;

/**
 * Faults in what was written since the last call: all of it, or where a mapping meets a span.
 * There may be thousands of mappings: of one where nothing was written its bytes alone are read.
 *
 * Deviation: a mapping of which nothing was seen yet can be joined with others that the kernel
 * leaves apart, where it was written outside of the span.
 */
export function settleWrites(
  thread: Thread,
  mappings: ProcessMappings,
  span: Span | undefined,
): FaultOutcome {
  mappings.dropCollected(thread.mm);
  const { live } = mappings;
  const all = live.unsettled(span);
  if (all.length > 0) {
    thread.mm.pages.whenEmptied ??= (start, end) => mappings.live.unsettle(start, end);
    thread.mm.pages.whenFilled ??= (start, end) => mappings.live.lookAgain(start, end);
  }
  for (const unsettled of all) {
    const { mapped } = unsettled;
    const absent = absentIn(thread, unsettled, span);
    if (span === undefined && absent.length === 0) live.settled(unsettled);
    if (!hasOwnBytes(mapped) || !mayBeWritten(mapped, absent, thread)) continue;
    const outcome = settleMapping(thread, mapped, absent);
    if (outcome !== 'done') return outcome;
  }
  return 'done';
}

/** The pages of a mapping that are absent; those inside a span. */
function absentIn(
  { mm }: Thread,
  unsettled: Unsettled,
  span: Span | undefined,
): readonly PageRun[] {
  const { mapped } = unsettled;
  if (span === undefined) {
    unsettled.absent ??= absentRuns(mm, mapped, mapped);
    return unsettled.absent;
  }
  const part = { start: Math.max(span.start, mapped.start), end: Math.min(span.end, mapped.end) };
  return unsettled.absent === null
    ? absentRuns(mm, mapped, part)
    : runsWithin(unsettled.absent, mapped.start, part);
}

/** Counted from the first page of a mapping; of those whose bytes somebody has. */
function absentRuns(
  { pages }: Mm,
  { start: first, end: last, looked }: LiveSpan,
  part: Span,
): PageRun[] {
  const absent: PageRun[] = [];
  for (const span of looked ?? [{ start: 0, end: last - first }]) {
    const from = Math.max(part.start, first + span.start);
    const to = Math.min(part.end, first + span.end);
    if (from >= to) continue;
    pages.forEachRun(from, to, (page, pageCount, entry) => {
      const at = page - first;
      if (entry === NONE || isZeroPage(entry)) absent.push([at, at + pageCount]);
    });
  }
  return absent;
}

function runsWithin(
  runs: readonly PageRun[],
  first: number,
  { start, end }: Span,
): readonly PageRun[] {
  const cut: PageRun[] = [];
  for (let at = lowerBound(runs, (run) => run[1] > start - first); at < runs.length; at += 1) {
    const [begin, stop] = runs[at] as PageRun;
    if (begin >= end - first) break;
    cut.push([Math.max(begin, start - first), Math.min(stop, end - first)]);
  }
  return cut;
}

function settleMapping(thread: Thread, mapped: LiveSpan, absent: readonly PageRun[]): FaultOutcome {
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

/** Kept: to make one takes longer than to compare its bytes. */
const smallArrays = new WeakMap<ArrayBufferLike, Uint8Array>();

function arrayOver(bytes: ArrayBufferLike): Uint8Array {
  const known = smallArrays.get(bytes);
  if (known !== undefined) return known;
  const array = new Uint8Array(bytes);
  smallArrays.set(bytes, array);
  return array;
}

/** Whether a byte of the pages is another than it was. */
function mayBeWritten(
  { bytes, leadBytes, original }: LiveSpan & { readonly bytes: ArrayBufferLike },
  absent: readonly PageRun[],
  { mm: { memory } }: Thread,
): boolean {
  const { pageSizeBytes } = memory;
  const isLong = absent.some(([start, stop]) => (stop - start) * pageSizeBytes > CHUNK_BYTES);
  if (original !== undefined || isLong || bytes.byteLength > CHUNKS_MAX * CHUNK_BYTES) return true;
  const array = arrayOver(bytes);
  for (const [start, stop] of absent) {
    const from = Math.max(0, start * pageSizeBytes - leadBytes);
    const to = Math.min(stop * pageSizeBytes - leadBytes, array.length);
    if (from < to && compare.call(array, ZEROS, 0, to - from, from, to) !== 0) return true;
  }
  return false;
}

/** Bytes cut into pages: the first of them is so many bytes behind the start of its page. */
interface PagedBytes {
  readonly bytes: ArrayBufferLike;
  readonly leadBytes: number;
  readonly pageSizeBytes: number;
  readonly original: Uint8Array | undefined;
}

/** Runs of pages between two that hold a byte other than zero, ascending. */
function* writtenRuns(pages: PagedBytes, start: number, stop: number): Generator<PageRun> {
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

/** Pages of a mapping: `[first, end)`, counted from its first. */
type PageRun = readonly [first: number, end: number];

/** One of which not all pages are present. */
interface Unsettled extends Span {
  readonly mapped: LiveSpan;
  /** Its pages that are absent. Null: to be looked for. */
  absent: readonly PageRun[] | null;
}

export class LiveMappings {
  readonly #all = new SortedSpans<LiveSpan>();
  readonly #unsettled = new SortedSpans<Unsettled>();
  /** At least as many as may be absent. */
  #unsettledPages = 0;

  get unsettledPages(): number {
    return this.#unsettledPages;
  }

  add(mapped: LiveSpan): void {
    if (this.#all.find(mapped.start) === mapped) return;
    this.#all.set(mapped);
    this.#unsettle(mapped);
  }

  delete({ start }: LiveSpan): void {
    this.#all.delete(start);
    this.#settled(start);
  }

  /** Those whose pages may not all be present, ascending; of all, or meeting a span. */
  unsettled(span: Span | undefined): Unsettled[] {
    if (span === undefined) return [...this.#unsettled];
    const found: Unsettled[] = [];
    for (const unsettled of this.#unsettled.from(span.start)) {
      if (unsettled.start >= span.end) break;
      found.push(unsettled);
    }
    return found;
  }

  /** All pages are present: what is written from now on needs no look. */
  settled({ start }: Unsettled): void {
    this.#settled(start);
  }

  #settled(start: number): void {
    const known = this.#unsettled.find(start);
    if (known?.start !== start) return;
    this.#unsettled.delete(start);
    this.#unsettledPages -= known.end - start;
  }

  /** Pages from `start` up to `end`, exclusive, may have gone. */
  unsettle(start: number, end: number): void {
    for (const mapped of this.#all.from(start)) {
      if (mapped.start >= end) break;
      this.#unsettle(mapped);
    }
  }

  /** Pages from `start` up to `end`, exclusive, have come. */
  lookAgain(start: number, end: number): void {
    for (const unsettled of this.#unsettled.from(start)) {
      if (unsettled.start >= end) break;
      unsettled.absent = null;
    }
  }

  #unsettle(mapped: LiveSpan): void {
    const { start, end } = mapped;
    const known = this.#unsettled.find(start);
    if (known?.mapped === mapped) {
      known.absent = null;
      return;
    }
    this.#unsettled.set({ start, end, mapped, absent: null });
    this.#unsettledPages += end - start;
  }
}
