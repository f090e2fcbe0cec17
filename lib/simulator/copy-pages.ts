/**
 * A move by copies that take the pages' place, made of the simulated kernel's own calls, as the
 * addon makes it of the kernel's (native/copy). What is written lies beside the pages here: it is
 * there for the copy, too.
 */

import type { CopiedPages, CopyPagesRequest } from '../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import { nodemaskWords } from '../core/nodemask-words.ts';
import {
  MADV,
  MAX_NUMNODES,
  MPOL,
  MPOL_MF,
  PM_FILE,
  PM_MMAP_EXCLUSIVE,
  PM_PRESENT,
  PM_SWAP,
  STATUS_UNSET,
} from '../core/uapi.ts';
import { pagesOfPart } from './backend-mappings.ts';
import type { Caller } from './caller.ts';
import { isZeroPage } from './memory/page-entry.ts';
import { splitModeWord } from './policy/mempolicy.ts';
import { readPagemap } from './procfs/pagemap.ts';
import { DONE, failure } from './syscalls/answer.ts';
import { userMask } from './syscalls/decode-mask.ts';
import { madvise } from './syscalls/madvise.ts';
import { mmap, munmap } from './syscalls/mapping-calls.ts';
import { mbind } from './syscalls/mbind.ts';
import { mremap } from './syscalls/mremap.ts';
import { addressOf, type Pages, type PagesCall, pageOf } from './syscalls/range-argument.ts';
import { setMempolicy } from './syscalls/set-mempolicy.ts';
import { Thread } from './tasks/thread.ts';

/** `kept`: nothing may take its place. */
type Kind = 'copied' | 'hole' | 'kept';

/** A move on its way. */
interface Copying {
  readonly caller: Caller;
  readonly thread: Thread;
  readonly request: CopyPagesRequest;
  readonly pages: Pages;
  readonly kinds: readonly Kind[];
  readonly status: Int32Array;
  /** Mappings for copies of the whole range, by how far their pages are shifted. */
  readonly scratches: Map<number, Scratch>;
  swapCount: number;
}

/** One for all copies of a kind: what is moved away from it part by part is one mapping again. */
interface Scratch extends PagesCall {
  /** Where the copy of the range's first page is. */
  readonly start: number;
}

export function copyPages(caller: Caller, request: CopyPagesRequest): SyscallResult<CopiedPages> {
  const span = pagesOfPart(caller, request);
  if (typeof span === 'number') return failure('copy_pages', span);
  if (caller.mappings.find(request.mapping)?.file !== null) {
    return failure('copy_pages', ERRNO.EINVAL);
  }
  // Unknown to its process: nobody sees it, and it is gone behind the call.
  const thread = new Thread(caller.process, caller.thread.tid, caller.thread);
  const aimed = aim(caller, thread, request);
  if (!aimed.ok) return aimed;
  const looked = lookAt(caller, span);
  if (!looked.ok) return looked;
  const start = pageOf(span.address, thread.mm.memory.pageSizeBytes);
  const pages = { start, end: start + span.pageCount };
  const isVerified = thread.policy !== null && !caller.machine.deniedCalls.has('mbind');
  const scratches = new Map<number, Scratch>();
  const copying = { caller, thread, request, pages, ...looked.value, scratches, swapCount: 0 };
  const stop = copyParts(copying);
  for (const { address, pageCount } of scratches.values()) munmap(thread, { address, pageCount });
  const { status, swapCount } = copying;
  return { ok: true, value: { status, swapCount, isVerified, stop } };
}

function aim(
  { machine }: Caller,
  thread: Thread,
  { node, cpus }: CopyPagesRequest,
): SyscallResult<undefined> {
  const name = 'set_mempolicy';
  if (node < 0 || node >= MAX_NUMNODES) return failure(name, ERRNO.EINVAL);
  const cpu = thread.affinity.find((each) => cpus.includes(each));
  if (cpu !== undefined) thread.cpu = cpu;
  const denied = machine.deniedCalls.get(name);
  if (denied === undefined) {
    const nodemask = userMask(nodemaskWords([node]));
    return setMempolicy(thread, { mode: MPOL.PREFERRED, nodemask });
  }
  return cpu === undefined ? failure(name, denied) : DONE;
}

function lookAt(
  { machine, thread }: Caller,
  span: PagesCall,
): SyscallResult<Pick<Copying, 'kinds' | 'status'>> {
  const entries = readPagemap({ machine, thread }, span, 0);
  if (!entries.ok) return entries;
  const { pages, memory } = thread.mm;
  const first = pageOf(span.address, memory.pageSizeBytes);
  const status = new Int32Array(span.pageCount).fill(STATUS_UNSET);
  const kinds = Array.from(entries.value, (entry, index): Kind => {
    const isPresent = (entry & PM_PRESENT) !== 0n;
    const isOwn = (entry & (PM_MMAP_EXCLUSIVE | PM_FILE)) === PM_MMAP_EXCLUSIVE;
    if (isPresent && isOwn) return 'copied';
    const isZero = isPresent && isZeroPage(pages.get(first + index));
    status[index] = isZero ? -ERRNO.EFAULT : isPresent ? -ERRNO.EACCES : -ERRNO.ENOENT;
    return isZero || (!isPresent && (entry & PM_SWAP) === 0n) ? 'hole' : 'kept';
  });
  return { ok: true, value: { kinds, status } };
}

/** Part by part: pages in a row of which none is kept, within one page of page table entries. */
function copyParts(copying: Copying): SyscallFailure | undefined {
  const { kinds, pages, thread } = copying;
  const { tablePages } = thread.mm.memory;
  const count = pages.end - pages.start;
  for (let first = 0; first < count; ) {
    const boundary = first + tablePages - ((pages.start + first) % tablePages);
    let end = first;
    while (end < Math.min(boundary, count) && kinds[end] !== 'kept') end += 1;
    if (kinds.slice(first, end).includes('copied')) {
      const result = copyPart(copying, { start: first, end });
      if (!result.ok) return result;
    }
    first = Math.max(end, first + 1);
  }
  return undefined;
}

function copyPart(copying: Copying, part: Pages): SyscallResult<undefined> {
  const { thread, kinds, pages, request, status } = copying;
  const { pageSizeBytes } = thread.mm.memory;
  // With a hole no huge page must fit, which would fill it.
  const isDense = kinds.slice(part.start, part.end).every((kind) => kind === 'copied');
  const scratch = scratchOf(copying, isDense ? 0 : 1);
  if (!scratch.ok) return scratch;
  const address = addressOf(scratch.value.start + part.start, pageSizeBytes);
  const copy = { address, pageCount: part.end - part.start };
  const to = addressOf(pages.start + part.start, pageSizeBytes);
  const made = fill(copying, part, copy);
  const done = made.ok ? mremap(thread, { ...copy, to }) : made;
  if (done.ok) copying.swapCount += 1;
  for (let index = part.start; done.ok && index < part.end; index += 1) {
    status[index] = kinds[index] === 'copied' ? request.node : -ERRNO.ENOENT;
  }
  return done;
}

function scratchOf(copying: Copying, shift: number): SyscallResult<Scratch> {
  const { caller, thread, pages, request, scratches } = copying;
  const known = scratches.get(shift);
  if (known !== undefined) return { ok: true, value: known };
  const { tablePages, pageSizeBytes } = thread.mm.memory;
  const phase = pages.start % tablePages;
  const count = pages.end - pages.start;
  const room = { address: 0n, pageCount: phase + count + shift, alignmentPages: tablePages };
  const kind = { access: 'write', isShared: false, object: null, offset: 0 } as const;
  const mapped = mmap(caller.machine, thread, { ...room, ...kind });
  if (!mapped.ok) return mapped;
  const start = pageOf(mapped.value, pageSizeBytes) + phase + shift;
  const made = { address: mapped.value, pageCount: room.pageCount, start };
  scratches.set(shift, made);
  const { advice } = request;
  const copies = { address: addressOf(start, pageSizeBytes), pageCount: count };
  const advised = advice < 0 ? DONE : madvise(thread, { ...copies, advice });
  return advised.ok ? { ok: true, value: made } : advised;
}

/** Pages on the node for those that are copied, with the policy that these have. */
function fill(copying: Copying, part: Pages, copy: PagesCall): SyscallResult<undefined> {
  const { caller, thread, request, kinds } = copying;
  const { pageSizeBytes } = thread.mm.memory;
  const { mode, nodemask, node } = request;
  const size = BigInt(pageSizeBytes);
  for (let index = part.start; index < part.end; ) {
    let end = index;
    while (end < part.end && kinds[end] === 'copied') end += 1;
    const run = {
      address: copy.address + BigInt(index - part.start) * size,
      pageCount: end - index,
    };
    const touched = end > index ? madvise(thread, { ...run, advice: MADV.POPULATE_WRITE }) : DONE;
    if (!touched.ok) return touched;
    index = Math.max(end, index + 1);
  }
  const range = { address: copy.address, lengthBytes: BigInt(copy.pageCount) * size };
  const denied = caller.machine.deniedCalls.get('mbind');
  if (denied !== undefined || thread.policy === null) {
    const { facts } = caller.machine.memory;
    return splitModeWord(mode, facts)?.mode.isNone === true
      ? DONE
      : failure('mbind', denied ?? ERRNO.EPERM);
  }
  const target = userMask(nodemaskWords([node]));
  const placed = { ...range, mode: MPOL.BIND, nodemask: target, flags: MPOL_MF.STRICT };
  const verified = mbind(thread, placed);
  if (!verified.ok) return verified.errno === ERRNO.EIO ? failure('mbind', ERRNO.ENOMEM) : verified;
  return mbind(thread, { ...range, mode, nodemask: userMask(nodemask), flags: 0 });
}
