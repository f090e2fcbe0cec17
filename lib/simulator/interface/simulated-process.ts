/**
 * A process of a simulated machine as users have it: threads, each with a backend of its own, and
 * what a process does beside NUMA calls that matters to pages.
 */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { AreaCalls } from './area-calls.ts';
import type { MemoryCalls } from './memory-calls.ts';
import type { NumaCalls } from './numa-calls.ts';
import type { ObjectCalls } from './object-calls.ts';
import type { PageState } from './page-state.ts';
import type { RingCalls } from './ring-calls.ts';
import type { SteppedCalls } from './stepped-calls.ts';

/** Privileges that the calls ask for. */
export type SimulatedCapability = 'CAP_SETUID' | 'CAP_SYS_NICE' | 'CAP_SYS_PTRACE';

export interface ProcessOptions {
  /** Default 0, root. */
  readonly uid?: number;
  /** Default: all for root, none for others. */
  readonly capabilities?: readonly SimulatedCapability[];
}

/** What a thread calls beside its backend, by concept. */
export interface SimulatedCalls {
  /** Mappings at chosen addresses, accesses, words of memory. */
  readonly memory: MemoryCalls;
  /** Advice, moved mappings, numa_maps. */
  readonly areas: AreaCalls;
  /** Shared memory, files, huge pages of a pool. */
  readonly objects: ObjectCalls;
  /** References, pins, rings of a driver. */
  readonly rings: RingCalls;
  /** The NUMA calls with any pointer and length. */
  readonly calls: NumaCalls;
  /** Accesses and moves that go on step by step. */
  readonly steps: SteppedCalls;
}

/** A thread: its policy, its CPU, and the calls it makes. */
export interface SimulatedThread extends SimulatedCalls {
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
  /** A child that has ended, and that nobody has waited for; the value is its pid. ENOMEM. */
  forkEnded(): SyscallResult<number>;
  /** Starts the program anew: the policy stays, memory and the other threads are gone, and this is
   *  the main thread. Handles of mappings name nothing then. Source: execve(2). */
  exec(): SyscallResult<undefined>;
}

/** The calls are those of its main thread. */
export interface SimulatedProcess extends SimulatedCalls {
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
  /** Ends it; its memory is free again. Idempotent. */
  exit(): void;
  /** Becomes another user, without privileges. EPERM: not root's. Source: setuid(2). */
  setuid(uid: number): SyscallResult<undefined>;
  /** Gives one privilege up, for good; the others stay. Source: capset(2). */
  dropCapability(name: SimulatedCapability): SyscallResult<undefined>;
  /** A user namespace of its own: no privilege over the machine is left. EINVAL: several threads.
   *  Source: unshare(2), CLONE_NEWUSER. */
  unshareUser(): SyscallResult<undefined>;
}
