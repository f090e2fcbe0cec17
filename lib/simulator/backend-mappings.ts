/**
 * What a backend maps for its process: private memory, huge pages of the pool, memory with a
 * descriptor, files. Beside it the calls about such mappings, by offsets.
 */

import { constants } from 'node:buffer';
import type { Access } from '../backend/backend.ts';
import type {
  FileState,
  MadviseRequest,
  MappedPart,
  Mapping,
  MappingHandle,
  MappingRequest,
} from '../backend/mapping.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import { MADV } from '../core/uapi.ts';
import type { Caller } from './caller.ts';
import { isTruncated, keepFile, type Mapped, type MappedFile, writeBack } from './mapped.ts';
import type { NewMapped } from './process-mappings.ts';
import { answer, failure, success } from './syscalls/answer.ts';
import { madvise } from './syscalls/madvise.ts';
import { mmap, munmap, roomFor } from './syscalls/mapping-calls.ts';
import { resizeMapping } from './syscalls/mremap.ts';
import { mapObject, openObject } from './syscalls/object-calls.ts';
import type { RangeArgument } from './syscalls/range-argument.ts';

/** Advice that changes no byte. */
const HARMLESS: readonly number[] = [
  ...[MADV.HUGEPAGE, MADV.NOHUGEPAGE],
  ...[MADV.POPULATE_READ, MADV.POPULATE_WRITE],
];

export function mapMemory(caller: Caller, request: MappingRequest): SyscallResult<Mapping> {
  const mapped = isPrivate(request) ? mapPrivate(caller, request) : mapFile(caller, request);
  return mapped.ok ? success(caller.mappings.add(mapped.value)) : mapped;
}

function isPrivate({ descriptor, isShared = false, hugePageBytes }: MappingRequest): boolean {
  return descriptor === undefined && !isShared && hugePageBytes === undefined;
}

/** Where private memory would be mapped now; undefined for what has an object. */
export function privateRoom(
  { machine, thread }: Caller,
  request: MappingRequest,
): RangeArgument | undefined {
  if (!isPrivate(request)) return undefined;
  const { pageCount, alignmentPages } = privatePages(request, machine.memory.pageSizeBytes);
  return roomFor(thread.mm, pageCount, alignmentPages);
}

function privatePages(
  { lengthBytes, alignmentBytes = 1 }: MappingRequest,
  pageSizeBytes: number,
): { readonly pageCount: number; readonly alignmentPages: number } {
  const alignmentPages = Math.max(1, alignmentBytes / pageSizeBytes);
  return { pageCount: Math.ceil(lengthBytes / pageSizeBytes), alignmentPages };
}

function mapPrivate(
  { machine, thread }: Caller,
  request: MappingRequest,
): SyscallResult<NewMapped> {
  const { lengthBytes } = request;
  const pages = privatePages(request, machine.memory.pageSizeBytes);
  const { pageCount } = pages;
  const where = { address: 0n, offset: 0, ...pages } as const;
  const call = { ...where, access: 'write', isShared: false, object: null } as const;
  const mapped = mmap(machine, thread, call);
  return mapped.ok
    ? success({ address: mapped.value, lengthBytes, pageCount, file: null })
    : mapped;
}

function mapFile(caller: Caller, request: MappingRequest): SyscallResult<NewMapped> {
  const { machine, thread } = caller;
  const { lengthBytes, offsetBytes = 0 } = request;
  const opened = open(caller, request);
  if (!opened.ok) return opened;
  const { object, isShared, descriptor } = opened.value;
  const { pageSizeBytes, tablePages } = machine.memory;
  const unitPages = object.kind.isHugetlb ? tablePages : 1;
  const pageCount = Math.ceil(lengthBytes / pageSizeBytes / unitPages) * unitPages;
  const offset = offsetBytes / pageSizeBytes;
  const place = { address: 0n, pageCount, offset, access: 'write' } as const;
  const mapped = Number.isInteger(offset)
    ? mapObject(machine, thread, { ...place, object, isShared })
    : failure('mmap', ERRNO.EINVAL);
  if (!mapped.ok) {
    thread.process.close(descriptor);
    return mapped;
  }
  const isNameless = request.descriptor === undefined && !isShared;
  if (isNameless) thread.process.close(descriptor);
  const file = { object, offsetBytes, isShared, descriptor: isNameless ? null : descriptor };
  return success({ address: mapped.value, lengthBytes, pageCount, file });
}

type OpenFile = MappedFile & { readonly descriptor: number };

/** What a mapping of its own is to be of: an object that is there, or a new one. */
function open(
  { machine, thread }: Caller,
  { lengthBytes, descriptor, hugePageBytes, isShared = false }: MappingRequest,
): SyscallResult<OpenFile> {
  const { pageSizeBytes, tablePages } = machine.memory;
  if (descriptor !== undefined) {
    const object = thread.process.objects.get(descriptor);
    if (object === undefined) return failure('fstat', ERRNO.EBADF);
    const own = thread.process.open(object);
    return success({ object, offsetBytes: 0, isShared, descriptor: own });
  }
  const isHuge = hugePageBytes !== undefined;
  if (isHuge && hugePageBytes !== tablePages * pageSizeBytes) {
    return isShared ? failure('memfd_create', ERRNO.ENODEV) : failure('mmap', ERRNO.EINVAL);
  }
  const unitBytes = isHuge ? hugePageBytes : pageSizeBytes;
  const sizePages = (Math.ceil(lengthBytes / unitBytes) * unitBytes) / pageSizeBytes;
  const made = openObject(machine, thread, {
    type: isHuge ? 'hugetlb' : 'shared-memory',
    path: isShared ? '/memfd:node-numa (deleted)' : '/anon_hugepage (deleted)',
    sizePages,
    sizeBytes: isHuge ? sizePages * pageSizeBytes : lengthBytes,
  });
  return made.ok ? success({ ...made.value, offsetBytes: 0, isShared }) : made;
}

export function unmapMemory({ thread }: Caller, mapped: Mapped): void {
  const { address, start, end, file } = mapped;
  writeBack(mapped);
  munmap(thread, { address, pageCount: end - start });
  if (file?.descriptor !== null && file !== null) thread.process.close(file.descriptor);
}

export function attach({ mappings }: Caller, handle: MappingHandle): SyscallResult<Mapping> {
  const share = mappings.attach(handle);
  return share === undefined ? failure('attach', ERRNO.ENOENT) : success(share);
}

export function bytesOf({ mappings }: Caller, mapping: Mapping): SyscallResult<ArrayBuffer> {
  return madeBytes(() =>
    (mappings.find(mapping)?.lengthBytes ?? 0) > constants.MAX_LENGTH
      ? failure('array_buffer', ERRNO.EOVERFLOW)
      : mappings.bytesOf(mapping),
  );
}

/** Of the one buffer that there is, however long: nobody reads or writes the rest of it. */
export function bytesOfPart(
  { mappings }: Caller,
  { mapping, offsetBytes, lengthBytes }: MappedPart,
): SyscallResult<Uint8Array<ArrayBuffer>> {
  const mapped = mappings.find(mapping);
  const isOutside = offsetBytes + lengthBytes > (mapped?.lengthBytes ?? 0) || lengthBytes === 0;
  if (mapped !== undefined && isOutside) return failure('array_buffer', ERRNO.ERANGE);
  return madeBytes(() => {
    const bytes = mappings.bytesOf(mapping, { offsetBytes, lengthBytes });
    return bytes === undefined ? undefined : new Uint8Array(bytes, offsetBytes, lengthBytes);
  });
}

function madeBytes<T extends object>(
  make: () => T | SyscallResult<T> | undefined,
): SyscallResult<T> {
  try {
    const made = make();
    if (made === undefined) return failure('array_buffer', ERRNO.ENOENT);
    return 'ok' in made ? made : success(made);
  } catch (error) {
    if (error instanceof RangeError) return failure('array_buffer', ERRNO.EOVERFLOW);
    throw error;
  }
}

/** Private memory of another length, wherever there is room for it. */
export function resizeMemory(
  { machine, thread, mappings }: Caller,
  mapping: Mapping,
  lengthBytes: number,
): SyscallResult<Mapping> {
  const mapped = mappings.find(mapping);
  if (mapped === undefined) return failure('mremap', ERRNO.ENOENT);
  if (!mappings.isOnlyUser(mapping)) return failure('mremap', ERRNO.EBUSY);
  if (mapped.file !== null) return failure('mremap', ERRNO.EINVAL);
  const { address, start, end } = mapped;
  const newPageCount = Math.ceil(lengthBytes / machine.memory.pageSizeBytes);
  const pages = { address, pageCount: end - start, newPageCount };
  const moved = resizeMapping(thread, { ...pages, isOfAddon: true });
  if (!moved.ok) return moved;
  const resized = { address: moved.value, lengthBytes, pageCount: newPageCount, file: null };
  return success(mappings.replace(mapping, resized));
}

/** Whole pages of a part; an errno for what lies outside, or was given up. */
export function pagesOfPart(
  { machine, mappings }: Caller,
  { mapping, offsetBytes, lengthBytes }: MappedPart,
): { readonly address: bigint; readonly pageCount: number } | number {
  const mapped = mappings.find(mapping);
  if (mapped === undefined) return ERRNO.ENOENT;
  const end = offsetBytes + lengthBytes;
  if (end > mapped.lengthBytes) return ERRNO.ERANGE;
  const { pageSizeBytes } = machine.memory;
  const first = Math.floor(offsetBytes / pageSizeBytes);
  const pageCount = lengthBytes === 0 ? 0 : Math.ceil(end / pageSizeBytes) - first;
  return { address: mapped.address + BigInt(first) * BigInt(pageSizeBytes), pageCount };
}

/** On the first of the CPUs that the thread may use, where any are named. */
export function advise(
  caller: Caller,
  { advice, ...part }: MadviseRequest,
  cpus: readonly number[] = [],
): SyscallResult<undefined> {
  const { thread } = caller;
  const pages = pagesOfPart(caller, part);
  if (typeof pages === 'number') return failure('madvise', pages);
  if (!HARMLESS.includes(advice)) return failure('madvise', ERRNO.EINVAL);
  const before = thread.cpu;
  thread.cpu = thread.affinity.find((cpu) => cpus.includes(cpu)) ?? before;
  try {
    return madvise(thread, { ...pages, advice });
  } finally {
    thread.cpu = before;
  }
}

export function fileStateOf(
  { process, mappings }: Caller,
  asked: Mapping | number,
): SyscallResult<FileState> {
  if (typeof asked === 'number') {
    const object = process.objects.get(asked);
    if (object === undefined) return failure('fstat', ERRNO.EBADF);
    return success({ sizeBytes: object.sizeBytes, isTruncated: false });
  }
  const mapped = mappings.find(asked);
  if (mapped === undefined) return failure('fstat', ERRNO.ENOENT);
  const { file } = mapped;
  if (file === null || file.descriptor === null) return failure('fstat', ERRNO.EBADF);
  const { sizeBytes } = file.object;
  return success({ sizeBytes, isTruncated: isTruncated(file.object) });
}

/** A file of the host, whose bytes are read now; the same one for all who have it open. */
export function openHostFile(
  { machine, thread }: Caller,
  path: string,
  access: Access,
): SyscallResult<number> {
  const { files } = machine;
  if (files === null) return failure('openat', ERRNO.ENOENT);
  const read = files.read(path, access);
  if (!read.ok) return read;
  const { bytes, ...file } = read.value;
  const { pageSizeBytes } = machine.memory;
  const known = machine.openFiles.get(file.identity);
  const isKnown = known !== undefined && known.users > 0;
  const sizePages = Math.ceil(bytes.length / pageSizeBytes);
  const object = isKnown ? known : machine.createObject('disk', sizePages, file.name, bytes.length);
  machine.openFiles.set(file.identity, object);
  const write = (at: number, part: Uint8Array) => files.write(file, at, part);
  if (!isKnown) keepFile(object, { bytes, isTruncated: false, write });
  return success(thread.process.open(object));
}

export function closeDescriptor(
  { thread: { process } }: Caller,
  descriptor: number,
): SyscallResult<undefined> {
  if (!process.objects.has(descriptor)) return answer('close', ERRNO.EBADF);
  process.close(descriptor);
  return answer('close', 0);
}

/** What JavaScript has written goes to the host's file, where there is one. */
export function sync(caller: Caller, part: MappedPart): SyscallResult<undefined> {
  const pages = pagesOfPart(caller, part);
  if (typeof pages === 'number') return answer('msync', pages);
  const mapped = caller.mappings.find(part.mapping);
  return answer('msync', mapped === undefined ? 0 : writeBack(mapped));
}
