/** What the administrator of a simulated machine sets. */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import type {
  BalancingWord,
  CpusetCalls,
  CpusetOptions,
  WeightFiles,
} from '../../machine/settings.ts';
import type { SteppedCpuset } from './simulated-process.ts';

export interface SimulatedCpuset extends CpusetCalls {
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
