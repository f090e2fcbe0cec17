/** What the calling thread is set to, which a program that it becomes keeps. */

import type { CpuMask } from '../../core/cpu-mask.ts';
import type { MemoryPolicy } from '../../core/memory-policy.ts';
import type { NodeMask } from '../../core/node-mask.ts';
import type { Numa } from '../../facade/numa.ts';
import { nodesOf } from '../../facade/placement/plan-placement.ts';

/** What a program would be started with. */
export interface ThreadSetting {
  readonly policy: MemoryPolicy;
  readonly cpus: CpuMask;
  /** The nodes of these CPUs; `null` where the machine does not tell all. */
  readonly cpuNodes: NodeMask | null;
  /** The nodes that its cpuset lets it have memory of. */
  readonly allowedNodes: NodeMask;
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
