/**
 * What a call names of a process's addresses as page numbers, with the kernel's checks, and whether
 * a mapping may be cut where a change of that part begins and ends.
 *
 * Source: mm/vma.c, __split_vma(); mm/hugetlb.c, hugetlb_vm_op_split(); mm/mmap.c,
 * special_mapping_split().
 */

import { ERRNO } from '../../core/errno.ts';
import type { Mm } from '../memory/mm.ts';
import { hasFlag, isHugetlb, VM, type Vma } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';

/** Where the addresses of a process end, of 47 bits. */
export const TASK_SIZE = 0x7fff_ffff_f000n;

export interface RangeArgument {
  readonly address: bigint;
  readonly lengthBytes: bigint;
}

/** Pages from `start` up to `end`, exclusive; they are equal for an empty range. */
export interface Pages {
  readonly start: number;
  readonly end: number;
}

/** The length, rounded up to whole pages, in 64 bits as the kernel counts. */
export function pageAligned(lengthBytes: bigint, pageSizeBytes: number): bigint {
  const size = BigInt(pageSizeBytes);
  const asGiven = BigInt.asUintN(64, lengthBytes);
  return BigInt.asUintN(64, asGiven + size - 1n) & ~(size - 1n);
}

export function isAligned(address: bigint, pageSizeBytes: number): boolean {
  return address % BigInt(pageSizeBytes) === 0n;
}

/** A length is rounded up to pages; an end that wraps is EINVAL. */
export function pagesOf(
  { address, lengthBytes }: RangeArgument,
  pageSizeBytes: number,
): Pages | { readonly errno: number } {
  const start = BigInt.asUintN(64, address);
  const end = BigInt.asUintN(64, start + pageAligned(lengthBytes, pageSizeBytes));
  if (end < start) return { errno: ERRNO.EINVAL };
  return { start: pageOf(start, pageSizeBytes), end: pageOf(end, pageSizeBytes) };
}

/** What a call names by an address and a number of pages. */
export interface PagesCall {
  readonly address: bigint;
  readonly pageCount: number;
}

/** Undefined for an address inside a page. */
export function spanOf({ mm }: Thread, { address, pageCount }: PagesCall): Pages | undefined {
  const { pageSizeBytes } = mm.memory;
  if (!isAligned(address, pageSizeBytes)) return undefined;
  const start = pageOf(address, pageSizeBytes);
  return { start, end: start + pageCount };
}

/** Number of the page that holds an address. */
export function pageOf(address: bigint, pageSizeBytes: number): number {
  return Number(BigInt.asUintN(64, address) / BigInt(pageSizeBytes));
}

export function addressOf(page: number, pageSizeBytes: number): bigint {
  return BigInt(page) * BigInt(pageSizeBytes);
}

/**
 * A range with a page of each neighbour, with which it may be joined. Undefined where a mapping has
 * an object, whose pages and policies are of all who map it.
 */
export function privatePagesAround({ vmas, memory }: Mm, range: RangeArgument): Pages | undefined {
  const pages = pagesOf(range, memory.pageSizeBytes);
  if ('errno' in pages) return undefined;
  const around = { start: pages.start - 1, end: pages.end + 1 };
  for (const { start, object } of vmas.from(around.start)) {
    if (start >= around.end) break;
    if (object !== null) return undefined;
  }
  return around;
}

/** `vm.max_map_count`. */
export const MAX_MAP_COUNT = 65_530;

/**
 * 0, EINVAL for what cannot be cut, or ENOMEM for too many mappings. Where there may be one more
 * and not two, the cut at the beginning is made, and stays.
 */
export function checkSplit(mm: Mm, part: Vma): number {
  const splits = mm.vmas.splitsFor(part.start, part.end);
  if (splits === 0) return 0;
  if (!canCut(mm, part)) return ERRNO.EINVAL;
  if (mm.vmas.count + splits <= MAX_MAP_COUNT) return 0;
  if (splits === 2 && mm.vmas.count < MAX_MAP_COUNT) mm.vmas.cut(part.start);
  return ERRNO.ENOMEM;
}

/** Whether the part's ends are places where its mapping may be cut. */
export function canCut({ memory: { tablePages }, vmas }: Mm, part: Vma): boolean {
  if (vmas.splitsFor(part.start, part.end) === 0) return true;
  if (hasFlag(part, VM.SPECIAL)) return false;
  const isAligned = part.start % tablePages === 0 && part.end % tablePages === 0;
  return !isHugetlb(part) || isAligned;
}
