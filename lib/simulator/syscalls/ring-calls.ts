/**
 * Rings that hold pages (io_uring, XDP sockets) and rings whose pages belong to a driver (packet
 * sockets).
 *
 * Source: io_uring/rsrc.c, io_pin_pages(); net/xdp/xdp_umem.c, xdp_umem_pin_pages();
 * net/packet/af_packet.c, alloc_pg_vec() and packet_mmap(); mm/gup.c, check_vma_flags() and
 * writable_file_mapping_allowed().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { MachineState } from '../machine.ts';
import { allocateFolio } from '../memory/memory.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import { countAllocation, countedSearchFor, findNode } from '../policy/placement.ts';
import { giveUpPages } from '../tasks/references.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure } from './answer.ts';
import { mmap } from './mapping-calls.ts';
import { type PinCall, pinPages } from './pin-pages.ts';
import { type PagesCall, pageOf } from './range-argument.ts';

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
