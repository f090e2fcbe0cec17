/** A puppet in states of its own, and the threads of the kernel that it runs beside. */

import { PF_KTHREAD } from '../../lib/core/uapi.ts';
import type { Capability, StateCalls } from '../contract/world.ts';
import { command, nothing, type Send } from './puppet-call.ts';
import type { MachineFiles } from './puppet-files.ts';

/** Set for threads of the kernel. Source: include/linux/sched.h, PF_KTHREAD. */
/** In a process namespace of its own a container sees none, and this is some other process. */
const PARENT_OF_KERNEL_THREADS = 2;

/** Source: include/uapi/linux/capability.h. */
const CAPABILITIES: Readonly<Record<Capability, number>> = {
  CAP_SETUID: 7,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_NICE: 23,
};

export function stateCalls(send: Send): StateCalls {
  return {
    endedChild: () => command(send, 'ended_child', '', ([pid]) => Number(pid)),
    unshareUser: () => command(send, 'unshare_user', '', nothing),
    dropCapability: (name) => {
      return command(send, 'drop_capability', String(CAPABILITIES[name]), nothing);
    },
  };
}

export async function findKernelThread(files: MachineFiles): Promise<number | null> {
  const stat = await files.readText(`/proc/${PARENT_OF_KERNEL_THREADS}/stat`);
  if (!stat.ok) return null;
  // The name before these fields, in parentheses, may hold anything.
  const fields = stat.value.replace(/^.*\) /s, '').split(' ');
  return Number(fields[6]) & PF_KTHREAD ? PARENT_OF_KERNEL_THREADS : null;
}
