/**
 * madvise(2). Advice may take pages from an object, and with it from everybody who maps them: what
 * is accessed there next is new.
 *
 * Source: mm/madvise.c, madvise_vma_behavior(), madvise_remove() and madvise_walk_vmas();
 * mm/khugepaged.c, hugepage_madvise(); mm/ksm.c, ksm_madvise(); mm/shmem.c, shmem_fallocate();
 * fs/hugetlbfs/inode.c, hugetlbfs_punch_hole(); mm/memory.c, unmap_mapping_range(), which leaves
 * private copies alone. Deviation: pages with contents are not swapped out; advice that places
 * nothing cuts mappings, and that is all.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MADV } from '../../core/uapi.ts';
import { allows, dirtyPresent, touchPages } from '../memory/fault.ts';
import { freeIfUnused, type Memory } from '../memory/memory.ts';
import type { MemoryObject } from '../memory/memory-object.ts';
import type { Mm } from '../memory/mm.ts';
import {
  folioIdOf,
  GUARD,
  isFolio,
  isInline,
  NONE,
  nodeOfInline,
  SWAPPED,
} from '../memory/page-entry.ts';
import { hasFlag, isHugetlb, offsetOf, VM, type Vma } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { checkSplit, type PagesCall, spanOf } from './range-argument.ts';

/** Advice on one mapping, or part of it: 0 or an errno. */
type Advise = (thread: Thread, part: Vma) => number;

const SPECIAL = VM.IO | VM.MIXEDMAP | VM.SPECIAL;
const nothing: Advise = () => 0;

const ADVICE: ReadonlyMap<number, Advise> = new Map<number, Advise>([
  [MADV.NORMAL, flagged({ clear: VM.RAND_READ | VM.SEQ_READ })],
  [MADV.RANDOM, flagged({ set: VM.RAND_READ, clear: VM.SEQ_READ })],
  [MADV.SEQUENTIAL, flagged({ set: VM.SEQ_READ, clear: VM.RAND_READ })],
  [MADV.WILLNEED, nothing],
  [MADV.DONTNEED, drop],
  [MADV.REMOVE, remove],
  [MADV.DONTFORK, flagged({ set: VM.DONTCOPY })],
  [MADV.DOFORK, flagged({ clear: VM.DONTCOPY, refuses: VM.IO })],
  [MADV.MERGEABLE, mergeable],
  [MADV.UNMERGEABLE, flagged({ clear: VM.MERGEABLE })],
  [MADV.HUGEPAGE, flagged({ set: VM.HUGEPAGE, clear: VM.NOHUGEPAGE })],
  [MADV.NOHUGEPAGE, flagged({ set: VM.NOHUGEPAGE, clear: VM.HUGEPAGE })],
  [MADV.DONTDUMP, flagged({ set: VM.DONTDUMP })],
  [MADV.DODUMP, flagged({ clear: VM.DONTDUMP, refuses: SPECIAL })],
  [MADV.WIPEONFORK, wipeOnFork],
  [MADV.KEEPONFORK, flagged({ clear: VM.WIPEONFORK })],
  [MADV.COLD, nothing],
  [MADV.PAGEOUT, pageOut],
  [MADV.POPULATE_READ, populate('read')],
  [MADV.POPULATE_WRITE, populate('write')],
  [MADV.GUARD_INSTALL, installGuard],
  [MADV.GUARD_REMOVE, removeGuard],
]);

/** ENOMEM for a gap; what is mapped is advised all the same. */
export function madvise(
  thread: Thread,
  call: PagesCall & { readonly advice: number },
): SyscallResult<undefined> {
  const { mm } = thread;
  const span = spanOf(thread, call);
  const advise = ADVICE.get(call.advice);
  const isKnown = call.advice < MADV.GUARD_INSTALL || mm.memory.facts.hasGuardRegions;
  if (span === undefined || advise === undefined || !isKnown) {
    return answer('madvise', ERRNO.EINVAL);
  }
  const hasGaps = !mm.vmas.covers(span.start, span.end);
  // Populating goes up to the first gap, others pass over it.
  const isPopulating = call.advice === MADV.POPULATE_READ || call.advice === MADV.POPULATE_WRITE;
  const isUpToGap = isPopulating && mm.memory.facts.populatesUpToGap;
  let reached = span.start;
  for (const part of mm.vmas.within(span.start, span.end)) {
    if (isUpToGap && part.start > reached) break;
    reached = part.end;
    const errno = advise(thread, part);
    if (errno !== 0) return answer('madvise', errno);
  }
  return answer('madvise', hasGaps ? ERRNO.ENOMEM : 0);
}

function change(mm: Mm, part: Vma, flags: number): number {
  if (flags === part.flags) return 0;
  const errno = checkSplit(mm, part);
  if (errno === 0) mm.modify(part.start, part.end, { flags });
  return errno;
}

interface FlagChange {
  readonly set?: number;
  readonly clear?: number;
  /** Mappings with such a flag are refused. */
  readonly refuses?: number;
}

function flagged({ set = 0, clear = 0, refuses = 0 }: FlagChange): Advise {
  return ({ mm }, part) => {
    if (hasFlag(part, refuses)) return ERRNO.EINVAL;
    return change(mm, part, (part.flags | set) & ~clear);
  };
}

function wipeOnFork({ mm }: Thread, part: Vma): number {
  if (part.object !== null || hasFlag(part, VM.SHARED)) return ERRNO.EINVAL;
  return change(mm, part, part.flags | VM.WIPEONFORK);
}

/** Mappings that cannot have merged pages are left alone. Source: ksm_madvise(). */
function mergeable({ mm }: Thread, part: Vma): number {
  const isUnfit = hasFlag(part, SPECIAL | VM.SHARED) || isHugetlb(part);
  return isUnfit ? 0 : change(mm, part, part.flags | VM.MERGEABLE);
}

function drop({ mm }: Thread, part: Vma): number {
  if (hasFlag(part, VM.LOCKED | VM.IO)) return ERRNO.EINVAL;
  const { tablePages } = mm.memory;
  const unit = isHugetlb(part) ? tablePages : 1;
  if (part.start % unit !== 0) return ERRNO.EINVAL;
  // Of a huge page at the end nothing goes. Source: madvise_dontneed_free_valid_vma().
  const whole = { ...part, end: part.end - (part.end % unit) };
  forEachBetweenGuards(mm, whole, (start, end) => mm.dropPages(start, end));
  return 0;
}

/** Source: madvise_remove(); the object's own fallocate() does it. */
function remove({ mm }: Thread, part: Vma): number {
  const { object } = part;
  if (hasFlag(part, VM.LOCKED) || object === null || object.path === null) return ERRNO.EINVAL;
  // The rights of the mapping are not asked, but those that it could have.
  if (!hasFlag(part, VM.SHARED)) return ERRNO.EACCES;
  if (hasFlag(part, VM.IO)) return ERRNO.ENODEV;
  if (!object.kind.takesHoles) return ERRNO.EOPNOTSUPP;
  punchHole(mm.memory, object, part.offset, offsetOf(part, part.end));
  return 0;
}

/** Guards outlive the pages around them. */
function forEachBetweenGuards(
  mm: Mm,
  { start, end }: Vma,
  visit: (start: number, end: number) => void,
): void {
  const guards: [number, number][] = [];
  mm.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (entry === GUARD) guards.push([page, page + pageCount]);
  });
  let from = start;
  for (const [guardStart, guardEnd] of [...guards, [end, end]] as const) {
    if (guardStart > from) visit(from, guardStart);
    from = guardEnd;
  }
}

/** Ordinary pages go to the swap area; mappings of objects keep theirs. */
function pageOut({ mm }: Thread, part: Vma): number {
  if (hasFlag(part, VM.LOCKED | SPECIAL) || isHugetlb(part)) return ERRNO.EINVAL;
  const { physical } = mm.memory;
  mm.pages.forEachRun(part.start, part.end, (page, pageCount, entry) => {
    if (!isInline(entry)) return;
    mm.pages.fill(page, page + pageCount, SWAPPED);
    physical.giveBack(nodeOfInline(entry), pageCount);
  });
  return 0;
}

function populate(access: 'read' | 'write'): Advise {
  return (thread, part) => {
    if (hasFlag(part, VM.IO) || !allows(part, access)) return ERRNO.EINVAL;
    if (access === 'write' && hasFlag(part, VM.SHARED))
      dirtyPresent(thread.mm, part.start, part.end);
    const outcome = touchPages(thread, part.start, part.end, access);
    return outcome === 'done' ? 0 : ERRNO.EFAULT;
  };
}

function installGuard({ mm }: Thread, part: Vma): number {
  if (hasFlag(part, VM.LOCKED | SPECIAL) || isHugetlb(part)) return ERRNO.EINVAL;
  mm.dropPages(part.start, part.end);
  mm.pages.fill(part.start, part.end, GUARD);
  return 0;
}

function removeGuard({ mm }: Thread, part: Vma): number {
  if (hasFlag(part, SPECIAL) || isHugetlb(part)) return ERRNO.EINVAL;
  mm.pages.forEachRun(part.start, part.end, (page, pageCount, entry) => {
    if (entry === GUARD) mm.pages.fill(page, page + pageCount, NONE);
  });
  return 0;
}

/** Of huge pages of a pool only those that lie in the range as a whole. */
function punchHole(memory: Memory, object: MemoryObject, start: number, end: number): void {
  const size = object.kind.isHugetlb ? memory.tablePages : 1;
  const first = Math.ceil(start / size) * size;
  const stop = Math.floor(end / size) * size;
  for (const mm of memory.mms) {
    for (const vma of mm.vmas) if (vma.object === object) unmapHole(mm, vma, first, stop);
  }
  for (let index = first; index < stop; index += size) {
    const folioId = object.pages.get(index);
    if (folioId === undefined) continue;
    object.pages.delete(index);
    freeIfUnused(memory, folioId);
  }
}

function unmapHole(mm: Mm, vma: Vma, first: number, stop: number): void {
  const object = vma.object as MemoryObject;
  const shift = vma.start - vma.offset;
  const start = Math.max(vma.start, first + shift);
  const end = Math.min(vma.end, stop + shift);
  if (start >= end) return;
  const ours = new Set<number>();
  for (let index = start - shift; index < end - shift; index += 1) {
    const folioId = object.pages.get(index);
    if (folioId !== undefined) ours.add(folioId);
  }
  const runs: { readonly page: number; readonly pageCount: number }[] = [];
  mm.pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (isFolio(entry) && ours.has(folioIdOf(entry))) runs.push({ page, pageCount });
  });
  for (const { page, pageCount } of runs) mm.dropPages(page, page + pageCount);
}
