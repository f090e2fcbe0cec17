/** Threads and states of processes on a simulated machine. */

import type { Machine } from '../../lib/simulator/machine.ts';
import { execve, forkEnded, unshareUser } from '../../lib/simulator/syscalls/process-calls.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';
import type { StateCalls, ThreadCalls, WorldProcess } from '../contract/world.ts';

/** `thread` answers the one that calls: it is another one once a program was executed. */
export function threadCalls(
  machine: Machine,
  thread: () => Thread,
  open: (thread: Thread) => WorldProcess,
): ThreadCalls {
  return {
    create: async () => open(machine.startThread(thread())),
    exec: async () => execve(thread()),
  };
}

export function stateCalls(machine: Machine, thread: () => Thread): StateCalls {
  return {
    endedChild: async () => forkEnded(machine, thread()),
    unshareUser: async () => unshareUser(thread()),
  };
}
