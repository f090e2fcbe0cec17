/**
 * mmap(2), munmap(2), mprotect(2), mlock(2), munlock(2), as far as memory policy has to do with
 * them.
 *
 * Source: mm/mmap.c, mm/vma.c, mm/mprotect.c, mm/mlock.c.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { MachineState } from '../machine.ts';
import { allows, touchPages } from '../memory/fault.ts';
import type { MemoryObject } from '../memory/memory-object.ts';
import type { Mm } from '../memory/mm.ts';
import { DEVICE } from '../memory/page-entry.ts';
import { hasFlag, isHugetlb, NO_ANON, VM, type VmaAccess } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import {
  addressOf,
  canCut,
  checkSplit,
  isAligned,
  MAX_MAP_COUNT,
  type Pages,
  type PagesCall,
  pageOf,
  type RangeArgument,
  spanOf,
  TASK_SIZE,
} from './range-argument.ts';

/** Where the kernel starts to look for room, downwards: below the stack of a 47-bit process. */
const MMAP_BASE = 0x7fff_f000_0000n;

/** Source: VM_SPECIAL. */
const NEVER_LOCKED = VM.IO | VM.MIXEDMAP | VM.SPECIAL;

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
  /** Where the system chooses: addresses that are a multiple of so many pages. */
  readonly alignmentPages?: number;
}

/** Anonymous shared memory gets an object of its own. The value is the address. */
export function mmap(machine: MachineState, thread: Thread, call: MmapCall): SyscallResult<bigint> {
  const { pageSizeBytes } = machine.memory;
  const { vmas } = thread.mm;
  const { pageCount, access, isShared, alignmentPages } = call;
  if (pageCount === 0 || !isAligned(call.address, pageSizeBytes))
    return failure('mmap', ERRNO.EINVAL);
  const start =
    call.address === 0n
      ? findRoom(thread.mm, pageCount, alignmentPages)
      : pageOf(call.address, pageSizeBytes);
  const end = start + pageCount;
  if (addressOf(end, pageSizeBytes) > TASK_SIZE || start < 0) return failure('mmap', ERRNO.ENOMEM);
  const isTaken = vmas.within(start, end).length > 0;
  if (isTaken) return failure('mmap', ERRNO.EEXIST);
  if (vmas.count > MAX_MAP_COUNT) return failure('mmap', ERRNO.ENOMEM);
  const isAnonymousShared = isShared && call.object === null;
  const object = isAnonymousShared
    ? machine.createObject('shared-memory', pageCount, '/dev/zero (deleted)')
    : call.object;
  const offset = object === null ? start : call.offset;
  const flags = (isShared ? VM.SHARED : 0) | (call.flags ?? 0);
  thread.mm.map({ start, end, access, flags, object, offset, policy: null, ...NO_ANON });
  return success(addressOf(start, pageSizeBytes));
}

/** Where a mapping of so many pages would be now. */
export function roomFor(mm: Mm, pageCount: number, alignmentPages?: number): RangeArgument {
  const { pageSizeBytes } = mm.memory;
  const start = findRoom(mm, pageCount, alignmentPages);
  const lengthBytes = BigInt(pageCount) * BigInt(pageSizeBytes);
  return { address: addressOf(start, pageSizeBytes), lengthBytes };
}

/**
 * The highest gap below the base: new mappings come below older ones, a page apart.
 * Source: mm/mmap.c, generic_get_unmapped_area_topdown().
 */
export function findRoom({ vmas, memory }: Mm, pageCount: number, alignmentPages = 1): number {
  const base = pageOf(MMAP_BASE, memory.pageSizeBytes);
  let start = 0;
  for (const gap of vmas.gapsBelow(base, pageCount + 1)) {
    start = startBelow(gap.end === base ? base : gap.end - 1, pageCount, alignmentPages);
    if (start > gap.start) break;
  }
  return start;
}

function startBelow(end: number, pageCount: number, alignmentPages: number): number {
  return Math.floor((end - pageCount) / alignmentPages) * alignmentPages;
}

/**
 * Memory of a device, which no node has, exactly at the address, or anywhere for 0: what a PC's
 * screen shows. The pages are there at once.
 *
 * Source: drivers/char/mem.c, mmap_mem(); mm/memory.c, remap_pfn_range().
 */
export function mapDevice(
  machine: MachineState,
  thread: Thread,
  { address, pageCount }: PagesCall,
): SyscallResult<bigint> {
  const object = machine.createObject('driver', pageCount, '/dev/mem');
  const request = { address, pageCount, access: 'write', isShared: true, offset: 0 } as const;
  const mapped = mmap(machine, thread, { ...request, object, flags: VM.IO });
  if (!mapped.ok) return mapped;
  const start = pageOf(mapped.value, machine.memory.pageSizeBytes);
  thread.mm.pages.fill(start, start + pageCount, DEVICE);
  return mapped;
}

/** EINVAL where an end of the range lies in what cannot be cut: a cut at the beginning is made
 *  before that is seen, and stays. Source: vms_gather_munmap_vmas(). */
export function checkUnmap(mm: Mm, { start, end }: Pages): number {
  const parts = mm.vmas.within(start, end);
  if (parts.every((part) => canCut(mm, part))) return 0;
  const whole = mm.vmas.lookup(start);
  const [first] = parts;
  if (whole === undefined || first === undefined) return ERRNO.EINVAL;
  if (canCut(mm, { ...first, end: whole.end })) mm.vmas.cut(start);
  return ERRNO.EINVAL;
}

/** Nothing goes where an end of the range lies in what cannot be cut. */
export function munmap(thread: Thread, call: PagesCall): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined || call.pageCount === 0) return answer('munmap', ERRNO.EINVAL);
  const { mm } = thread;
  const errno = checkUnmap(mm, span);
  if (errno !== 0) return answer('munmap', errno);
  const parts = mm.vmas.within(span.start, span.end);
  const isHole = parts.length === 1 && mm.vmas.splitsFor(span.start, span.end) === 2;
  if (isHole && mm.vmas.count >= MAX_MAP_COUNT) return answer('munmap', ERRNO.ENOMEM);
  mm.unmap(span.start, span.end);
  return answer('munmap', 0);
}

/** ENOMEM for a gap; what is mapped before it has changed then. */
export function mprotect(
  thread: Thread,
  call: PagesCall & { readonly access: VmaAccess },
): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined) return answer('mprotect', ERRNO.EINVAL);
  const { mm } = thread;
  const { end } = span;
  let page = span.start;
  for (const part of mm.vmas.within(span.start, end)) {
    if (part.start !== page) break;
    page = part.end;
    if (part.access === call.access) continue;
    const errno = checkSplit(mm, part);
    if (errno !== 0) return answer('mprotect', errno);
    mm.modify(part.start, part.end, { access: call.access });
    // What is locked gets pages that can be written.
    const isLocked = hasFlag(part, VM.LOCKED) && !hasFlag(part, VM.SHARED);
    if (isLocked && !allows(part, 'write') && call.access === 'write') populateLocked(thread, part);
  }
  return answer('mprotect', page === end ? 0 : ERRNO.ENOMEM);
}

/** Locks what is mapped, up to the first gap, and faults it in. */
export function mlock(thread: Thread, call: PagesCall): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined) return answer('mlock', ERRNO.EINVAL);
  const errno = changeLock(thread.mm, span, (flags) => flags | VM.LOCKED);
  if (errno !== 0) return answer('mlock', errno);
  return answer('mlock', populateLocked(thread, span) ? 0 : ERRNO.ENOMEM);
}

/** Unlocks what is mapped, up to the first gap. */
export function munlock(thread: Thread, call: PagesCall): SyscallResult<undefined> {
  const span = spanOf(thread, call);
  if (span === undefined) return answer('munlock', ERRNO.EINVAL);
  return answer(
    'munlock',
    changeLock(thread.mm, span, (flags) => flags & ~VM.LOCKED),
  );
}

/** Source: apply_vma_lock_flags(), mlock_fixup(). */
function changeLock(mm: Mm, { start, end }: Pages, change: (flags: number) => number): number {
  let page = start;
  for (const part of mm.vmas.within(start, end)) {
    if (part.start !== page) break;
    page = part.end;
    const flags = change(part.flags);
    // Device memory is there anyway, huge pages of a pool are never reclaimed.
    const isLeftOut = hasFlag(part, NEVER_LOCKED) || isHugetlb(part);
    if (isLeftOut || flags === part.flags) continue;
    const errno = checkSplit(mm, part);
    if (errno !== 0) return errno;
    mm.modify(part.start, part.end, { flags });
  }
  return page === end ? 0 : ERRNO.ENOMEM;
}

/** Writes private pages, reads shared ones. Source: mm/gup.c, populate_vma_page_range(). */
export function populateLocked(thread: Thread, { start, end }: Pages): boolean {
  return thread.mm.vmas.within(start, end).every((part) => {
    const isWrite = part.access === 'write' && !hasFlag(part, VM.SHARED);
    const outcome = touchPages(thread, part.start, part.end, isWrite ? 'write' : 'read');
    return outcome === 'done';
  });
}
