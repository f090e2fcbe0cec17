/** The world of a simulated machine: its processes are its own. */

import type { Backend } from '../../lib/backend/backend.ts';
import { NODE_ID_MAX } from '../../lib/core/uapi.ts';
import {
  Machine,
  type MachineDescription,
  type MachineOptions,
  type SimulatedProcess,
} from '../../lib/simulator/public.ts';
import type { MachineSettings, World, WorldMachine, WorldProcess } from '../contract/world.ts';
import type { TextFiles } from '../contract/world-files.ts';
import { SimulatedWorldProcess } from './simulated-process.ts';
import { simulatedSettings } from './simulated-settings.ts';

/** A machine, and the processes that tests know by their ids. */
export interface SimulatedWorld {
  readonly machine: Machine;
  readonly processes: ReadonlyMap<number, SimulatedProcess>;
}

function worldMachine(machine: Machine): WorldMachine {
  const topology = machine.topology();
  return {
    kernel: machine.kernel,
    pageSizeBytes: machine.pageSizeBytes,
    memoryNodes: topology.allowedNodes,
    topology,
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

/** By a process of root, which is not there before it is needed: it has memory itself. */
function filesOf(machine: Machine): TextFiles {
  let reader: SimulatedProcess | undefined;
  const backend = (): Backend => {
    reader ??= machine.process();
    return reader.backend;
  };
  return {
    readText: (path) => backend().readText(path),
    readNames: (path) => backend().readNames(path),
  };
}

/** The world of a machine that the test keeps in its hands. */
export function worldOf(machine: Machine): World & { readonly settings: MachineSettings } {
  const processes = new Map<number, SimulatedProcess>();
  return {
    machine: worldMachine(machine),
    settings: simulatedSettings({ machine, processes }),
    files: filesOf(machine),
    kernelThread: machine.kernelThreadPid,
    nodeCounters: async (node) => machine.counters(node),
    vmCounters: async () => machine.vmstat(),
    spawn: async (): Promise<WorldProcess> => {
      const process = machine.process();
      process.allowsHugePages = false;
      return new SimulatedWorldProcess(processes, process);
    },
    close: async () => undefined,
  };
}
