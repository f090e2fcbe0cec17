/**
 * What a test needs of the machine. A test that lacks something is skipped, and says what: the
 * requirement, which test/expected-skips.json has for each place where it is unmet, and after a
 * semicolon what was found.
 */

import type { TestContext } from 'vitest';
import { KERNEL_FACTS, type KernelFacts } from '../../lib/core/kernel-facts.ts';
import { compareReleases } from '../../lib/core/kernels.ts';
import { numaCallObstacle } from '../../scripts/host-kernel.mjs';
import type { WorldMachine } from '../contract/world.ts';

/** Why this machine will not do; `null` where it will. */
export type Need = (machine: WorldMachine) => string | null;

export function memoryNodes(count: number): Need {
  return ({ memoryNodes: nodes }) =>
    nodes.length >= count
      ? null
      : `needs ${count} nodes with memory; this machine has ${nodes.length}`;
}

export const cpulessNode: Need = ({ topology, memoryNodes: nodes }) =>
  topology.nodes.some(({ id, cpus }) => cpus.length === 0 && nodes.includes(id))
    ? null
    : 'needs a node with memory and without CPUs';

export const cpuOnMemorylessNode: Need = ({ topology }) =>
  topology.nodes.some(({ cpus, memoryBytes }) => cpus.length > 0 && memoryBytes === 0)
    ? null
    : 'needs a node with CPUs and without memory';

export const privileged: Need = ({ isPrivileged }) => (isPrivileged ? null : 'needs CAP_SYS_NICE');

/** What a test with the trait `setuid` needs of the machine. */
export const changeOfUser: Need = ({ canChangeUser }) =>
  canChangeUser ? null : 'needs CAP_SETUID';

/** Only where the guest's marker file allows it. */
export const expendable: Need = ({ isExpendable }) =>
  isExpendable ? null : 'exhausts the machine: only in a guest made for it';

/** A kernel of which the fact holds, whatever it names. */
export function kernelWith(fact: keyof KernelFacts): Need {
  const [, , [release = ''] = []] = KERNEL_FACTS[fact];
  return ({ kernel }) =>
    compareReleases(kernel, release) >= 0 ? null : `needs Linux ${release}; this is ${kernel}`;
}

/** Nodes 0, 1, 2 ... with memory, so that a table can name them. */
export function nodesFromZero(count: number): Need {
  return ({ memoryNodes: nodes }) =>
    nodes.length >= count && nodes.slice(0, count).every((node, index) => node === index)
      ? null
      : `needs nodes 0-${count - 1} with memory; this machine has ${nodes.join(',')}`;
}

/** Why the calls cannot be made here, as in a container with the default seccomp profile. */
export async function numaCallsUnmet(): Promise<string | undefined> {
  const obstacle = await numaCallObstacle();
  return obstacle === undefined ? undefined : `needs the NUMA calls; ${obstacle}`;
}

export function whenSupported(
  context: TestContext,
  machine: WorldMachine,
  needs: readonly Need[],
): void {
  for (const need of needs) {
    const reason = need(machine);
    if (reason !== null) context.skip(reason);
  }
}
