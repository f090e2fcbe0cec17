/**
 * A process or one of its threads, as files of procfs tell of it.
 *
 * Source: fs/proc/array.c; kernel/fork.c, copy_process().
 */

import type { Process } from '../tasks/process.ts';
import type { Thread } from '../tasks/thread.ts';

export interface Task {
  readonly process: Process;
  /** null for a thread of the kernel, which the model has no thread of. */
  readonly thread: Thread | null;
  readonly tid: number;
  /** It reads the file itself. */
  readonly isReader: boolean;
}

const INIT_PID = 1;
const KERNEL_THREAD_NAME = 'kthreadd';

/** One letter. */
export function taskStateOf({ process, isReader }: Task): 'R' | 'S' | 'Z' {
  if (!process.isRunning) return 'Z';
  return isReader ? 'R' : 'S';
}

/** Whoever waits for it: where the parent has ended, or there was none, the machine's first. */
export function parentPidOf({ parent, isKernelThread }: Process): number {
  if (isKernelThread) return 0;
  return parent?.isRunning === true ? parent.pid : INIT_PID;
}

/** The name of its program, 15 bytes at most. */
export function commandOf({ isKernelThread, command }: Process): string {
  return isKernelThread ? KERNEL_THREAD_NAME : command;
}

/** Threads that have not ended, by their numbers: of a process that has, the first. */
export function threadIdsOf(process: Process): number[] {
  if (process.threadCount === 0 || !process.isRunning) return [process.pid];
  return process.threads.map(({ tid }) => tid).sort((a, b) => a - b);
}

export function cpuOf({ process, thread }: Task): number {
  return thread?.cpu ?? (process.cpus.all[0] as number);
}

export function affinityOf({ process, thread }: Task): readonly number[] {
  return thread?.affinity ?? process.cpus.all;
}
