/**
 * Sets the calling thread to what a plan says, which the program that it becomes keeps; and tells
 * what it is set to.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { NumaError } from '../../core/errors.ts';
import { formatIdList } from '../../core/id-list.ts';
import type { MemoryPolicy } from '../../core/memory-policy.ts';
import type { NodeMask } from '../../core/node-mask.ts';
import type { Numa } from '../../facade/numa.ts';
import { ASKED, type LaunchPlan, nodesOf } from './plan.ts';

/** What a program would be started with. */
export interface ThreadSetting {
  readonly policy: MemoryPolicy;
  readonly cpus: readonly number[];
  /** The nodes of these CPUs. */
  readonly cpuNodes: NodeMask;
  /** The nodes that its cpuset lets it have memory of. */
  readonly allowedNodes: NodeMask;
}

/** Source: Linux, include/uapi/linux/mempolicy.h at these releases. */
const MODE_SINCE: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  'preferred-many': [5, 15],
  'weighted-interleave': [6, 9],
  'bind with balancing': [5, 12],
  'preferred-many with balancing': [6, 9],
};

/**
 * @throws RangeError ERR_OUT_OF_RANGE for CPUs and nodes outside of the cpuset; NumaError
 *   NUMA_UNSUPPORTED for a mode that this kernel does not have, and what the calls answer
 */
export function applyPlan(numa: Numa, { cpus, policy }: LaunchPlan): void {
  if (cpus !== undefined) {
    numa.thread.setAffinity(cpus.cpus);
    // The kernel drops those outside of the cpuset without a word.
    const kept = numa.thread.affinity();
    const lost = cpus.cpus.filter((cpu) => !kept.includes(cpu));
    if (cpus.isExact && lost.length > 0) {
      const rule = `CPU ${formatIdList(lost)} is outside of the cpuset of this process`;
      throw outOfRange(ASKED.cpus, rule, formatIdList(cpus.cpus));
    }
  }
  if (policy !== undefined) setPolicy(numa, policy);
}

/** @throws NumaError */
export function readSetting(numa: Numa): ThreadSetting {
  const cpus = numa.thread.affinity();
  return {
    policy: numa.thread.policy(),
    cpus,
    cpuNodes: nodesOf(numa, cpus),
    allowedNodes: numa.allowedNodes(),
  };
}

function setPolicy(numa: Numa, policy: MemoryPolicy): void {
  try {
    numa.thread.setPolicy(policy);
  } catch (error) {
    const isRefused = error instanceof NumaError && error.code === 'NUMA_INVALID_ARGUMENT';
    const { kernel } = numa.backend;
    const isBalanced = policy.flags.includes('numa-balancing');
    const mode = isBalanced ? `${policy.mode} with balancing` : policy.mode;
    const since = MODE_SINCE[mode] ?? (isBalanced ? MODE_SINCE[policy.mode] : undefined);
    if (!isRefused || since === undefined || !isOlder(kernel, since)) throw error;
    throw new NumaError(
      `${mode} needs Linux ${since.join('.')}, and this is ${kernel}`,
      { code: 'NUMA_UNSUPPORTED', syscall: 'set_mempolicy', backend: numa.backend.kind },
      { cause: error },
    );
  }
}

function isOlder(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [, ofMajor, ofMinor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  return Number(ofMajor) < major || (Number(ofMajor) === major && Number(ofMinor) < minor);
}
