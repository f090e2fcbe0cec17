/**
 * Sets the calling thread to what a plan says. Whatever it starts then has the same: new threads
 * and child processes begin with the CPUs and the policy of the thread that starts them, and a
 * program that is executed keeps them.
 *
 * Source: kernel/fork.c, copy_process(); kernel/sched/core.c, sched_fork().
 */

import { outOfRange } from '../../core/argument-errors.ts';
import type { ThreadMemory } from '../thread/thread-memory.ts';
import type { PlacementPlan } from './plan-placement.ts';

/**
 * @param argument what errors about CPUs name
 * @throws RangeError ERR_OUT_OF_RANGE for CPUs and nodes outside of the cpuset; NumaError
 *   NUMA_UNSUPPORTED for a mode that this kernel does not have, and what the calls answer
 */
export function applyPlacement(
  thread: ThreadMemory,
  { cpus, policy }: PlacementPlan,
  argument: string,
): void {
  if (cpus !== undefined) {
    thread.setAffinity(cpus.cpus);
    // The kernel drops those outside of the cpuset without a word.
    const lost = cpus.cpus.difference(thread.affinity());
    if (cpus.isExact && !lost.isEmpty) {
      const rule = `CPU ${lost} is outside of the cpuset of this process`;
      throw outOfRange(argument, rule, `${cpus.cpus}`);
    }
  }
  if (policy !== undefined) thread.setPolicy(policy);
}
