/**
 * What makes and changes threads and processes, as far as memory policy has to do with it.
 *
 * Source: kernel/fork.c, copy_process(); fs/exec.c, begin_new_exec(); kernel/exit.c, do_exit();
 * kernel/user_namespace.c, create_user_ns(); kernel/sched/syscalls.c (core.c before 6.11),
 * sched_setaffinity() and __sched_setaffinity().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { MachineState } from '../machine.ts';
import { maySchedule } from '../tasks/credentials.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';

/** execve(2): the policy is kept, memory and the other threads are gone. */
export function execve(thread: Thread): SyscallResult<undefined> {
  thread.process.execute(thread);
  return answer('execve', 0);
}

/** fork(2) of a child that ends at once, and that nobody waits for; the value is its pid. */
export function forkEnded(machine: MachineState, thread: Thread): SyscallResult<number> {
  const child = machine.fork(thread);
  if (child === undefined) return failure('fork', ERRNO.ENOMEM);
  child.exit();
  return success(child.pid);
}

/** unshare(2) with CLONE_NEWUSER: all rights inside, none of those that concern the machine. */
export function unshareUser({ process }: Thread): SyscallResult<undefined> {
  if (process.threadCount > 1) return answer('unshare', ERRNO.EINVAL);
  const none = { canSetNice: false, canTrace: false, canSetUid: false };
  process.credentials = { ...process.credentials, ...none };
  return answer('unshare', 0);
}

export interface SchedSetaffinityArguments {
  /** 0 is the caller. */
  readonly tid: number;
  readonly cpus: readonly number[];
}

/**
 * sched_setaffinity(2): the thread goes to another CPU where its own is not among them. It is
 * looked for first, then who may do that to it is judged, then the CPUs.
 */
export function schedSetaffinity(
  { machine, thread: caller }: { readonly machine: MachineState; readonly thread: Thread },
  { tid, cpus }: SchedSetaffinityArguments,
): SyscallResult<undefined> {
  const fail = (errno: number): SyscallResult<undefined> => failure('sched_setaffinity', errno);
  const process = tid === 0 ? caller.process : machine.findProcess(tid);
  if (process === undefined) return fail(ERRNO.ESRCH);
  if (!maySchedule(caller.process.credentials, process.credentials)) return fail(ERRNO.EPERM);
  const usable = machine.cpus.all.filter((cpu) => cpus.includes(cpu));
  const [first] = usable;
  if (first === undefined) return fail(ERRNO.EINVAL);
  // The kernel's own thread runs nowhere here.
  const thread = tid === 0 ? caller : process.findThread(tid);
  if (thread !== undefined) {
    thread.affinity = usable;
    if (!usable.includes(thread.cpu)) thread.cpu = first;
  }
  return answer('sched_setaffinity', 0);
}
