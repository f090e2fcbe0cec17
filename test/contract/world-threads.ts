/** Threads of a process beside its first. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { WorldProcess } from './world.ts';

/** With the trait `threads`. */
export interface ThreadCalls {
  /** One more thread of the process; what it is told, that thread calls. */
  create(): Promise<WorldProcess>;
  /** Starts the program anew in the thread that calls; memory and other threads are gone. */
  exec(): Promise<SyscallResult<undefined>>;
}
