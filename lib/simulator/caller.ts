/**
 * Who calls: a thread of a simulated machine, by its number, because a program that is executed
 * makes another thread of it.
 */

import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import { settleWrites } from './live-bytes.ts';
import type { MachineState } from './machine.ts';
import type { ProcessMappings } from './process-mappings.ts';
import { failure } from './syscalls/answer.ts';
import { execve } from './syscalls/process-calls.ts';
import type { Process } from './tasks/process.ts';
import type { Thread } from './tasks/thread.ts';

export class Caller {
  readonly machine: MachineState;
  readonly process: Process;
  readonly mappings: ProcessMappings;
  #thread: Thread;

  constructor(machine: MachineState, thread: Thread, mappings: ProcessMappings) {
    this.machine = machine;
    this.process = thread.process;
    this.mappings = mappings;
    this.#thread = thread;
  }

  /** The one that has its number now; its last state once it has ended. */
  get thread(): Thread {
    const found = this.process.findThread(this.#thread.tid);
    if (found !== undefined) this.#thread = found;
    return this.#thread;
  }

  get isRunning(): boolean {
    return this.process.isRunning && this.process.findThread(this.#thread.tid) !== undefined;
  }

  /** A call of one that was killed, or is by the writes that come before it, finds nobody. */
  call<T>(name: string, body: (thread: Thread) => SyscallResult<T>): SyscallResult<T> {
    if (!this.settle()) return failure(name, ERRNO.ESRCH);
    const denied = this.machine.deniedCalls.get(name);
    return denied === undefined ? body(this.thread) : failure(name, denied);
  }

  /** Sees what was written through JavaScript, as every call does before it begins; false for one
   *  that has ended. */
  settle(): boolean {
    if (!this.isRunning) return false;
    this.machine.memory.inFlight.leaveAtomic();
    if (settleWrites(this.thread, this.mappings) !== 'killed') return true;
    this.machine.exit(this.process);
    return false;
  }

  /** The only thread from then on. */
  execute(): SyscallResult<undefined> {
    return this.call('execve', (thread) => {
      const result = execve(thread);
      this.#thread = this.process.mainThread;
      this.mappings.clear();
      return result;
    });
  }
}
