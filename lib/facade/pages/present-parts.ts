/**
 * Which parts of a range hold its pages: large mappings are mostly empty (the shadow of a
 * sanitizer, the reserve of a heap), and work on them follows their pages, not their addresses.
 *
 * PAGEMAP_SCAN passes over what has no page tables. Kernels before 6.7 do not have it: there
 * mincore() writes a byte for each page of this process, an eighth of a second for each terabyte,
 * and pagemap eight for each of another's, a second.
 *
 * Deviation: before 6.7 nothing tells quicker where another process has pages. numa_maps and smaps
 * count those of whole mappings, and leave pages of zeros out; move_pages, process_vm_readv and
 * ptrace look at one address after the other, the latter two with faults; process_madvise() and
 * clear_refs change what they look at.
 *
 * Source: PAGEMAP_SCAN(2const), mincore(2), proc_pid_pagemap(5), numa(7).
 */

import { setImmediate } from 'node:timers/promises';
import type { Backend, PageSpan } from '../../backend/backend.ts';
import { PAGE_IS } from '../../core/uapi.ts';
import { parseMaps } from '../../procfs/maps.ts';
import type { Ending } from './attempt-pages.ts';
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
/** Found by one call of PAGEMAP_SCAN. */
export const RUNS_AT_A_TIME = 1024;
/** Pages found by one call, which blocks. */
const PAGES_AT_A_TIME = 2 ** 18;
/** Entries read at a time. */
const ENTRIES_AT_A_TIME = 2 ** 14;
/** Pages of mincore() at a time, of 16 GiB: some milliseconds. */
const RESIDENT_AT_A_TIME = 2 ** 22;
/** Bits of an entry's high word: the page is present, swapped out. */
const PRESENT = 0x8000_0000;
const SWAPPED = 0x4000_0000;
/** Longest time on the calling thread without a turn for others. */
const TURN_MS = 10;

/** All pages of a range, each in one part, ascending. */
export function* partsOf(range: PagesOfProcess): Generator<Part> {
  if (range.pageCount < SPARSE_PAGES_MIN) {
    yield partOf(range, 0, range.pageCount, { isAbsent: false });
    return;
  }
  for (const part of largeParts(range)) {
    if (part.isAbsent && part.address === range.address) {
      // The first page is asked for in any case: the kernel then judges the call.
      yield partOf(range, 0, 1, { isAbsent: false });
      yield partOf(range, 1, part.pageCount, { isAbsent: true });
    } else yield part;
  }
}

function* largeParts(range: PagesOfProcess): Generator<Part> {
  yield* readParts(range, yield* scannedParts(range));
}

/**
 * Turns of the calling thread for others, between parts that take long to find. None comes before
 * the first part: a call that has begun holds the memory, even if others keep this thread waiting.
 */
export class Turns {
  #sinceMs: number | undefined;

  get areDue(): boolean {
    const nowMs = performance.now();
    this.#sinceMs ??= nowMs;
    return nowMs - this.#sinceMs > TURN_MS;
  }

  async take(): Promise<void> {
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}

/** Work that is made of steps, with turns for others between them. @throws the signal's reason */
export async function inTurns<T>(
  steps: Generator<unknown, T>,
  signal: Ending | undefined,
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
    const runs = found.value.runs.map((run) => runAt(range, run));
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

/** From a place on: what is mapped, piece by piece. */
function* readParts(range: PagesOfProcess, from: number): Generator<Part> {
  let at = from;
  for (const mapped of mappedRuns(range, from)) {
    if (at < mapped.start) yield partOf(range, at, mapped.start, { isAbsent: true });
    yield* readMapped(range, mapped);
    at = mapped.end;
  }
  if (at < range.pageCount) yield partOf(range, at, range.pageCount, { isAbsent: true });
}

/** All of it, where the mappings of the process are not ours to know. */
function mappedRuns(range: PagesOfProcess, from: number): Run[] {
  const { backend, pid, pageCount } = range;
  if (from >= pageCount) return [];
  const text = backend.readTextSync(`/proc/${pid === 0 ? 'self' : pid}/maps`);
  if (!text.ok) return [{ start: from, end: pageCount }];
  const runs: Run[] = [];
  for (const mapping of parseMaps(text.value)) {
    const start = Math.max(from, placeOf(range, mapping.start));
    const end = Math.min(pageCount, placeOf(range, mapping.end));
    const before = runs.at(-1);
    if (start >= end) continue;
    if (before?.end === start) runs[runs.length - 1] = { ...before, end };
    else runs.push({ start, end });
  }
  return runs;
}

/** Where pagemap is closed, too, nobody knows what is there. */
function* readMapped(range: PagesOfProcess, mapped: Run): Generator<Part> {
  const { backend, pid } = range;
  const isOwn = pid === 0 || pid === backend.pid;
  let askableFrom = isOwn ? mapped.start : Number.POSITIVE_INFINITY;
  for (let at = mapped.start; at < mapped.end; ) {
    const rest = { start: at, end: mapped.end };
    const large = pieceOf(range, rest, RESIDENT_AT_A_TIME);
    const resident = at < askableFrom ? undefined : residentRuns(range, large);
    // Unmapped since: its entries tell.
    if (isOwn && resident === undefined) askableFrom = Math.max(askableFrom, large.end);
    const piece = resident === undefined ? pieceOf(range, rest, ENTRIES_AT_A_TIME) : large;
    const runs = resident ?? readRuns(range, piece);
    if (runs === undefined) {
      yield* partsBetween(range, rest, [rest]);
      return;
    }
    yield* partsBetween(range, piece, runs);
    at = piece.end;
  }
}

/** Of files they are those that anybody has: more than are there. */
function residentRuns(range: PagesOfProcess, { start, end }: Run): Run[] | undefined {
  const result = range.backend.mincore(spanOf(range, start, end));
  return result.ok ? result.value.map((run) => runAt(range, run)) : undefined;
}

function readRuns(range: PagesOfProcess, { start, end }: Run): Run[] | undefined {
  const entries = range.backend.pagemap(spanOf(range, start, end), range.pid);
  return entries.ok ? runsOf(entries.value, start, PRESENT | SWAPPED) : undefined;
}

/** Pieces end at multiples of their size, so that no huge page lies in two. */
function pieceOf({ backend, address }: PagesOfProcess, { start, end }: Run, size: number): Run {
  const firstPage = Number(address / BigInt(backend.pageSizeBytes));
  return { start, end: Math.min(end, start + size - ((firstPage + start) % size)) };
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

function runAt(range: PagesOfProcess, { address, pageCount }: PageSpan): Run {
  const start = placeOf(range, address);
  return { start, end: start + pageCount };
}

function placeOf(range: PagesOfProcess, address: bigint): number {
  return Number((address - range.address) / BigInt(range.backend.pageSizeBytes));
}
