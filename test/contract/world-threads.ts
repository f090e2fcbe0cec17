/** Threads of a process beside its first, and states that processes can be in. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { WorldProcess } from './world.ts';

/** With the trait `threads`. */
export interface ThreadCalls {
  /** One more thread of the process; what it is told, that thread calls. */
  create(): Promise<WorldProcess>;
  /** Starts the program anew in the thread that calls; memory and other threads are gone. */
  exec(): Promise<SyscallResult<undefined>>;
  /** The CPUs that the thread may run on, ascending. */
  affinity(): Promise<SyscallResult<number[]>>;
}

/** Privileges that calls of the contract ask for. */
export type Capability = 'CAP_SETUID' | 'CAP_SYS_PTRACE' | 'CAP_SYS_NICE';

/** With the trait `states`. */
export interface StateCalls {
  /** A child that has ended, and that nobody has waited for; the value is its pid. */
  endedChild(): Promise<SyscallResult<number>>;
  /** A user namespace of its own, where it has all privileges. */
  unshareUser(): Promise<SyscallResult<undefined>>;
  /** Gives one privilege up, and keeps the others. */
  dropCapability(name: Capability): Promise<SyscallResult<undefined>>;
}
