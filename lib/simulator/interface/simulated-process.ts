/**
 * A process of a simulated machine as users have it: threads, each with a backend of its own, and
 * what a process does beside NUMA calls that matters to pages. What a page of it is at one moment
 * is looked at without touching anything.
 *
 * Its calls can go on one step at a time: between two steps the machine can be looked at, and
 * others can make calls. One of those that has to wait (an access to a page that is on its way,
 * say) has the other call go on until it need not.
 */

import type { Access, Backend, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { NumaCalls } from '../../machine/numa.ts';
import type {
  MachineCalls,
  MachineProcess,
  MachineThread,
  ProcessCapability,
} from '../../machine/process.ts';
import type { FolioState, MigrationEvent } from './migration-event.ts';

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

/**
 * What its page-table entry says. `absent`: nothing; `migration`: accesses wait until it is there
 * again; `zero`: the page of zeros; `marked`: balancing waits for the next access.
 */
export type PageEntry =
  | 'absent'
  | 'present'
  | 'marked'
  | 'migration'
  | 'zero'
  | 'swapped'
  | 'guard'
  | 'device';

export interface PageState {
  readonly entry: PageEntry;
  /** The memory behind it, or that it waits for; null for none of a node. */
  readonly folio: FolioDetails | null;
}

export interface FolioDetails extends FolioState {
  /** `lru`: on its node's; `isolated`: on that of a migration; `none`: a driver's page. */
  readonly list: 'lru' | 'isolated' | 'none';
  readonly isLocked: boolean;
  /** Long-term pins, and references of pipes and the like. */
  readonly pins: number;
  readonly references: number;
}

/** A call that has begun. Whoever begins one should let it end: `run()`. */
export interface SteppedCall<T> {
  readonly isEnded: boolean;
  /** What it answered; undefined before its end. */
  readonly result: SyscallResult<T> | undefined;
  /** Does the next step and tells of it; undefined: it has ended. */
  step(): MigrationEvent | undefined;
  /** Does all steps that are left. */
  run(): SyscallResult<T>;
}

/** One target for pages in a row, or for any pages. */
export interface SteppedMove {
  /** Default: the calling process, as 0. */
  readonly pid?: number;
  readonly pages: PageSpan | BigUint64Array;
  readonly node: number;
  /** `MPOL_MF_*`. Default MOVE. */
  readonly flags?: number;
  /** Gets the statuses; as long as there are pages. Default: nobody asks for them. */
  readonly status?: Int32Array;
}

export interface SteppedCalls {
  /** Accesses each page in turn; waits for those that are on their way. Errnos as `touch()`. */
  touch(span: PageSpan, access: Access): SteppedCall<undefined>;
  /** Writes 64 bits; waits if the page is on its way. EFAULT. */
  store(address: bigint, value: bigint): SteppedCall<undefined>;
  /** Source: move_pages(2). */
  movePages(request: SteppedMove): SteppedCall<number>;
  /** Source: mbind(2). */
  mbind(request: Parameters<NumaCalls['mbind']>[0]): SteppedCall<undefined>;
  /** Source: migrate_pages(2). */
  migratePages(request: Parameters<NumaCalls['migratePages']>[0]): SteppedCall<number>;
}

/** The writes to a cpuset that may move pages. */
export interface SteppedCpuset {
  /** Writes cpuset.mems. */
  setMems(nodes: string): SteppedCall<undefined>;
  /** Writes cgroup.procs. */
  attach(pid: number): SteppedCall<undefined>;
}
