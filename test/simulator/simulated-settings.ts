/** Settings of a simulated machine: each is as before when the test is over. */

import type { Machine } from '../../lib/simulator/machine.ts';
import { mergedPageCount, mergeEqualPages } from '../../lib/simulator/memory/merge.ts';
import { nodesIn } from '../../lib/simulator/nodes/nodemask.ts';
import {
  readWeightFile,
  weightFileNames,
  writeWeightFile,
} from '../../lib/simulator/syscalls/weight-files.ts';
import { ROOT_CREDENTIALS } from '../../lib/simulator/tasks/credentials.ts';
import type { MachineSettings, WeightFiles } from '../contract/world.ts';
import { withGroups } from './simulated-cpusets.ts';

/** What is set otherwise: pools and transparent huge pages are elsewhere. */
type Settings = Omit<MachineSettings, 'withHugePool' | 'withTransparentHugePages'>;

function weightFiles(machine: Machine): WeightFiles {
  return {
    names: async () => weightFileNames(machine),
    read: async (name) => readWeightFile(machine, name) ?? '',
    write: async (name, text) => writeWeightFile(machine, ROOT_CREDENTIALS, name, text),
    writeAs: async ({ pid }, name, text) => {
      const { credentials } = machine.findProcess(pid) ?? { credentials: ROOT_CREDENTIALS };
      const result = writeWeightFile(machine, credentials, name, text);
      return result.ok ? result : { ...result, syscall: 'write_file' };
    },
    firmwareBandwidths: async () => machine.weights.bandwidths,
  };
}

export function simulatedSettings(machine: Machine): Settings {
  const { memory, weights, profile } = machine;
  return {
    withBalancing: async (body, kind) => {
      memory.balancing = kind ?? 'on';
      try {
        return await body();
      } finally {
        memory.balancing = 'off';
      }
    },
    balancingFaults: async (pid) => machine.findProcess(pid)?.mainThread.numa.totalFaults ?? 0,
    migratedPages: async () => ({ ...memory.migrated }),
    withInterleaveWeights: async (body) => {
      const nodes = nodesIn(memory.physical.memoryNodes);
      const before = nodes.map((node) => [node, weights.weightOf(node)] as const);
      const files = weightFiles(machine);
      try {
        return await body((node, text) => files.write(`node${node}`, text), files);
      } finally {
        for (const [node, weight] of before) weights.set(node, weight);
      }
    },
    withMerging: (body) =>
      body(async (pid, pageCount) => {
        mergeEqualPages(memory);
        const process = machine.findProcess(pid);
        return process !== undefined && mergedPageCount(process.space) >= pageCount;
      }),
    withCpusets: (body) => withGroups(machine, { version: 2, migrates: true }, body),
    withOldCpusets: async (migrates, body) =>
      profile.hasOldCpusets ? withGroups(machine, { version: 1, migrates }, body) : null,
  };
}
