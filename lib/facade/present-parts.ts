/**
 * Which parts of a range hold its pages: large mappings are mostly empty (the shadow of a
 * sanitizer, the reserve of a heap), and work on them follows their pages, not their addresses.
 *
 * PAGEMAP_SCAN passes over what has no page tables. Kernels before 6.7 do not have it: there each
 * entry of pagemap is read, from both ends inwards, until as many pages as numa_maps counts have
 * been found; a terabyte takes about a second of it where they lie in the middle.
 *
 * Source: PAGEMAP_SCAN(2const), proc_pid_pagemap(5), numa(7).
 */

import { setImmediate } from 'node:timers/promises';
import type { Backend, PageSpan } from '../backend/backend.ts';
import { PAGE_IS } from '../core/uapi.ts';
import { pagesByNodeOf, parseNumaMaps } from '../procfs/numa-maps.ts';
import { isUniform, type PagesOfProcess } from './residency.ts';

/** Some of a range's pages; none, where looking for them takes long. */
export interface Part extends PageSpan {
  /** None of them is present or swapped out; else some are, or nobody knows. */
  readonly isAbsent: boolean;
}

/** Shorter ranges, of less than 1 GiB of small pages, are asked for as they are. */
const SPARSE_PAGES_MIN = 2 ** 18;
/** Absent pages in a row that cost less than another call of move_pages. */
const GAP_PAGES_MIN = 512;
const RUNS_AT_A_TIME = 1024;
/** Pages found by one call, which blocks. */
const PAGES_AT_A_TIME = 2 ** 18;
/** Entries read at a time. */
const ENTRIES_AT_A_TIME = 2 ** 14;
/** Empty pieces of pagemap between two chances for the caller to look up. */
const PIECES_AT_A_TIME = 64;
/** Bits of an entry's high word: the page is present, swapped out. */
const PRESENT = 0x8000_0000;
const SWAPPED = 0x4000_0000;
/** Longest time on the calling thread without a turn for others. */
const TURN_MS = 10;

/**
 * All pages of a range, each in one part; ascending where the kernel has PAGEMAP_SCAN.
 * @param placedPages how many pages with a place the caller has met so far
 */
export function* partsOf(range: PagesOfProcess, placedPages: () => number): Generator<Part> {
  if (range.pageCount < SPARSE_PAGES_MIN) {
    yield partOf(range, 0, range.pageCount, { isAbsent: false });
    return;
  }
  for (const part of largeParts(range, placedPages)) {
    if (part.isAbsent && part.address === range.address && part.pageCount > 0) {
      // The first page is asked for in any case: the kernel then judges the call.
      yield partOf(range, 0, 1, { isAbsent: false });
      yield partOf(range, 1, part.pageCount, { isAbsent: true });
    } else yield part;
  }
}

function* largeParts(range: PagesOfProcess, placedPages: () => number): Generator<Part> {
  const unscanned = yield* scannedParts(range);
  yield* readParts(range, unscanned, placedPages);
}

/** Turns of the calling thread for others, between parts that take long to find. */
export class Turns {
  #sinceMs: number = performance.now();

  get areDue(): boolean {
    return performance.now() - this.#sinceMs > TURN_MS;
  }

  async take(): Promise<void> {
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}

/** Work that is made of steps, with turns for others between them. @throws the signal's reason */
export async function inTurns<T>(
  steps: Generator<unknown, T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const turns = new Turns();
  for (let step = steps.next(); ; step = steps.next()) {
    if (turns.areDue) await turns.take();
    signal?.throwIfAborted();
    if (step.done) return step.value;
  }
}

/** The same, blocking the calling thread. */
export function atOnce<T>(steps: Generator<unknown, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

/**
 * Counts pages of the calling process that are mapped in, also those of zeros: one call for each
 * step. The value is `undefined` where pagemap is closed.
 */
export function* countPresentPages(
  backend: Backend,
  span: PageSpan,
): Generator<undefined, number | undefined> {
  const range = { backend, pid: 0, ...span };
  const scan = scanRuns(range, PAGE_IS.PRESENT);
  let present = 0;
  let from = 0;
  for (let next = scan.next(); ; next = scan.next()) {
    if (next.done) {
      from = next.value;
      break;
    }
    for (const { start, end } of next.value.runs) present += end - start;
    yield;
  }
  for (let start = from; start < range.pageCount; start += ENTRIES_AT_A_TIME) {
    const end = Math.min(range.pageCount, start + ENTRIES_AT_A_TIME);
    const entries = backend.pagemap(spanOf(range, start, end));
    if (!entries.ok) return undefined;
    for (const run of runsOf(entries.value, start, PRESENT)) present += run.end - run.start;
    yield;
  }
  return present;
}

/** Pages of a range, by their places in it. */
interface Run {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** What one call has found between two places. */
interface Scanned extends Run {
  readonly runs: readonly Run[];
}

/** The value is the place up to which it came: the end, or earlier where the kernel refuses. */
function* scanRuns(range: PagesOfProcess, categories: number): Generator<Scanned, number> {
  const { backend, pid, pageCount } = range;
  const limits = { categories, runsMax: RUNS_AT_A_TIME, pagesMax: PAGES_AT_A_TIME };
  let at = 0;
  while (at < pageCount) {
    const found = backend.pagemapScan({ pid, ...spanOf(range, at, pageCount), ...limits });
    if (!found.ok) break;
    const runs = found.value.runs.map((run) => {
      const start = placeOf(range, run.address);
      return { start, end: start + run.pageCount };
    });
    const end = Math.min(placeOf(range, found.value.walkEnd), pageCount);
    if (end <= at) break;
    yield { start: at, end, runs };
    at = end;
  }
  return at;
}

function* scannedParts(range: PagesOfProcess): Generator<Part, number> {
  const scan = scanRuns(range, PAGE_IS.PRESENT | PAGE_IS.SWAPPED);
  for (let next = scan.next(); ; next = scan.next()) {
    if (next.done) return next.value;
    yield* partsBetween(range, next.value, next.value.runs);
  }
}

/** From a place on. Where pagemap is closed, too, nobody knows what is there. */
function* readParts(
  range: PagesOfProcess,
  from: number,
  placedPages: () => number,
): Generator<Part> {
  const { backend, pid } = range;
  const placedTotal = from < range.pageCount ? countPlaced(range) : 0;
  const firstPage = Number(range.address / BigInt(backend.pageSizeBytes));
  const whole = { start: from, end: range.pageCount };
  // What has not been read yet, and what has not been given out yet around it.
  let [rest, owed] = [whole, whole];
  for (let count = 0; rest.start < rest.end && placedPages() < placedTotal; count += 1) {
    const isBehind = count % 2 === 1;
    const piece = isBehind ? lastPiece(rest, firstPage) : firstPiece(rest, firstPage);
    const entries = backend.pagemap(spanOf(range, piece.start, piece.end), pid);
    if (!entries.ok) {
      yield* partsBetween(range, owed, [rest]);
      return;
    }
    rest = isBehind ? { ...rest, end: piece.start } : { ...rest, start: piece.end };
    const runs = runsOf(entries.value, piece.start, PRESENT | SWAPPED);
    if (runs.length > 0) {
      const given = isBehind ? { ...owed, start: piece.start } : { ...owed, end: piece.end };
      yield* partsBetween(range, given, runs);
      owed = isBehind ? { ...owed, end: piece.start } : { ...owed, start: piece.end };
    } else if (count % PIECES_AT_A_TIME === 0) {
      yield partOf(range, owed.start, owed.start, { isAbsent: true });
    }
  }
  if (owed.start < owed.end) yield partOf(range, owed.start, owed.end, { isAbsent: true });
}

/** Pieces end at multiples of their size, so that no huge page lies in two. */
function firstPiece({ start, end }: Run, firstPage: number): Run {
  const room = ENTRIES_AT_A_TIME - ((firstPage + start) % ENTRIES_AT_A_TIME);
  return { start, end: Math.min(end, start + room) };
}

function lastPiece({ start, end }: Run, firstPage: number): Run {
  const beyond = (firstPage + end - 1) % ENTRIES_AT_A_TIME;
  return { start: Math.max(start, end - 1 - beyond), end };
}

/** Pages with a place in the mappings that the range meets, or more; infinite: nobody tells. */
function countPlaced({ backend, pid, address, pageCount }: PagesOfProcess): number {
  const text = backend.readTextSync(`/proc/${pid === 0 ? 'self' : pid}/numa_maps`);
  if (!text.ok) return Number.POSITIVE_INFINITY;
  const end = address + BigInt(pageCount) * BigInt(backend.pageSizeBytes);
  const lines = parseNumaMaps(text.value);
  let placed = 0;
  for (const [index, line] of lines.entries()) {
    // Where a mapping ends is not told: up to the next one.
    const isBefore = (lines[index + 1]?.start ?? end) <= address;
    if (isBefore || line.start >= end) continue;
    for (const count of pagesByNodeOf(line, backend.pageSizeBytes).values()) placed += count;
  }
  return placed;
}

/** Runs of pages whose entries have some of the bits in their high word. */
function runsOf(entries: BigUint64Array, offset: number, bits: number): Run[] {
  const words = new Uint32Array(entries.buffer, entries.byteOffset, entries.length * 2);
  const isThere = (index: number): boolean => ((words[index * 2 + 1] as number) & bits) !== 0;
  if (isUniform(entries)) {
    return isThere(0) ? [{ start: offset, end: offset + entries.length }] : [];
  }
  const runs: Run[] = [];
  for (let index = 0; index < entries.length; index += 1) {
    if (!isThere(index)) continue;
    const start = index;
    while (index < entries.length && isThere(index)) index += 1;
    runs.push({ start: offset + start, end: offset + index });
  }
  return runs;
}

/** Runs that are near to each other make one part with what is between them. */
function* partsBetween(range: PagesOfProcess, all: Run, runs: readonly Run[]): Generator<Part> {
  let [start, end] = [all.start, all.start];
  for (const run of runs) {
    if (run.start - end >= GAP_PAGES_MIN || (end === start && run.start > start)) {
      if (end > start) yield partOf(range, start, end, { isAbsent: false });
      yield partOf(range, end, run.start, { isAbsent: true });
      start = run.start;
    }
    end = run.end;
  }
  if (end > start) yield partOf(range, start, end, { isAbsent: false });
  if (all.end > end) yield partOf(range, end, all.end, { isAbsent: true });
}

function spanOf({ backend, address }: PagesOfProcess, start: number, end: number): PageSpan {
  const first = address + BigInt(start) * BigInt(backend.pageSizeBytes);
  return { address: first, pageCount: end - start };
}

function partOf(
  range: PagesOfProcess,
  start: number,
  end: number,
  { isAbsent }: { readonly isAbsent: boolean },
): Part {
  return { ...spanOf(range, start, end), isAbsent };
}

function placeOf(range: PagesOfProcess, address: bigint): number {
  return Number((address - range.address) / BigInt(range.backend.pageSizeBytes));
}
