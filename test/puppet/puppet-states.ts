/** A puppet in states of its own, and the threads of the kernel that it runs beside. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { StateCalls } from '../contract/world.ts';
import type { Reply } from './channel.ts';
import type { MachineFiles } from './puppet-files.ts';

/** Set for threads of the kernel. Source: include/linux/sched.h, PF_KTHREAD. */
const PF_KTHREAD = 0x0020_0000;
/** In a process namespace of its own a container sees none, and this is some other process. */
const PARENT_OF_KERNEL_THREADS = 2;

export function stateCalls(send: (line: string) => Promise<Reply>): StateCalls {
  const call = async (name: string): Promise<SyscallResult<string | undefined>> => {
    const { errno, values } = await send(name);
    if (errno !== 0) return { ok: false, errno, syscall: name };
    return { ok: true, value: values[0] };
  };
  return {
    endedChild: async () => {
      const result = await call('ended_child');
      return result.ok ? { ok: true, value: Number(result.value) } : result;
    },
    unshareUser: async () => {
      const result = await call('unshare_user');
      return result.ok ? { ok: true, value: undefined } : result;
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
