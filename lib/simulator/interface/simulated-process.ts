/**
 * A process of a simulated machine as users have it: threads, each with a backend of its own, and
 * what a process does beside NUMA calls that matters to pages.
 */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import type {
  MachineCalls,
  MachineProcess,
  MachineThread,
  ProcessCapability,
} from '../../machine/process.ts';
import type { PageState } from './page-state.ts';
import type { SteppedCalls } from './stepped-calls.ts';

export interface ProcessOptions {
  /** Default 0, root. */
  readonly uid?: number;
  /** Default: all for root, none for others. */
  readonly capabilities?: readonly ProcessCapability[];
}

/** What a thread calls beside its backend, by concept. */
export interface SimulatedCalls extends MachineCalls {
  /** Accesses and moves that go on step by step. */
  readonly steps: SteppedCalls;
}

/** A thread: its policy, its CPU, and the calls it makes. */
export interface SimulatedThread extends SimulatedCalls, MachineThread {
  /** What this thread calls: for `openNuma({ backend })` and `openSyscalls(backend)`. */
  readonly backend: Backend;
  /** The thread's number; the main thread's is the process id. */
  readonly tid: number;
  /** The CPU that it runs on; `thread.setAffinity()` of its Numa moves it. */
  readonly cpu: number;
  /**
   * Takes a long-term reference to each page of a range, as RDMA and io_uring do: they cannot move
   * until the returned function is called. Pages that are not present are written first.
   * @throws NumaError NUMA_RANGE_UNMAPPED, NUMA_NO_SUCH_PROCESS
   * Source: mm/gup.c, FOLL_PIN | FOLL_LONGTERM.
   */
  pin(span: PageSpan): () => void;
  /**
   * A further thread, with the policy and the CPUs of this one.
   * @throws NumaError NUMA_NO_SUCH_PROCESS
   */
  thread(): SimulatedThread;
  /**
   * A child with a copy of the memory, and the policy of this thread.
   * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_OUT_OF_MEMORY
   */
  fork(): SimulatedProcess;
}

/** The calls are those of its main thread. */
export interface SimulatedProcess extends SimulatedCalls, MachineProcess {
  /** The process id on its machine: for `numa.process(pid)`. */
  readonly pid: number;
  /** What its main thread calls: for `openNuma({ backend })` and `openSyscalls(backend)`. */
  readonly backend: Backend;
  /** The thread that it began with. */
  readonly mainThread: SimulatedThread;
  /** As /proc/PID/comm has it: the first 15 bytes of what it was set to; children inherit it.
   *  Source: prctl(2), PR_SET_NAME. */
  name: string;
  /** Whether it may have transparent huge pages: prctl(PR_SET_THP_DISABLE). At first it may. */
  allowsHugePages: boolean;
  /** Whether equals may look into it, which a change of the user ends: prctl(PR_SET_DUMPABLE). */
  isDumpable: boolean;
  /** Hint faults that automatic balancing remembers of its main thread, where it compares nodes.
   *  Source: /proc/PID/sched, total_numa_faults. */
  readonly balancingFaults: number;
  /** Base pages that it shares by merging. Source: /proc/PID/ksm_merging_pages. */
  readonly mergedPages: number;
  /** What a page is at this moment, also between two steps of a call. Source: the page's entry, and
   *  /proc/kpageflags. */
  pageState(address: bigint): PageState;
  /** False after `exit()`, and once it was killed because its policies left it no memory. */
  readonly isRunning: boolean;
  /**
   * A further thread, with the policy and the CPUs of the main thread.
   * @throws NumaError NUMA_NO_SUCH_PROCESS
   */
  thread(): SimulatedThread;
  /**
   * A child with a copy of the memory, whose pages both share until one of them writes. It attaches
   * to the parent's handles.
   * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_OUT_OF_MEMORY
   * Source: fork(2).
   */
  fork(): SimulatedProcess;
}
