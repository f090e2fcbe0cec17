/** Groups of processes on nodes of their own, on a simulated machine. */

import type { Machine } from '../../lib/simulator/machine.ts';
import { NO_NODES } from '../../lib/simulator/nodes/nodemask.ts';
import { attachToCpuset, writeCpusetMems } from '../../lib/simulator/syscalls/cpuset-files.ts';
import { Cpuset, type CpusetOptions } from '../../lib/simulator/tasks/cpuset.ts';
import type { Cpuset as WorldCpuset } from '../contract/world.ts';

/** The groups that a test makes; their processes go back to the root in the end. */
export async function withGroups<T>(
  machine: Machine,
  options: CpusetOptions,
  body: (create: () => Promise<WorldCpuset>) => Promise<T>,
): Promise<T> {
  const groups: Cpuset[] = [];
  try {
    return await body(async () => {
      const group = new Cpuset(machine.rootCpuset, NO_NODES, options);
      groups.push(group);
      return {
        setMems: async (nodes) => writeCpusetMems(machine, group, nodes),
        attach: async (pid) => attachToCpuset(machine, group, pid),
      };
    });
  } finally {
    for (const { processes } of groups) {
      for (const { pid } of processes) attachToCpuset(machine, machine.rootCpuset, pid);
    }
  }
}
