/**
 * mremap(2): a mapping elsewhere, longer or shorter.
 *
 * Source: mm/mremap.c, check_mremap_params(), mremap_to(), expand_vma() and move_vma().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Mm } from '../memory/mm.ts';
import { moveVmas } from '../memory/move-vmas.ts';
import { cutVma, hasFlag, isHugetlb, VM, type Vma } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import { canCut, MAX_MAP_COUNT } from './check-split.ts';
import { checkUnmap, findRoom, populateLocked } from './mapping-calls.ts';
import {
  addressOf,
  isAligned,
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
  if (target < span.end && span.start < target + call.pageCount) return ERRNO.EINVAL;
  const parts = mm.vmas.within(span.start, span.end);
  const [first] = parts;
  if (first === undefined || first.start > span.start) return ERRNO.EFAULT;
  if (isHugetlb(first) && target % mm.memory.tablePages !== 0) {
    return ERRNO.EINVAL;
  }
  const errno = checkMove(mm, span.start, span.end);
  if (errno !== 0) return errno;
  const refused = checkUnmap(mm, { start: target, end: target + call.pageCount });
  if (refused !== 0) return refused;
  if (first.end !== span.end && !mm.memory.facts.mremapTakesSeveral) {
    mm.unmap(target, target + call.pageCount);
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
