/**
 * memfd_create(2), memfd_secret(2), shmget(2), shmat(2), open(2) of files, and mmap(2) and write(2)
 * of what they gave.
 *
 * Source: mm/shmem.c, mm/secretmem.c, ipc/shm.c, fs/hugetlbfs/inode.c, mm/filemap.c.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { MachineState } from '../machine.ts';
import { MEMORY_KINDS } from '../memory/kinds.ts';
import { leaveObject } from '../memory/memory.ts';
import type { MemoryObject, ObjectAttributes } from '../memory/memory-object.ts';
import { fillObject } from '../memory/object-fault.ts';
import { VM, type VmaAccess } from '../memory/vma.ts';
import { NO_NODES, nodesIn } from '../nodes/nodemask.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import { mmap } from './mapping-calls.ts';
import { pageOf } from './range-argument.ts';

/** An object and the process's descriptor for it. */
export interface OpenObject {
  readonly object: MemoryObject;
  readonly descriptor: number;
}

export type NewObject = Pick<ObjectAttributes, 'type' | 'sizePages' | 'path'> &
  Partial<Pick<ObjectAttributes, 'sizeBytes'>>;

/** Opens an object of that many pages. A huge page of a pool is never cut by its end. */
export function openObject(
  machine: MachineState,
  thread: Thread,
  { type, sizePages, path, sizeBytes }: NewObject,
): SyscallResult<OpenObject> {
  const isCut = MEMORY_KINDS[type].isHugetlb && sizePages % machine.memory.tablePages !== 0;
  if (isCut) return failure('ftruncate', ERRNO.EINVAL);
  const object = machine.createObject(type, sizePages, path, sizeBytes);
  return success({ object, descriptor: thread.process.open(object) });
}

export interface MapObjectCall {
  readonly object: MemoryObject;
  /** 0 for wherever there is room. */
  readonly address: bigint;
  readonly pageCount: number;
  readonly isShared: boolean;
  /** Page offset in the object. */
  readonly offset: number;
  readonly access: VmaAccess;
}

export function mapObject(
  machine: MachineState,
  thread: Thread,
  call: MapObjectCall,
): SyscallResult<bigint> {
  const { kind } = call.object;
  if (kind.isHugetlb) return mapHuge(machine, thread, call);
  if (kind.isReachable) return mmap(machine, thread, call);
  if (!call.isShared) return failure('mmap', ERRNO.EINVAL);
  const isLocked = machine.memory.facts.secretPagesAreLocked;
  return mmap(machine, thread, { ...call, flags: isLocked ? VM.LOCKED : 0 });
}

/** All pages of the mapping are promised now. Source: hugetlbfs_file_mmap(). */
function mapHuge(
  machine: MachineState,
  thread: Thread,
  call: MapObjectCall,
): SyscallResult<bigint> {
  const { tablePages, pool, pageSizeBytes } = machine.memory;
  const { object, isShared, offset } = call;
  const pageCount = Math.ceil(call.pageCount / tablePages) * tablePages;
  const start = pageOf(call.address, pageSizeBytes);
  const isAligned = [offset, start].every((pages) => pages % tablePages === 0);
  if (!isAligned) return failure('mmap', ERRNO.EINVAL);
  const heads = Array.from({ length: pageCount / tablePages }, (_, i) => i * tablePages);
  const isMissing = (head: number): boolean =>
    !isShared || !(object.pages.has(offset + head) || object.reserved.has(offset + head));
  const missing = heads.filter(isMissing);
  if (!pool.reserve(missing.length, poolNodes(thread))) return failure('mmap', ERRNO.ENOMEM);
  const mapped = mmap(machine, thread, { ...call, pageCount, alignmentPages: tablePages });
  if (!mapped.ok) {
    pool.unreserve(missing.length);
    return mapped;
  }
  const first = pageOf(mapped.value, pageSizeBytes);
  for (const head of missing) {
    if (isShared) object.reserved.add(offset + head);
    else thread.mm.reserved.add(first + head);
  }
  return mapped;
}

/** Nodes whose free pages count: the thread's policy matters where it takes no others. */
function poolNodes({ policy, memsAllowed }: Thread): number[] {
  const bound = policy?.mode.isExclusive ? policy.nodes & memsAllowed : NO_NODES;
  return nodesIn(bound === NO_NODES ? memsAllowed : bound);
}

/** Puts pages into the page cache, dirty. */
export function writeObject(
  thread: Thread,
  { object, firstPage, pageCount }: { object: MemoryObject; firstPage: number; pageCount: number },
): SyscallResult<undefined> {
  const { memory } = thread.mm;
  if (!object.kind.canBeWritten) return answer('write', ERRNO.EINVAL);
  for (let index = firstPage; index < firstPage + pageCount; index += 1) {
    const folioId = object.pages.get(index) ?? fillObject(thread, object, index);
    if (folioId === null) return answer('write', ERRNO.ENOMEM);
    memory.folios.get(folioId).isDirty = true;
    object.sizePages = Math.max(object.sizePages, index + 1);
  }
  return answer('write', 0);
}

/** A System V segment, whose id is its inode's number. */
export function createSegment(
  machine: MachineState,
  sizePages: number,
): SyscallResult<MemoryObject> {
  const object = machine.createObject('shared-memory', sizePages, '/SYSV00000000 (deleted)');
  object.users += 1;
  machine.segments.set(object.inode, object);
  return success(object);
}

/** Attaches all of a segment and marks it for removal: the last user takes it along. */
export function attachSegment(
  machine: MachineState,
  thread: Thread,
  id: number,
): SyscallResult<bigint> {
  const object = machine.segments.get(id);
  if (object === undefined || (object.isRemoved && object.users === 0)) {
    return failure('attach_segment', ERRNO.EINVAL);
  }
  const mapped = mmap(machine, thread, {
    address: 0n,
    pageCount: object.sizePages,
    access: 'write',
    isShared: true,
    object,
    offset: 0,
  });
  if (mapped.ok && !object.isRemoved) {
    object.isRemoved = true;
    leaveObject(machine.memory, object);
  }
  return mapped;
}
