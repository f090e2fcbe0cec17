/** What the administrator of a machine sets. */

import type { SyscallResult } from '../backend/syscall-result.ts';

/** `/sys/kernel/mm/transparent_hugepage/enabled`. */
export type HugePagesWord = 'always' | 'madvise' | 'never';

/** kernel.numa_balancing: 0, 1 or 2. `tiering`: only between fast memory and slow. */
export type BalancingWord = 'off' | 'on' | 'tiering';

/**
 * The files of interleave weights: `nodeN` for each node with memory, and `auto` where the kernel
 * can choose them by bandwidth; none where it has no weighted interleaving.
 * Source: /sys/kernel/mm/mempolicy/weighted_interleave.
 */
export interface WeightFiles {
  names(): string[];
  /** Without the newline. ENOENT. */
  read(name: string): SyscallResult<string>;
  /** As that process, whose user must be root; default: as root. EINVAL, ENOENT, EACCES, ENODEV (no
   *  bandwidths to choose by), ESRCH. */
  write(name: string, text: string, pid?: number): SyscallResult<undefined>;
  /** MB/s by node, as the firmware tells them: the smaller of reading and writing. */
  readonly firmwareBandwidths: ReadonlyMap<number, number>;
}

export interface CpusetOptions {
  /** cgroup version. Default 2. */
  readonly version?: 1 | 2;
  /** Version 1, memory_migrate: pages follow when nodes change. In version 2 they do. */
  readonly migrates?: boolean;
}

/** A group of processes with nodes of its own, below the root. Source: cpuset(7). */
export interface CpusetCalls {
  /** Writes cpuset.mems, a list as the kernel reads it: `0-1,3`. EINVAL, ERANGE, ENOSPC. */
  setMems(nodes: string): SyscallResult<undefined>;
  /** Writes cgroup.procs: the process joins with all of its threads. ESRCH, EINVAL, ENOSPC. */
  attach(pid: number): SyscallResult<undefined>;
  /** The process goes back to the root, with all of its threads. ESRCH, EINVAL. */
  leave(pid: number): SyscallResult<undefined>;
}
