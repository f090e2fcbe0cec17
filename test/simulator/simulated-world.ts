/** The world of a simulated machine: its processes are its own. */

import { NODE_ID_MAX } from '../../lib/core/uapi.ts';
import { KERNEL_THREAD_PID, Machine, type MachineOptions } from '../../lib/simulator/machine.ts';
import type { MachineDescription } from '../../lib/simulator/nodes/machine-description.ts';
import { nodesIn } from '../../lib/simulator/nodes/nodemask.ts';
import type { World, WorldMachine, WorldProcess } from '../contract/world.ts';
import { simulatedHugePages } from './simulated-huge-pages.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { simulatedSettings } from './simulated-settings.ts';

function worldMachine(machine: Machine): WorldMachine {
  const { memory, description, profile } = machine;
  const memoryNodes = nodesIn(memory.physical.memoryNodes);
  const bytesOf = (pages: number): number => pages * memory.pageSizeBytes;
  return {
    kernel: profile.release,
    pageSizeBytes: memory.pageSizeBytes,
    memoryNodes,
    topology: {
      nodes: description.nodes.map(({ id, cpus }) => ({
        id,
        cpus,
        memoryBytes: bytesOf(memory.physical.totalPages(id)),
        freeBytes: bytesOf(memory.physical.freePages(id)),
      })),
      distances: description.distances,
      allowedNodes: memoryNodes,
    },
    possibleNodeCount: machine.possibleNodeCount,
    nodesMax: NODE_ID_MAX + 1,
    isPrivileged: true,
    canChangeUser: true,
    isExpendable: true,
  };
}

export function openSimulatedWorld(
  description: MachineDescription,
  options: MachineOptions = {},
): World {
  return worldOf(new Machine(description, options));
}

/** The world of a machine that the test keeps in its hands. */
export function worldOf(machine: Machine): World {
  return {
    machine: worldMachine(machine),
    settings: { ...simulatedSettings(machine), ...simulatedHugePages(machine) },
    kernelThread: KERNEL_THREAD_PID,
    nodeCounters: async (node) => ({ ...machine.memory.physical.counters.of(node) }),
    spawn: async (): Promise<WorldProcess> => {
      const process = machine.process();
      process.space.isWithoutHugePages = true;
      return new SimulatedProcess(machine, process);
    },
    close: async () => undefined,
  };
}
