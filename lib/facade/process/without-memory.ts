/**
 * Processes that are there, and have no memory of their own: their files have nothing in them.
 *
 * Source: fs/proc/array.c, do_task_stat(): a size of 0 without an mm, for everybody to read;
 * include/linux/sched.h, PF_KTHREAD; exit_mm() of kernel/exit.c.
 */

import type { Backend } from '../../backend/backend.ts';
import type { Explanation } from '../../core/errors.ts';
import { PF_KTHREAD } from '../../core/uapi.ts';
import { parseStat } from '../../procfs/stat.ts';

/** `ended` is a zombie, whose parent has not asked for its exit status. */
export type WithoutMemory = 'kernel-thread' | 'ended' | 'ending';

/** What is said of them. */
export const WITHOUT_MEMORY: Readonly<Record<WithoutMemory, Explanation>> = {
  'kernel-thread': {
    rule: 'it has no memory of its own: it is a thread of the kernel',
    hint: 'name a process of a program',
    code: 'NUMA_INVALID_ARGUMENT',
  },
  ended: {
    rule:
      'it has no memory any more: it has ended, or its first thread has, ' +
      'and nobody waited for it',
    hint: 'its memory is gone; its parent is to wait for it',
    code: 'NUMA_NO_SUCH_PROCESS',
  },
  ending: {
    rule: 'it has no memory at this moment: it ends, or starts a program',
    hint: 'ask again',
    code: 'NUMA_NO_SUCH_PROCESS',
  },
};

/** Z waits for its parent, X is on its way out. */
const ENDED_STATES: readonly string[] = ['Z', 'X'];

/** Why a process has no memory; `null` where it has, or the machine does not tell. */
export async function whyWithoutMemory(
  backend: Backend,
  pid: number,
): Promise<WithoutMemory | null> {
  const text = await backend.readText(`/proc/${pid}/stat`);
  const stat = text.ok ? parseStat(text.value) : null;
  if (stat === null || stat.virtualBytes > 0) return null;
  if ((stat.flags & PF_KTHREAD) !== 0) return 'kernel-thread';
  return ENDED_STATES.includes(stat.state) ? 'ended' : 'ending';
}
