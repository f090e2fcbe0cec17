/**
 * A mapped range as a backend hands it out: what one mmap returned, and who may name it.
 */

import type { SyscallResult } from './syscall-result.ts';

/**
 * Names a mapping of this process from any of its threads. Owns nothing, and can be cloned: post
 * it to a worker and attach there.
 */
export interface MappingHandle {
  /** Slot in the process-wide table of mappings. */
  readonly id: number;
  /** Tells one user of a slot from the next: a stale handle never names somebody else's memory. */
  readonly generation: number;
}

/** What is to be mapped; with nothing but a length private anonymous memory. */
export interface MappingRequest {
  /** Rounded up to whole pages, of a pool's where it has any. EINVAL for 0. */
  readonly lengthBytes: number;
  /** The address is a multiple of this power of two; only for private anonymous memory. */
  readonly alignmentBytes?: number;
  /** Pages of the pool of huge pages of this size, a power of two: MAP_HUGETLB. EINVAL: the kernel
   *  has no such pool. ENOMEM: too few of its pages are free. */
  readonly hugePageBytes?: number;
  /** MAP_SHARED. Without a descriptor the memory gets one of its own: memfd_create(2), sealed, so
   *  that nobody can make it shorter or longer. */
  readonly isShared?: boolean;
  /** A file, which the mapping opens again for itself. ENODEV: no regular file. EACCES: shared, and
   *  not open for writing. EBADF. */
  readonly descriptor?: number;
  /** Where in the file it begins, in whole pages. EINVAL. */
  readonly offsetBytes?: number;
}

/** Bytes of a live mapping; `ENOENT` after its `munmap`, `ERANGE` outside of it. */
export interface MappedPart {
  readonly mapping: Mapping;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Arguments of madvise(2): every page that the bytes meet. */
export interface MadviseRequest extends MappedPart {
  /** `MADV.HUGEPAGE`, `NOHUGEPAGE`, `POPULATE_READ` or `POPULATE_WRITE`, which change no byte;
   *  EINVAL for others. */
  readonly advice: number;
}

/** What is behind a mapping of a file. */
export interface FileState {
  /** The file's length now. */
  readonly sizeBytes: number;
  /** Somebody made the file shorter, and an access came to where it was: the mapping has zeros of
   *  its own from there on, whatever becomes of the file. */
  readonly isTruncated: boolean;
}

/** One owner's share of a mapping. Made by `mmap` or `attach`, given up by `munmap`. */
export interface Mapping {
  readonly handle: MappingHandle;
  /** First byte; page aligned. */
  readonly address: bigint;
  /** As asked of `mmap`; what is mapped is this, rounded up to whole pages. */
  readonly lengthBytes: number;
  /** Of the file behind it, or of shared memory: closed on exec, and with the mapping. `null` for
   *  private anonymous memory. */
  readonly descriptor: number | null;
}

/** The part of a backend that is about mappings; synchronous, but for what returns a promise. */
export interface MappingCalls {
  /** Maps memory that can be read and written; no page is touched and the caller owns the mapping.
   *  Source: mmap(2), memfd_create(2). EINVAL, ENOMEM; EAGAIN: all memory of the process is locked,
   *  and RLIMIT_MEMLOCK reached. Failures of memfd_create, fstat or fcntl have their names. */
  mmap(request: MappingRequest): SyscallResult<Mapping>;
  /** Makes the caller one more owner of a mapping of this process, from any thread. ENOENT once
   *  the last owner has called `munmap`. */
  attach(handle: MappingHandle): SyscallResult<Mapping>;
  /** The mapping's `lengthBytes` bytes; the same object at each call until `munmap`. EOVERFLOW
   *  where this JavaScript engine cannot make an ArrayBuffer as long as that, EOPNOTSUPP where it
   *  forbids ArrayBuffers over mapped memory. */
  arrayBuffer(mapping: Mapping): SyscallResult<ArrayBuffer>;
  /** Some of its bytes, in an array over a buffer that need not be `arrayBuffer`'s; until `munmap`.
   *  ERANGE: outside of the mapping. EOVERFLOW, EOPNOTSUPP as there. */
  bytesAt(part: MappedPart): SyscallResult<Uint8Array<ArrayBuffer>>;
  /** Gives private memory another length, and mostly another address: pages, policy and advice go
   *  along, its ArrayBuffers are detached, the handle stays. The mapping is given up where this
   *  succeeds, and the value has its share. Synchronous. Source: mremap(2). EBUSY: it has other
   *  owners, a call is under way, or a script has taken its bytes. EINVAL: of a pool, or with a
   *  descriptor. Of several mappings each by itself; EFAULT: they changed meanwhile. ENOMEM,
   *  EAGAIN. */
  mremap(mapping: Mapping, lengthBytes: number): SyscallResult<Mapping>;
  /** The file behind a mapping, or of a descriptor. EBADF: memory without a file, no such
   *  descriptor. Source: fstat(2). */
  fstat(file: Mapping | number): SyscallResult<FileState>;
  /** A descriptor of a regular file, closed on exec: `write` is for reading, too. Source:
   *  openat(2). ENOENT, EACCES, EISDIR, EROFS. */
  open(path: string, access: 'read' | 'write'): SyscallResult<number>;
  /** Closes what `open` gave; mappings of it stay. Source: close(2). EBADF. */
  close(descriptor: number): SyscallResult<undefined>;
  /** Gives this owner's share up: detaches its ArrayBuffer at once. The memory is given back when
   *  neither an owner nor a running call uses it; its addresses are used for nothing else before
   *  the ArrayBuffer is collected, whatever goes on with them. Idempotent. Source: munmap(2). */
  munmap(mapping: Mapping): void;
  /** How memory is to be backed; synchronous. Source: madvise(2). EINVAL: not built into this
   *  kernel, or not for such memory. */
  madviseSync(request: MadviseRequest): SyscallResult<undefined>;
  /** The same on another thread, which runs on these CPUs meanwhile, as far as it may; none: on
   *  any. `POPULATE_WRITE` faults pages in without changing a byte, since Linux 5.14; EFAULT: one
   *  cannot be had. */
  madvise(request: MadviseRequest, cpus: readonly number[]): Promise<SyscallResult<undefined>>;
  /** Writes what a shared mapping has changed to its file, on another thread. Source: msync(2),
   *  MS_SYNC. EIO. */
  msync(part: MappedPart): Promise<SyscallResult<undefined>>;
}
