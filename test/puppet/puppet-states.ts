/** A puppet in states of its own, and the threads of the kernel that it runs beside. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { Capability, StateCalls } from '../contract/world.ts';
import type { Reply } from './channel.ts';
import type { MachineFiles } from './puppet-files.ts';

/** Set for threads of the kernel. Source: include/linux/sched.h, PF_KTHREAD. */
const PF_KTHREAD = 0x0020_0000;
/** In a process namespace of its own a container sees none, and this is some other process. */
const PARENT_OF_KERNEL_THREADS = 2;

/** Source: include/uapi/linux/capability.h. */
const CAPABILITIES: Readonly<Record<Capability, number>> = {
  CAP_SETUID: 7,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_NICE: 23,
};

export function stateCalls(send: (line: string) => Promise<Reply>): StateCalls {
  const call = async (line: string): Promise<SyscallResult<string | undefined>> => {
    const { errno, values } = await send(line);
    if (errno !== 0) return { ok: false, errno, syscall: line.split(' ', 1)[0] as string };
    return { ok: true, value: values[0] };
  };
  const act = async (line: string): Promise<SyscallResult<undefined>> => {
    const result = await call(line);
    return result.ok ? { ok: true, value: undefined } : result;
  };
  return {
    endedChild: async () => {
      const result = await call('ended_child');
      return result.ok ? { ok: true, value: Number(result.value) } : result;
    },
    unshareUser: () => act('unshare_user'),
    dropCapability: (name) => act(`drop_capability ${CAPABILITIES[name]}`),
  };
}

export async function findKernelThread(files: MachineFiles): Promise<number | null> {
  const stat = await files.readText(`/proc/${PARENT_OF_KERNEL_THREADS}/stat`);
  if (!stat.ok) return null;
  // The name before these fields, in parentheses, may hold anything.
  const fields = stat.value.replace(/^.*\) /s, '').split(' ');
  return Number(fields[6]) & PF_KTHREAD ? PARENT_OF_KERNEL_THREADS : null;
}
