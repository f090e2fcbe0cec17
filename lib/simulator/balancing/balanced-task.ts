/**
 * What automatic balancing keeps of a thread and of its address space, and what it asks of them.
 *
 * Source: include/linux/sched.h, the numa_* fields of struct task_struct; include/linux/mm_types.h,
 * those of struct mm_struct.
 *
 * Deviation: threads that touch the same pages form no NUMA group, the period of scans does not
 * adapt to how many faults are local, and a thread is not moved to its memory: it stays on its CPU.
 */

import type { Toucher } from '../memory/fault.ts';
import { NO_NODE } from '../nodes/nodemask.ts';

/** Default of scan_delay_ms in debugfs. */
export const SCAN_DELAY_MS = 1000;
/** Default of scan_period_min_ms, the period of a process whose memory is one scan. */
export const SCAN_PERIOD_MS = 1000;

/** Of a thread. */
export class NumaTask {
  /** Time that it has run: sum_exec_runtime. */
  executedMs = 0;
  /** Of that time, when it last looked at its address space. */
  nodeStampMs = 0;
  /** The scan whose faults are counted. */
  scanSeq = 0;
  /** The node with most of its faults. */
  preferredNode: number = NO_NODE;
  totalFaults = 0;
  /** By node, older scans counting less. */
  readonly faults: Map<number, number> = new Map();
  /** By node, since the faults were last counted. */
  readonly newFaults: Map<number, number> = new Map();
}

/** Of an address space. */
export class NumaScan {
  /** null: not thought of yet. */
  nextMs: number | null;
  /** The page where the next part begins. */
  offset = 0;
  /** Times that the whole space was gone through. */
  seq = 0;
  /** When pages of slow memory were marked, by number. Source: folio_xchg_access_time(). */
  readonly markedAtMs: Map<number, number> = new Map();

  constructor(nextMs: number | null = null) {
    this.nextMs = nextMs;
  }
}

/** A thread, as far as balancing knows it. */
export interface BalancedTask extends Toucher {
  readonly tid: number;
  readonly cpu: number;
  readonly numa: NumaTask;
  readonly scan: NumaScan;
  /** Threads that share its address space, itself among them. */
  readonly threadCount: number;
}
