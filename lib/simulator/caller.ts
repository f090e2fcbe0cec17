/**
 * Who calls: a thread of a simulated machine, by its number, because a program that is executed
 * makes another thread of it.
 */

import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import type { Span } from '../core/sorted-spans.ts';
import { settleWrites } from './live-bytes.ts';
import type { MachineState } from './machine.ts';
import type { ProcessMappings } from './process-mappings.ts';
import { failure } from './syscalls/answer.ts';
import { execve } from './syscalls/process-calls.ts';
import { privatePagesAround, type RangeArgument } from './syscalls/range-argument.ts';
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
    return this.settle() ? this.#run(name, body) : failure(name, ERRNO.ESRCH);
  }

  /** One that neither sees nor changes where pages are, nor will be. */
  ask<T>(name: string, body: (thread: Thread) => SyscallResult<T>): SyscallResult<T> {
    return this.isRunning ? this.#run(name, body) : failure(name, ERRNO.ESRCH);
  }

  /** One about the pages of a range alone: what was written elsewhere is seen by a later call,
   *  where that makes no difference. */
  callOn<T>(
    range: RangeArgument,
    name: string,
    body: (thread: Thread) => SyscallResult<T>,
  ): SyscallResult<T> {
    const isSeen = this.#isOrderSeen(range);
    const around = isSeen ? undefined : privatePagesAround(this.thread.mm, range);
    return this.settle(around) ? this.#run(name, body) : failure(name, ERRNO.ESRCH);
  }

  /** Whether it can be told which of the pages that are still to come was there first. */
  #isOrderSeen({ lengthBytes }: RangeArgument): boolean {
    const { memory } = this.machine;
    const takesTurns = this.thread.policy?.mode.interleaving != null;
    const ownPages = Math.ceil(Number(lengthBytes) / memory.pageSizeBytes);
    const pages = this.mappings.live.unsettledPages + ownPages;
    return takesTurns || memory.hugePages !== 'never' || !memory.physical.hasEverywhere(pages);
  }

  #run<T>(name: string, body: (thread: Thread) => SyscallResult<T>): SyscallResult<T> {
    const denied = this.machine.deniedCalls.get(name);
    return denied === undefined ? body(this.thread) : failure(name, denied);
  }

  /** Sees what was written through JavaScript, as every call does before it begins; false for one
   *  that has ended. */
  settle(span?: Span): boolean {
    if (!this.isRunning) return false;
    this.machine.memory.inFlight.leaveAtomic();
    if (settleWrites(this.thread, this.mappings, span) !== 'killed') return true;
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
