/**
 * References that keep pages where they are: a pipe's (vmsplice), or a registered buffer's pins;
 * rings that hold pages (io_uring, XDP sockets), and rings whose pages belong to a driver (packet
 * sockets).
 *
 * Source: fs/splice.c, vmsplice_to_pipe(); io_uring/rsrc.c, io_sqe_buffer_register() and
 * io_pin_pages(); net/xdp/xdp_umem.c, xdp_umem_pin_pages(); net/packet/af_packet.c, alloc_pg_vec()
 * and packet_mmap(); mm/gup.c, check_vma_flags() and writable_file_mapping_allowed().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { MachineState } from '../machine.ts';
import { allows, dirtyPresent, touchPages } from '../memory/fault.ts';
import { allocateFolio } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import { folioIdOf, isFolio, isInline, isMarked, isPage } from '../memory/page-entry.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import { countAllocation, countedSearchFor, findNode } from '../policy/placement.ts';
import {
  giveUpPages,
  type Reference,
  releaseReference,
  takeReference,
} from '../tasks/references.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import { mmap } from './mapping-calls.ts';
import { type PagesCall, pageOf } from './range-argument.ts';

export interface PinCall {
  readonly address: bigint;
  readonly pageCount: number;
  readonly kind: Reference['kind'];
  /** Behind a page that is not mapped for writing, all are dirty. Source: FOLL_TOUCH. */
  readonly dirtiesBehindFault?: boolean;
}

/** Faults the pages in, for reading or, for a pin, writing. The value names the reference. */
export function pinPages(thread: Thread, call: PinCall): SyscallResult<number> {
  const { mm } = thread;
  const start = pageOf(call.address, mm.memory.pageSizeBytes);
  const end = start + call.pageCount;
  if (mm.vmas.within(start, end).some(isForeign)) return failure('pin', ERRNO.EFAULT);
  let isFast = true;
  for (let page = start; page < end; page += 1) {
    isFast &&= isMappedForWriting(mm, page);
    // What is mapped for writing is there already, and a pin by itself writes nothing; a page of a
    // file is not, until a write has been a fault.
    const isThere = isFolio(mm.pages.get(page)) && isWrittenUntold(mm.vmas.lookup(page));
    const access = call.kind === 'pin' && !isThere ? 'write' : 'read';
    if (touchPages(thread, page, page + 1, access) === 'done') {
      if (call.dirtiesBehindFault === true && !isFast) dirtyPresent(mm, page, page + 1);
      continue;
    }
    // A pipe takes as much as there is, and has too little then.
    const isPart = page > start && call.kind === 'reference';
    return failure('pin', isPart ? ERRNO.ENOBUFS : ERRNO.EFAULT);
  }
  const folioIds: number[] = [];
  for (let page = start; page < end; page += 1) {
    // The zero page is nobody's: a reference to it holds nothing.
    if (isPage(mm.pages.get(page))) folioIds.push(mm.folioAt(page));
  }
  return success(thread.process.keep(takeReference(mm.memory, call.kind, folioIds)));
}

/** Whether it is found without faults and locks. Source: gup_fast_pte_range(). */
function isMappedForWriting(mm: Mm, page: number): boolean {
  const area = mm.vmas.lookup(page);
  const entry = mm.pages.get(page);
  if (area === undefined || !allows(area, 'write') || isMarked(entry)) return false;
  if (!isFolio(entry)) return isInline(entry);
  const { isAnonymous, isExclusive } = mm.memory.folios.get(folioIdOf(entry));
  return isWrittenUntold(area) || (isAnonymous && isExclusive);
}

/** Shared, and mapped for writing at once: nobody wants to know of its first write. */
function isWrittenUntold(area: Vma | undefined): boolean {
  if (area === undefined || !hasFlag(area, VM.SHARED) || !allows(area, 'write')) return false;
  return area.object?.kind.isFile !== true;
}

/** Memory that the kernel has no pages of, or may not look into. Source: check_vma_flags(). */
function isForeign(area: Vma): boolean {
  return hasFlag(area, VM.IO) || area.object?.kind.isReachable === false;
}

/** EBADF is not told apart: a name that is none is EINVAL. */
export function unpinPages(thread: Thread, descriptor: number): SyscallResult<undefined> {
  const { references } = thread.process;
  const reference = references.get(descriptor);
  if (reference === undefined) return answer('unpin', ERRNO.EINVAL);
  references.delete(descriptor);
  releaseReference(thread.mm.memory, reference);
  return answer('unpin', 0);
}

function areasOf({ mm }: Thread, { address, pageCount }: PagesCall): Vma[] {
  const start = pageOf(address, mm.memory.pageSizeBytes);
  return mm.vmas.within(start, start + pageCount);
}

/** Pins a buffer for long; the value names it. */
export function registerBuffer(thread: Thread, call: PagesCall): SyscallResult<number> {
  // A ring's socket is a file. A device's memory is one that cannot be pinned: EFAULT comes first.
  const isOfFile = (area: Vma): boolean =>
    area.object?.kind.isFile === true || (hasFlag(area, VM.MIXEDMAP) && !hasFlag(area, VM.IO));
  const hasFile = areasOf(thread, call).some(isOfFile);
  if (hasFile && !thread.mm.memory.facts.ringsTakeFiles) {
    return failure('register_buffer', ERRNO.EOPNOTSUPP);
  }
  const dirtiesBehindFault = thread.mm.memory.facts.ringsDirtyBehindFaults;
  return pinForLong(thread, { ...call, dirtiesBehindFault }, 'register_buffer');
}

/** Gives the pages of a ring up; its descriptors stay. Source: io_sqe_buffers_unregister(). */
export function unregisterBuffer(thread: Thread, ring: number): SyscallResult<undefined> {
  const pin = thread.process.references.get(ring);
  if (pin?.kind !== 'pin') return failure('unregister_buffer', ERRNO.EINVAL);
  if (pin.folioIds.length === 0) return failure('unregister_buffer', ERRNO.ENXIO);
  giveUpPages(thread.mm.memory, pin);
  return answer('unregister_buffer', 0);
}

/** Pins memory for packets, until the process ends. */
export function registerPackets(thread: Thread, call: PagesCall): SyscallResult<undefined> {
  const pinned = pinForLong(thread, call, 'register_packets');
  return pinned.ok ? answer('register_packets', 0) : pinned;
}

function pinForLong(
  thread: Thread,
  call: Omit<PinCall, 'kind'>,
  name: string,
): SyscallResult<number> {
  const { facts } = thread.mm.memory;
  const isSharedFile = (area: Vma): boolean =>
    area.object?.kind.isFile === true && hasFlag(area, VM.SHARED);
  const isRefused = !facts.filesCanBePinned && areasOf(thread, call).some(isSharedFile);
  if (isRefused) return failure(name, ERRNO.EFAULT);
  const pinned = pinPages(thread, { ...call, kind: 'pin' });
  return pinned.ok ? pinned : failure(name, pinned.errno);
}

/** Blocks of pages by the thread's policy, mapped at once: the value is where. */
export function mapPacketRing(
  machine: MachineState,
  thread: Thread,
  { blockPages, blockCount }: { readonly blockPages: number; readonly blockCount: number },
): SyscallResult<bigint> {
  const pageCount = blockPages * blockCount;
  if (pageCount <= 0) return failure('packet_ring', ERRNO.EINVAL);
  const { memory } = machine;
  const object = machine.createObject('driver', pageCount, `socket:[${machine.nextInode}]`);
  thread.process.open(object);
  for (let index = 0; index < pageCount; index += blockPages) {
    const search = countedSearchFor(thread.policy, thread, memory.interleave);
    const node = findNode(memory.physical, search, blockPages);
    if (node === NO_NODE) return failure('packet_ring', ERRNO.ENOMEM);
    const options = { pageCount: blockPages, object, index };
    object.pages.set(index, allocateFolio(memory, 'object', node, options));
    countAllocation(memory.physical, search, node);
  }
  const request = { address: 0n, pageCount, access: 'write', isShared: true, offset: 0 } as const;
  const mapped = mmap(machine, thread, { ...request, object, flags: VM.MIXEDMAP });
  if (!mapped.ok) return mapped;
  const start = pageOf(mapped.value, memory.pageSizeBytes);
  for (const [index, folioId] of object.pages) {
    thread.mm.mapFolio(start + index, folioId, blockPages);
  }
  return mapped;
}
