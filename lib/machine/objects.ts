/**
 * Objects behind memory: shared memory, files, huge pages of a pool. Errnos as in memory.ts.
 */

import type { SyscallResult } from '../backend/syscall-result.ts';
import type { MmapRequest } from './memory.ts';

/**
 * `memfd`: memfd_create(2). `sysv`: shmget(2). `hugetlb`: a memfd of the pool's huge pages. `tmpfs`
 * and `ramfs`: a file of such a file system. `disk`: a file that is written back to one. `secret`:
 * memfd_secret(2).
 */
export type ObjectKind = 'memfd' | 'sysv' | 'hugetlb' | 'tmpfs' | 'ramfs' | 'disk' | 'secret';

/** Known to the process that made it and to children forked since; a sysv segment to all. */
export interface MachineObject {
  readonly kind: ObjectKind;
  /** Descriptor, or a segment's id. */
  readonly id: number;
  readonly inode: number;
}

export interface MapObjectRequest extends MmapRequest {
  /** Where in the object it begins, in pages. Default 0. */
  readonly firstPage?: number;
}

export interface ObjectCalls {
  /** An object of that many base pages, none of which has memory. `name` is a memfd's. EINVAL: a
   *  size that cuts a huge page of the pool. */
  create(kind: ObjectKind, pageCount: number, name?: string): SyscallResult<MachineObject>;
  /** Maps part of an object; the value is the address. A segment is attached whole, shared, at any
   *  address, and goes with its last user. EINVAL: not an object of this process, not such a way.
   *  ENOMEM: the pool has not enough huge pages. Source: mmap(2), shmat(2). */
  map(object: MachineObject, request: MapObjectRequest): SyscallResult<bigint>;
  /** Fills pages of an object without mapping them. EINVAL: it cannot be written. ENOMEM. Source:
   *  write(2). */
  write(
    object: MachineObject,
    pages: { readonly firstPage: number; readonly pageCount: number },
  ): SyscallResult<undefined>;
}
