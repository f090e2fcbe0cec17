/** The world of a simulated machine: its processes are its own. */

import type { Backend, PageSpan } from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { NODE_ID_MAX } from '../../lib/core/uapi.ts';
import {
  Machine,
  type MachineDescription,
  type MachineOptions,
  type SimulatedProcess,
  type SimulatedThread,
} from '../../lib/simulator/public.ts';
import type {
  TextFiles,
  World,
  WorldMachine,
  WorldProcess,
  WorldSettings,
} from '../contract/world.ts';
import { later } from '../support/later.ts';
import { simulatedSettings } from './simulated-settings.ts';

const SIGKILL = 9;
const DONE: SyscallResult<undefined> = { ok: true, value: undefined };

/** A machine, and the processes that tests know by their ids. */
export interface SimulatedWorld {
  readonly machine: Machine;
  readonly processes: Map<number, SimulatedProcess>;
}

function worldProcess(
  world: SimulatedWorld,
  process: SimulatedProcess,
  thread: SimulatedThread = process.mainThread,
): WorldProcess {
  world.processes.set(process.pid, process);
  const { backend, memory } = thread;
  const own = {
    files: backend,
    get killedBy(): number | null {
      return process.isRunning ? null : SIGKILL;
    },
    fork: () => worldProcess(world, thread.fork()),
    thread: () => worldProcess(world, process, thread.thread()),
    runOnCpu: (cpu: number, tid?: number) => backend.schedSetaffinity([cpu], tid),
    affinity: () => backend.schedGetaffinity(),
    setDumpable: () => {
      process.isDumpable = true;
      return DONE;
    },
    allowHugePages: () => {
      process.allowsHugePages = true;
      return DONE;
    },
    shatter: ({ address, pageCount }: PageSpan) => {
      for (let page = 1; page < pageCount; page += 2) {
        const at = address + BigInt(page * backend.pageSizeBytes);
        const result = memory.mprotect({ address: at, pageCount: 1 }, 'read');
        if (!result.ok) return { ...result, syscall: 'shatter' };
      }
      return DONE;
    },
  };
  type Others = Omit<SimulatedThread & SimulatedProcess, keyof typeof own>;
  return later<typeof own & Others>(own, thread, process);
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
export function worldOf(machine: Machine): World & { readonly settings: WorldSettings } {
  const world: SimulatedWorld = { machine, processes: new Map() };
  return {
    machine: worldMachine(machine),
    settings: simulatedSettings(world),
    files: filesOf(machine),
    kernelThread: machine.kernelThreadPid,
    nodeCounters: async (node) => machine.counters(node),
    vmCounters: async () => machine.vmstat(),
    spawn: async (): Promise<WorldProcess> => {
      const process = machine.process();
      process.allowsHugePages = false;
      return worldProcess(world, process);
    },
    close: async () => undefined,
  };
}
