/**
 * Memory of a simulated process by addresses of its own choice. Answers are the kernel's: a value,
 * or a positive errno. ESRCH: the process has ended, or the call has ended it.
 */

import type { Access, PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';

/** What a mapping lets its program do; `write` includes `read`. */
export type Protection = Access | 'none' | 'write-only';

export interface MmapRequest {
  /** Exactly there, MAP_FIXED_NOREPLACE. Default: where the system likes. */
  readonly address?: bigint;
  readonly pageCount: number;
  /** MAP_SHARED. Default: private. */
  readonly isShared?: boolean;
}

export interface MemoryCalls {
  /** Maps anonymous memory; the value is its address. EINVAL: an address inside a page, no page.
   *  EEXIST: something is there. ENOMEM: no room, too many mappings. Source: mmap(2). */
  mmap(request: MmapRequest): SyscallResult<bigint>;
  /** Unmaps whatever there is. EINVAL: an end inside of what cannot be cut. ENOMEM: too many
   *  mappings. Source: munmap(2). */
  munmap(span: PageSpan): SyscallResult<undefined>;
  /** ENOMEM: a gap, or too many mappings; what lies before has changed. Source: mprotect(2). */
  mprotect(span: PageSpan, protection: Protection): SyscallResult<undefined>;
  /** Locks pages and faults them in. ENOMEM: a gap. Source: mlock(2). */
  mlock(span: PageSpan): SyscallResult<undefined>;
  /** Unlocks pages, which stay. ENOMEM: a gap, or too many mappings; what lies before has changed.
   *  Source: munlock(2). */
  munlock(span: PageSpan): SyscallResult<undefined>;
  /** Accesses each page in turn. EFAULT: SIGSEGV or SIGBUS. ESRCH: killed, no memory was left that
   *  the policy allows. */
  touch(span: PageSpan, access: Access): SyscallResult<undefined>;
  /**
   * Accesses all pages once in each tick of 4 ms, for so many milliseconds of the machine's logical
   * time: the only call that takes any, and in which automatic balancing works. `count` adds 1 to
   * the first word of each page.
   */
  keepTouching(
    span: PageSpan,
    access: Access | 'count',
    milliseconds: number,
  ): SyscallResult<undefined>;
  /** Writes 64 bits at an address. EFAULT. */
  store(address: bigint, value: bigint): SyscallResult<undefined>;
  /** Reads 64 bits: 0 where nothing was stored, also where JavaScript wrote to `bytes`. EFAULT. */
  load(address: bigint): SyscallResult<bigint>;
}
