/**
 * Processes without memory of their own, which have the files of others, with nothing in them.
 *
 * Source: proc_pid_statm(5), fs/proc/array.c, proc_pid_statm(): all zeros without an mm;
 * include/linux/sched.h, PF_KTHREAD; exit_mm() of kernel/exit.c.
 */

import { NumaError } from '../core/errors.ts';
import { PF_KTHREAD } from '../core/uapi.ts';
import { backendOf, type Numa } from '../facade/numa.ts';
import { parseStat } from '../procfs/stat.ts';

/** `ended` is a zombie, whose parent has not asked for its exit status. */
export type WithoutMemory = 'kernel-thread' | 'ended' | 'ending';

export const WITHOUT_MEMORY_TEXT: Readonly<Record<WithoutMemory, string>> = {
  'kernel-thread': 'it has no memory of its own: it is a thread of the kernel',
  ended: 'it has no memory any more: it has ended, and its parent has not asked for its status',
  ending: 'it has no memory any more: it is ending',
};

/** Why a process has no memory; `null` where it has, or the machine does not tell. */
export async function withoutMemory(numa: Numa, pid: number): Promise<WithoutMemory | null> {
  const backend = backendOf(numa);
  const sizes = await backend.readText(`/proc/${pid}/statm`);
  if (!sizes.ok || !sizes.value.startsWith('0 ')) return null;
  const text = await backend.readText(`/proc/${pid}/stat`);
  const stat = text.ok ? parseStat(text.value) : null;
  if (stat === null) return null;
  if ((stat.flags & PF_KTHREAD) !== 0) return 'kernel-thread';
  return /[ZX]/.test(stat.state) ? 'ended' : 'ending';
}

/**
 * For what needs memory.
 * @throws NumaError NUMA_INVALID_ARGUMENT (a thread of the kernel), NUMA_NO_SUCH_PROCESS (one that
 *   has ended), as the calls about processes
 */
export async function needMemory(numa: Numa, pid: number): Promise<void> {
  const reason = await withoutMemory(numa, pid);
  if (reason === null) return;
  const hint = 'choose another process';
  throw new NumaError(`process ${pid}: ${WITHOUT_MEMORY_TEXT[reason]}`, {
    code: reason === 'kernel-thread' ? 'NUMA_INVALID_ARGUMENT' : 'NUMA_NO_SUCH_PROCESS',
    args: { pid },
    hint,
  });
}
