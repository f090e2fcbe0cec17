/**
 * Calls that go on one step at a time: between two steps the machine can be looked at, and others
 * can make calls. One of those that has to wait (an access to a page that is on its way, say) has
 * the other call go on until it need not.
 */

import type { Access, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { NumaCalls } from '../../machine/numa.ts';
import type { MigrationEvent } from './migration-event.ts';

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
