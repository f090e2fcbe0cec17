/**
 * mmap(2), munmap(2), mprotect(2), mremap(2), mlock(2), as far as memory policy has to do with
 * them.
 *
 * Source: mm/mmap.c, mm/vma.c, mm/mprotect.c, mm/mremap.c, mm/mlock.c.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Machine } from '../machine.ts';
import { touchPages } from '../memory/fault.ts';
import type { MemoryObject } from '../memory/memory-object.ts';
import { hasFlag, VM, type VmaAccess } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import { addressOf, isAligned, pageOf } from './range-argument.ts';

/** Where the kernel starts to look for room, downwards: below the stack of a 47-bit process. */
const MMAP_BASE = 0x7fff_f000_0000n;
const TASK_SIZE = 0x7fff_ffff_f000n;

export interface MmapCall {
  /** Exactly there, or EEXIST; 0 for wherever there is room. */
  readonly address: bigint;
  readonly pageCount: number;
  readonly access: VmaAccess;
  readonly isShared: boolean;
  readonly object: MemoryObject | null;
  /** Page offset in the object. */
  readonly offset: number;
  /** Further `VM`s. */
  readonly flags?: number;
}

/** Anonymous shared memory gets an object of its own. The value is the address. */
export function mmap(machine: Machine, thread: Thread, call: MmapCall): SyscallResult<bigint> {
  const { pageSizeBytes } = machine.memory;
  const { vmas } = thread.space;
  const { pageCount, access, isShared } = call;
  if (pageCount === 0 || !isAligned(call.address, pageSizeBytes))
    return failure('mmap', ERRNO.EINVAL);
  const start =
    call.address === 0n ? findRoom(thread, pageCount) : pageOf(call.address, pageSizeBytes);
  const end = start + pageCount;
  if (addressOf(end, pageSizeBytes) > TASK_SIZE || start < 0) return failure('mmap', ERRNO.ENOMEM);
  const isTaken = vmas.within(start, end).length > 0;
  if (isTaken) return failure('mmap', ERRNO.EEXIST);
  const isAnonymousShared = isShared && call.object === null;
  const object = isAnonymousShared
    ? machine.createObject('shared-memory', pageCount, '/dev/zero (deleted)')
    : call.object;
  const offset = object === null ? start : call.offset;
  const flags = (isShared ? VM.SHARED : 0) | (call.flags ?? 0);
  thread.space.map({ start, end, access, flags, object, offset, policy: null, anonVma: null });
  return success(addressOf(start, pageSizeBytes));
}

/** The highest gap below the base: new mappings come below older ones, a page apart. */
function findRoom({ space: { vmas, memory } }: Thread, pageCount: number): number {
  let end = pageOf(MMAP_BASE, memory.pageSizeBytes);
  for (const vma of [...vmas].reverse()) {
    if (vma.start >= end) continue;
    if (end - vma.end > pageCount) break;
    end = vma.start - 1;
  }
  return end - pageCount;
}

export interface PagesCall {
  readonly address: bigint;
  readonly pageCount: number;
}

interface PageSpanOf {
  readonly start: number;
  readonly end: number;
}

function spanOf({ space }: Thread, { address, pageCount }: PagesCall): PageSpanOf | undefined {
  const { pageSizeBytes } = space.memory;
  if (!isAligned(address, pageSizeBytes)) return undefined;
  const start = pageOf(address, pageSizeBytes);
  return { start, end: start + pageCount };
}

export function munmap(thread: Thread, call: PagesCall): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined || call.pageCount === 0) return answer('munmap', ERRNO.EINVAL);
  thread.space.unmap(span.start, span.end);
  return answer('munmap', 0);
}

/** ENOMEM for a gap; what is mapped before it has changed then. */
export function mprotect(
  thread: Thread,
  call: PagesCall & { readonly access: VmaAccess },
): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined) return answer('mprotect', ERRNO.EINVAL);
  const { vmas } = thread.space;
  const { end } = span;
  let page = span.start;
  for (const part of vmas.within(span.start, end)) {
    if (part.start !== page) break;
    vmas.modify(part.start, part.end, { access: call.access });
    page = part.end;
  }
  return answer('mprotect', page === end ? 0 : ERRNO.ENOMEM);
}

/** Locks what is mapped, up to the first gap, and faults it in. */
export function mlock(thread: Thread, call: PagesCall): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined) return answer('mlock', ERRNO.EINVAL);
  const { vmas } = thread.space;
  let page = span.start;
  for (const part of vmas.within(span.start, span.end)) {
    if (part.start !== page) break;
    vmas.modify(part.start, part.end, { flags: part.flags | VM.LOCKED });
    page = part.end;
  }
  if (page !== span.end) return answer('mlock', ERRNO.ENOMEM);
  return answer('mlock', populate(thread, span) ? 0 : ERRNO.ENOMEM);
}

/** Writes private pages, reads shared ones. Source: mm/gup.c, populate_vma_page_range(). */
function populate(thread: Thread, { start, end }: PageSpanOf): boolean {
  return thread.space.vmas.within(start, end).every((part) => {
    const isWrite = part.access === 'write' && !hasFlag(part, VM.SHARED);
    const outcome = touchPages(thread, part.start, part.end, isWrite ? 'write' : 'read');
    return outcome === 'done';
  });
}

/** Moves a mapping to exactly there, over whatever is there. */
export function mremap(
  thread: Thread,
  call: PagesCall & { readonly to: bigint },
): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  const { space } = thread;
  if (span === undefined || !isAligned(call.to, space.memory.pageSizeBytes)) {
    return answer('mremap', ERRNO.EINVAL);
  }
  if (!space.vmas.covers(span.start, span.end)) return answer('mremap', ERRNO.EFAULT);
  space.move(span.start, span.end, pageOf(call.to, space.memory.pageSizeBytes));
  return answer('mremap', 0);
}
