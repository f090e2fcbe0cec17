/** What the administrator of a simulated machine sets, and what it counts. */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { SteppedCpuset } from './stepped-calls.ts';

/** `/sys/kernel/mm/transparent_hugepage/enabled`. */
export type HugePagesWord = 'always' | 'madvise' | 'never';

/** kernel.numa_balancing: 0, 1 or 2. `tiering`: only between fast memory and slow. */
export type BalancingWord = 'off' | 'on' | 'tiering';

/** Pages that a node has given out since the machine started. Source: numastat of sysfs. */
export interface NodeCounters {
  readonly numaHit: number;
  readonly numaMiss: number;
  readonly numaForeign: number;
  readonly interleaveHit: number;
  readonly localNode: number;
  readonly otherNode: number;
}

/**
 * What migrations and automatic balancing have done since the machine started, under the kernel's
 * names: base pages, but for faults and huge pages. Source: /proc/vmstat.
 */
export interface VmCounters {
  /** Pages that migrations have moved, and could not move. */
  readonly pgmigrateSuccess: number;
  readonly pgmigrateFail: number;
  /** Pages that balancing has marked; a huge page is as many as it has, and one of the latter. */
  readonly numaPteUpdates: number;
  readonly numaHugePteUpdates: number;
  /** Accesses to marked pages, one for a huge page; and those by CPUs of the page's node. */
  readonly numaHintFaults: number;
  readonly numaHintFaultsLocal: number;
  /** Pages that balancing has moved. */
  readonly numaPagesMigrated: number;
  /** Of these, pages that tiering has moved from slow memory to fast. */
  readonly pgpromoteSuccess: number;
  /** Pages of slow memory that were hot enough to be. */
  readonly pgpromoteCandidate: number;
  /** Pages that were promoted whether hot or not, for there was plenty of room. null: 6.1 and 6.12
   *  do not count them. */
  readonly pgpromoteCandidateNrl: number | null;
}

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
export interface SimulatedCpuset {
  /** Writes cpuset.mems, a list as the kernel reads it: `0-1,3`. EINVAL, ERANGE, ENOSPC. */
  setMems(nodes: string): SyscallResult<undefined>;
  /** Writes cgroup.procs: the process joins with all of its threads. ESRCH, EINVAL, ENOSPC. */
  attach(pid: number): SyscallResult<undefined>;
  /** The process goes back to the root, with all of its threads. ESRCH, EINVAL. */
  leave(pid: number): SyscallResult<undefined>;
  /** Its processes go back to the root. */
  empty(): void;
  /** The same writes, step by step. */
  readonly steps: SteppedCpuset;
}

export interface MachineSettings {
  /** kernel.numa_balancing; `off` on a new machine. It works while `keepTouching()` passes time. */
  balancing: BalancingWord;
  /**
   * What tiering promotes to one node in a second at most, where that is not mostly free, in MiB;
   * 65536 on a new machine, and nothing with 0.
   * Source: kernel.numa_balancing_promote_rate_limit_MBps.
   */
  promoteRateLimitMBps: number;
  /**
   * A page of slow memory is hot if it is touched sooner after its mark, in milliseconds; 1000 on a
   * new machine. While tiering works, the kernel adjusts it to the rate. Source: hot_threshold_ms
   * of debugfs.
   */
  hotThresholdMs: number;
  readonly weights: WeightFiles;
  /** Huge pages of a node's pool. Source: nr_hugepages of sysfs. */
  hugePoolPages(node: number): number;
  /** Sets them, as far as memory reaches; pages in use stay, as surplus. */
  setHugePoolPages(node: number, pageCount: number): void;
  /** One pass of KSM over all memory that is advised MADV.MERGEABLE: equal pages become one. */
  mergeEqualPages(): void;
  /** A new group without processes. EINVAL: version 1, where the kernel has none. */
  cpuset(options?: CpusetOptions): SyscallResult<SimulatedCpuset>;
}
