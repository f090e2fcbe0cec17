/**
 * A process of a simulated machine as users have it: threads, each with a backend of its own, and
 * what a process does beside NUMA calls that matters to pages.
 */

import type { Backend, PageSpan } from '../backend/backend.ts';

/** Privileges that the calls ask for. */
export type SimulatedCapability = 'CAP_SYS_NICE' | 'CAP_SYS_PTRACE';

export interface ProcessOptions {
  /** Default 0, root. */
  readonly uid?: number;
  /** Default: both for root, none for others. */
  readonly capabilities?: readonly SimulatedCapability[];
}

/** A thread: its policy, its CPU, and the calls it makes. */
export interface SimulatedThread {
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
}

export interface SimulatedProcess {
  /** The process id on its machine: for `numa.process(pid)`. */
  readonly pid: number;
  /** What its main thread calls: for `openNuma({ backend })` and `openSyscalls(backend)`. */
  readonly backend: Backend;
  /** The thread that it began with. */
  readonly mainThread: SimulatedThread;
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
  /** Ends it; its memory is free again. Idempotent. */
  exit(): void;
}
