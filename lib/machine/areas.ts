/**
 * Memory areas (VMAs) of a simulated process: advice, moves to other addresses, and what /proc
 * tells of them. Errnos as in memory.ts.
 */

import type { PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';

/** One memory area, or the part of it that was asked about. */
export interface MemoryArea extends PageSpan {
  /** As numa_maps words it: `bind:1`. */
  readonly policy: string;
  /** Bytes of the whole area in transparent huge pages: AnonHugePages of smaps. */
  readonly hugeBytes: number;
}

export interface AreaCalls {
  /** `advice` is one of MADV. EINVAL: unknown, or not for such memory. ENOMEM: a gap; what is
   *  mapped has been advised. Source: madvise(2). */
  madvise(span: PageSpan, advice: number): SyscallResult<undefined>;
  /** Moves mappings to exactly there, over whatever is there. EINVAL: overlapping, or an end inside
   *  of what cannot be cut. EFAULT: a gap, or several mappings where the kernel takes one. ENOMEM:
   *  too many mappings. Source: mremap(2), MREMAP_FIXED. */
  mremap(span: PageSpan, to: bigint): SyscallResult<undefined>;
  /** Makes a mapping longer or shorter; the value is where it is then. EINVAL, EFAULT, ENOMEM.
   *  Source: mremap(2), MREMAP_MAYMOVE. */
  resize(span: PageSpan, newPageCount: number): SyscallResult<bigint>;
  /** Areas in a range, cut to it, ascending. Source: proc_pid_smaps(5), numa_maps. */
  list(span: PageSpan): SyscallResult<MemoryArea[]>;
  /** Every line of numa_maps below a folder of /proc, by default `thread-self`: the policy of the
   *  thread, or with `self` of the main thread, counts where an area has none. Source: numa(7). */
  numaMaps(folder?: 'self' | 'thread-self'): SyscallResult<string[]>;
  /** What the kernel maps into each process: its code, and the data of its clocks. */
  special(name: 'vdso' | 'vvar'): SyscallResult<PageSpan>;
  /** Maps memory of a device, which no node has; the value is its address. Errnos as of `mmap`.
   *  Source: mem(4). */
  mapDevice(request: {
    readonly address?: bigint;
    readonly pageCount: number;
  }): SyscallResult<bigint>;
}
