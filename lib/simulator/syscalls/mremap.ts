/**
 * mremap(2): a mapping elsewhere, with its pages, longer or shorter.
 *
 * Source: mm/mremap.c, check_mremap_params(), mremap_to(), expand_vma(), move_vma() and
 * move_page_tables().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Mm } from '../memory/mm.ts';
import { HUGE_ZERO_PAGE, isFolio, NONE } from '../memory/page-entry.ts';
import type { EntryRun } from '../memory/page-table.ts';
import { cutVma, hasFlag, isHugetlb, link, unlink, VM, type Vma } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import { checkUnmap, findRoom, populateLocked } from './mapping-calls.ts';
import {
  addressOf,
  canCut,
  isAligned,
  MAX_MAP_COUNT,
  type PagesCall,
  pageOf,
  spanOf,
  TASK_SIZE,
} from './range-argument.ts';

/** Mappings that a move may need beside those that there are. */
const MOVE_MARGIN = 3;

/** Moves mappings to exactly there, over whatever is there: older kernels one, whose target is gone
 *  also where there are several. */
export function mremap(
  thread: Thread,
  call: PagesCall & { readonly to: bigint },
): SyscallResult<undefined> {
  return answer('mremap', moveTo(thread, call));
}

function moveTo(thread: Thread, call: PagesCall & { readonly to: bigint }): number {
  const span = spanOf(thread, call);
  const { mm } = thread;
  const { pageSizeBytes } = mm.memory;
  if (span === undefined || call.pageCount === 0) return ERRNO.EINVAL;
  if (!isAligned(call.to, pageSizeBytes)) return ERRNO.EINVAL;
  const target = pageOf(call.to, pageSizeBytes);
  const { facts, tablePages } = mm.memory;
  const overlaps = target < span.end && span.start < target + call.pageCount;
  if (overlaps && facts.mremapLooksAtOverlapFirst) return ERRNO.EINVAL;
  const first = mm.vmas.lookup(span.start);
  if (first === undefined) return ERRNO.EFAULT;
  const unit = isHugetlb(first) ? tablePages : 1;
  if (overlaps || span.start % unit !== 0 || target % unit !== 0) return ERRNO.EINVAL;
  // Of a pool whole huge pages go.
  const pageCount = Math.ceil(call.pageCount / unit) * unit;
  const end = span.start + pageCount;
  const parts = mm.vmas.within(span.start, end);
  const errno = checkMove(mm, span.start, end);
  if (errno !== 0) return errno;
  const refused = checkUnmap(mm, { start: target, end: target + pageCount });
  if (refused !== 0) return refused;
  if (first.end < end && !facts.mremapTakesSeveral) {
    mm.unmap(target, target + pageCount);
    return ERRNO.EFAULT;
  }
  // Each by itself: what is mapped where a gap comes to lie stays.
  for (const { start, end } of parts) moveVmas(mm, start, end, target + start - span.start);
  return 0;
}

function checkMove(mm: Mm, start: number, end: number): number {
  if (mm.vmas.count >= MAX_MAP_COUNT - MOVE_MARGIN) return ERRNO.ENOMEM;
  const parts = mm.vmas.within(start, end);
  return parts.every((part) => canCut(mm, part)) ? 0 : ERRNO.EINVAL;
}

interface ResizeCall extends PagesCall {
  readonly newPageCount: number;
  /** As the addon does: mapping by mapping, as far from the start of a huge page as before. */
  readonly isOfAddon?: boolean;
}

/** Makes a mapping longer, elsewhere if there is no room behind it, or shorter. */
export function resizeMapping(thread: Thread, call: ResizeCall): SyscallResult<bigint> {
  const span = spanOf(thread, call);
  const { mm } = thread;
  const { newPageCount, pageCount, isOfAddon = false } = call;
  const fail = (errno: number): SyscallResult<bigint> => failure('mremap', errno);
  if (span === undefined || newPageCount === 0) return fail(ERRNO.EINVAL);
  const vma = mm.vmas.lookup(span.start);
  if (vma === undefined) return fail(ERRNO.EFAULT);
  const unit = isHugetlb(vma) ? mm.memory.tablePages : 1;
  if (span.start % unit !== 0) return fail(ERRNO.EINVAL);
  const [oldPages, newPages] = [pageCount, newPageCount].map((n) => Math.ceil(n / unit) * unit) as [
    number,
    number,
  ];
  if (newPages === oldPages) return success(call.address);
  if (newPages < oldPages) {
    mm.unmap(span.start + newPages, span.start + oldPages);
    return success(call.address);
  }
  if (isHugetlb(vma)) return fail(ERRNO.EINVAL);
  if ((vma.end < span.end && !isOfAddon) || !mayGrow(vma)) return fail(ERRNO.EFAULT);
  const moved = grow(thread, span.start, call);
  if ('errno' in moved) return fail(moved.errno);
  if (hasFlag(vma, VM.LOCKED)) {
    populateLocked(thread, { start: moved.start + pageCount, end: moved.start + newPageCount });
  }
  return success(addressOf(moved.start, mm.memory.pageSizeBytes));
}

/** Source: VM_DONTEXPAND. */
function mayGrow(vma: Vma): boolean {
  return !hasFlag(vma, VM.IO | VM.SPECIAL | VM.MIXEDMAP);
}

function grow(
  thread: Thread,
  start: number,
  { pageCount, newPageCount, isOfAddon = false }: ResizeCall,
): { readonly start: number } | { readonly errno: number } {
  const { mm } = thread;
  const oldEnd = start + pageCount;
  const newEnd = start + newPageCount;
  const hasRoom = addressOf(newEnd, mm.memory.pageSizeBytes) <= TASK_SIZE;
  const parts = mm.vmas.within(start, oldEnd);
  const last = mm.vmas.lookup(oldEnd - 1) as Vma;
  if (hasRoom && oldEnd === last.end && mm.vmas.within(oldEnd, newEnd).length === 0) {
    mm.extend(last, newEnd);
    return { start };
  }
  const errno = checkMove(mm, start, oldEnd);
  if (errno !== 0) return { errno };
  const spare = isOfAddon ? mm.memory.tablePages - 1 : 0;
  const room = findRoom(mm, newPageCount + spare);
  const target = isOfAddon ? room + ((start - room) & spare) : room;
  if (room < 0) return { errno: ERRNO.ENOMEM };
  for (const part of parts) moveVmas(mm, part.start, part.end, target + part.start - start);
  const moved = mm.vmas.lookup(target + pageCount - 1) as Vma;
  mm.extend(cutVma(moved, moved.start, target + pageCount), target + newPageCount);
  return { start: target };
}

interface Run extends EntryRun {
  /** Page by page, though the entries are alike. */
  readonly isSplit: boolean;
}

/** What is mapped at the target is unmapped first. */
function moveVmas(mm: Mm, start: number, end: number, target: number): void {
  const parts = mm.vmas.within(start, end);
  const shift = target - start;
  mm.unmap(target, target + (end - start));
  const { tablePages } = mm.memory;
  if (shift % tablePages !== 0) splitTables(mm, start, end);
  for (const edge of [start, end]) if (edge % tablePages !== 0) mm.pages.splitHuge(edge);
  const runs = takeRuns(mm, start, end);
  // The copy is there before the mapping goes.
  for (const part of parts) link(part);
  mm.vmas.remove(start, end);
  for (const part of parts) {
    const isUntouched = part.object === null && part.anonVma === null;
    const offset = isUntouched ? part.start + shift : part.offset;
    const moved = { ...part, start: part.start + shift, end: part.end + shift, offset };
    mm.vmas.insert(moved, { isNew: false });
    unlink(part);
  }
  for (const { page, pageCount, entry, isSplit } of runs) {
    mm.pages.fill(page + shift, page + pageCount + shift, entry);
    if (isSplit) mm.pages.splitHuge(page + shift);
  }
  mm.moveReserved(start, end, shift);
}

function takeRuns({ pages, memory }: Mm, start: number, end: number): Run[] {
  const runs: Run[] = [];
  pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (entry === NONE) return;
    const isWholeTable = isFolio(entry) && pageCount === memory.tablePages;
    runs.push({ page, pageCount, entry, isSplit: isWholeTable && !pages.isHuge(page) });
  });
  pages.fill(start, end, NONE);
  return runs;
}

/** A huge page that does not fit its new address stays one piece, mapped page by page. */
function splitTables({ pages }: Mm, start: number, end: number): void {
  const { tablePages } = pages;
  for (let page = start - (start % tablePages); page < end; page += tablePages) {
    const entry = pages.get(page);
    if (isFolio(entry) || entry === HUGE_ZERO_PAGE) pages.splitHuge(page);
  }
}
