/**
 * Where the pages of a range are now, asked of the kernel without changing the answer: no page is
 * touched or faulted in.
 *
 * Source: move_pages(2) with nodes NULL; mm/migrate.c, do_pages_stat_array(). Kernels before 6.12
 * answer EFAULT alike for untouched and for zero pages; the present bit of proc_pid_pagemap(5)
 * tells them apart.
 */

import { setTimeout } from 'node:timers/promises';
import type { Backend, MovePagesRequest, PageSpan } from '../../backend/backend.ts';
import type { Mapping } from '../../backend/mapping.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { NodePages } from '../../core/migration-report.ts';
import { PAGE_TABLE_ENTRY_BYTES, PM_PRESENT, PM_SWAP, STATUS_UNSET } from '../../core/uapi.ts';
import type { HugePagesFound } from './huge-pages.ts';

/** Placement of a range, counted in base pages. */
export interface Residency {
  readonly pageSizeBytes: number;
  /** `present + notPresent + zeroPage + failed` is `total`. */
  readonly pages: {
    readonly total: number;
    /** In the memory of a node; the sum of `byNode`. */
    readonly present: number;
    /** Never touched, or swapped out. */
    readonly notPresent: number;
    /** Only read so far: the kernel's shared page of zeros, which belongs to no range. */
    readonly zeroPage: number;
    /** Pages whose place the kernel did not tell. */
    readonly failed: number;
  };
  readonly byNode: NodePages;
  /** How it was told. `numa_maps`: of files of /proc, because move_pages is refused; they count
   *  whole mappings, and what they leave open is `failed`. */
  readonly method: 'move_pages' | 'numa_maps';
  /** How much of it is in huge pages: where it was asked for; `null` where /proc is closed. */
  readonly hugePages?: HugePagesFound | null;
}

/** Pages of a process in a row that are in one place. */
export interface PlacedRun extends PageSpan {
  /** A node, or a negative errno: -EFAULT (-14) for the shared page of zeros. */
  readonly place: number;
}

/** Status of a page that has no place, after `normalizeAbsent`. */
export const STATUS_NOT_PRESENT: number = -ERRNO.ENOENT;
export const STATUS_ZERO_PAGE: number = -ERRNO.EFAULT;

/**
 * Pages located between two looks at the AbortSignal. A call has a fixed cost of tens of
 * microseconds, so chunks of thousands of pages cost nothing measurable (scripts/bench).
 */
const CHUNK_PAGE_COUNT = 8192;

/** Pages of one huge page: those that one page of page table entries maps. */
export function hugePagePages(pageSizeBytes: number): number {
  return pageSizeBytes / PAGE_TABLE_ENTRY_BYTES;
}

/** Looks in a row that settle no page: the rest is swapped out. Others are under way at the moment,
 *  and whoever moves them may have lost its CPU for a while. */
const VAIN_LOOKS_MAX = 3;
const VAIN_LOOK_PAUSE_MS = 1;

/** The pages that a verb works on, and whose they are. */
export interface PagesOfProcess {
  readonly backend: Backend;
  /** 0: the calling process. */
  readonly pid: number;
  /** Kept mapped while calls run; memory that node-numa did not map has none. */
  readonly mapping?: Mapping;
  readonly address: bigint;
  readonly pageCount: number;
}

/** Whose pages a call of move_pages is about. */
export function ownerOf({
  pid,
  mapping,
}: PagesOfProcess): Pick<MovePagesRequest, 'pid' | 'mapping'> {
  return mapping === undefined ? { pid } : { pid, mapping };
}

/**
 * Cuts a range into chunks that end at multiples of their size, so that no huge page lies in two:
 * what moves with one chunk must not look as if it had been there before the next.
 */
export function* chunksOf(
  { address, pageCount: total }: PageSpan,
  { pageSizeBytes }: Pick<Backend, 'pageSizeBytes'>,
  chunkPageCount: number = CHUNK_PAGE_COUNT,
): Generator<PageSpan> {
  const firstPage = Number(address / BigInt(pageSizeBytes));
  let pageCount = chunkPageCount - (firstPage % chunkPageCount);
  for (let index = 0; index < total; index += pageCount) {
    if (index > 0) pageCount = chunkPageCount;
    pageCount = Math.min(pageCount, total - index);
    yield { address: address + BigInt(index) * BigInt(pageSizeBytes), pageCount };
  }
}

/** Whether one chunk is all of it. */
export function isOneChunk(span: PageSpan, backend: Pick<Backend, 'pageSizeBytes'>): boolean {
  const [first] = chunksOf(span, backend);
  return first?.pageCount === span.pageCount;
}

/**
 * Asks for each page of a span: node, `STATUS_NOT_PRESENT`, `STATUS_ZERO_PAGE` or another negative
 * errno. The value is the number of calls made.
 */
export async function locate(
  range: PagesOfProcess,
  span: PageSpan,
  status: Int32Array,
): Promise<SyscallResult<number>> {
  const { backend } = range;
  status.fill(STATUS_UNSET);
  const query = { ...ownerOf(range), pages: span, nodes: null, flags: 0, status };
  const result = await backend.movePages(query);
  if (!result.ok) return result;
  let callCount = 1;
  let unsettled = normalizeAbsent(range, span, status);
  for (let vain = 0; unsettled.length > 0 && vain < VAIN_LOOKS_MAX; callCount += 1) {
    if (vain > 0) await setTimeout(VAIN_LOOK_PAUSE_MS);
    const again = queryOf(range, span, unsettled);
    if (!(await backend.movePages(again)).ok) break;
    const rest = settle(range, span, status, unsettled, again.status);
    vain = rest.length < unsettled.length ? 0 : vain + 1;
    unsettled = rest;
  }
  return { ok: true, value: callCount };
}

/** The same, blocking the calling thread. */
export function locateSync(
  range: PagesOfProcess,
  span: PageSpan,
  status: Int32Array,
): SyscallResult<number> {
  const { backend } = range;
  status.fill(STATUS_UNSET);
  const query = { ...ownerOf(range), pages: span, nodes: null, flags: 0, status };
  const result = backend.movePagesSync(query);
  if (!result.ok) return result;
  let unsettled = normalizeAbsent(range, span, status);
  for (let vain = 0; unsettled.length > 0 && vain < VAIN_LOOKS_MAX; ) {
    const again = queryOf(range, span, unsettled);
    if (!backend.movePagesSync(again).ok) break;
    const rest = settle(range, span, status, unsettled, again.status);
    vain = rest.length < unsettled.length ? 0 : vain + 1;
    unsettled = rest;
  }
  return result;
}

/**
 * Turns EFAULT into `STATUS_NOT_PRESENT` for pages that are not mapped in, so that
 * `STATUS_ZERO_PAGE` means the zero page on every kernel. Where pagemap is closed the two cannot be
 * told apart and count as not present: neither has memory of its own.
 *
 * Gives the places in `status` of the pages to look at once more: a page that somebody is moving
 * at this moment (another thread, compaction) looks like one that is swapped out.
 */
function normalizeAbsent(
  { backend, pid }: PagesOfProcess,
  span: PageSpan,
  status: Int32Array,
): number[] {
  if ((status[0] as number) >= 0 && isUniform(status)) return [];
  let first = 0;
  while (first < status.length && (status[first] as number) >= 0) first += 1;
  if (first === status.length) return [];
  let last = status.length - 1;
  while ((status[last] as number) >= 0) last -= 1;
  const address = span.address + BigInt(first) * BigInt(backend.pageSizeBytes);
  const entries = backend.pagemap({ address, pageCount: last - first + 1 }, pid);
  const unsettled: number[] = [];
  for (let index = first; index <= last; index += 1) {
    if (!isAbsent(status[index])) continue;
    const entry = entries.ok ? (entries.value[index - first] ?? 0n) : 0n;
    const isPresent = (entry & PM_PRESENT) !== 0n;
    const hasLanded = isPresent && status[index] === STATUS_NOT_PRESENT;
    if (hasLanded || (entry & PM_SWAP) !== 0n) unsettled.push(index);
    if (!isPresent) status[index] = STATUS_NOT_PRESENT;
  }
  return unsettled;
}

/**
 * Whether all pages have one status or entry, as they mostly do: the array is compared with itself,
 * one element apart, at the speed of memcmp. A loop in JavaScript costs 20 times as much
 * (scripts/bench).
 */
export function isUniform(elements: Int32Array | BigUint64Array): boolean {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT } = elements;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return (
    Buffer.compare(bytes.subarray(BYTES_PER_ELEMENT), bytes.subarray(0, -BYTES_PER_ELEMENT)) === 0
  );
}

function isAbsent(place: number | undefined): boolean {
  return place === STATUS_ZERO_PAGE || place === STATUS_NOT_PRESENT;
}

/** A query for some pages of a span. */
function queryOf(
  range: PagesOfProcess,
  span: PageSpan,
  indexes: readonly number[],
): MovePagesRequest {
  const pageSizeBytes = BigInt(range.backend.pageSizeBytes);
  const pages = BigUint64Array.from(indexes, (at) => span.address + BigInt(at) * pageSizeBytes);
  const status = new Int32Array(indexes.length).fill(STATUS_UNSET);
  return { ...ownerOf(range), pages, nodes: null, flags: 0, status };
}

/** Enters the answers, and gives the pages that are still in doubt. */
function settle(
  range: PagesOfProcess,
  span: PageSpan,
  status: Int32Array,
  unsettled: readonly number[],
  answers: Int32Array,
): number[] {
  unsettled.forEach((index, at) => {
    status[index] = answers[at] as number;
  });
  return normalizeAbsent(range, span, status);
}
