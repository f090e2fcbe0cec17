/**
 * Sets the calling thread to what a plan says, which the program that it becomes keeps; and tells
 * what it is set to.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import type { CpuMask } from '../../core/cpu-mask.ts';
import type { MemoryPolicy } from '../../core/memory-policy.ts';
import type { NodeMask } from '../../core/node-mask.ts';
import type { Numa } from '../../facade/numa.ts';
import { ASKED, type LaunchPlan, nodesOf } from './plan.ts';

/** What a program would be started with. */
export interface ThreadSetting {
  readonly policy: MemoryPolicy;
  readonly cpus: CpuMask;
  /** The nodes of these CPUs; `null` where the machine does not tell all. */
  readonly cpuNodes: NodeMask | null;
  /** The nodes that its cpuset lets it have memory of. */
  readonly allowedNodes: NodeMask;
}

/**
 * @throws RangeError ERR_OUT_OF_RANGE for CPUs and nodes outside of the cpuset; NumaError
 *   NUMA_UNSUPPORTED for a mode that this kernel does not have, and what the calls answer
 */
export function applyPlan(numa: Numa, { cpus, policy }: LaunchPlan): void {
  if (cpus !== undefined) {
    numa.thread.setAffinity(cpus.cpus);
    // The kernel drops those outside of the cpuset without a word.
    const lost = cpus.cpus.difference(numa.thread.affinity());
    if (cpus.isExact && !lost.isEmpty) {
      const rule = `CPU ${lost} is outside of the cpuset of this process`;
      throw outOfRange(ASKED.cpus, rule, `${cpus.cpus}`);
    }
  }
  if (policy !== undefined) numa.thread.setPolicy(policy);
}

/** @throws NumaError */
export function readSetting(numa: Numa): ThreadSetting {
  const cpus = numa.thread.affinity();
  const isTold = numa.topology.nodes.every((node) => node.cpus !== null);
  return {
    policy: numa.thread.policy(),
    cpus,
    cpuNodes: isTold ? nodesOf(numa, cpus) : null,
    allowedNodes: numa.allowedNodes(),
  };
}
