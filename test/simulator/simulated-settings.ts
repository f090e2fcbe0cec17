/** Settings of a simulated machine: each is as before when the test is over. */

import type { CpusetOptions, Machine, SimulatedCpuset } from '../../lib/simulator/public.ts';
import type { Cpuset, MachineSettings, WeightFiles } from '../contract/world.ts';
import { expectValue } from './simulated-groups.ts';
import type { SimulatedWorld } from './simulated-world.ts';

function weightFiles({ settings: { weights } }: Machine): WeightFiles {
  return {
    names: async () => weights.names(),
    read: async (name) => {
      const text = weights.read(name);
      return text.ok ? text.value : '';
    },
    write: async (name, text) => weights.write(name, text),
    // A puppet's command opens and writes; it goes by one name.
    writeAs: async ({ pid }, name, text) => {
      const result = weights.write(name, text, pid);
      return result.ok ? result : { ...result, syscall: 'write' };
    },
    firmwareBandwidths: async () => weights.firmwareBandwidths,
  };
}

/** The groups that a test makes; their processes go back to the root in the end. */
async function withGroups<T>(
  { settings }: Machine,
  options: CpusetOptions,
  body: (create: () => Promise<Cpuset>) => Promise<T>,
): Promise<T> {
  const groups: SimulatedCpuset[] = [];
  try {
    return await body(async () => {
      const group = expectValue(settings.cpuset(options));
      groups.push(group);
      return {
        setMems: async (nodes) => group.setMems(nodes),
        attach: async (pid) => group.attach(pid),
        leave: async (pid) => group.leave(pid),
      };
    });
  } finally {
    for (const group of groups) group.empty();
  }
}

async function restoring<T>(body: () => Promise<T>, restore: () => void): Promise<T> {
  try {
    return await body();
  } finally {
    restore();
  }
}

export function simulatedSettings(world: SimulatedWorld): MachineSettings {
  const { machine, processes } = world;
  const { settings } = machine;
  const nodes = machine.topology().allowedNodes;
  return {
    withHugePool: async (pagesPerNode, body) => {
      const before = nodes.map((node) => [node, settings.hugePoolPages(node)] as const);
      for (const node of nodes) settings.setHugePoolPages(node, pagesPerNode);
      return restoring(body, () => {
        for (const [node, pages] of before) settings.setHugePoolPages(node, pages);
      });
    },
    withTransparentHugePages: async (body, ranges = 'madvise') => {
      const before = machine.hugePages;
      machine.hugePages = ranges;
      return restoring(body, () => {
        machine.hugePages = before;
      });
    },
    withBalancing: async (body, kind) => {
      settings.balancing = kind ?? 'on';
      return restoring(body, () => {
        settings.balancing = 'off';
      });
    },
    minorFaults: async (pid) => processes.get(pid)?.balancingFaults ?? 0,
    withPromotionLimits: async ({ rateLimitMBps, hotThresholdMs }, body) => {
      const { promoteRateLimitMBps: rateBefore, hotThresholdMs: heatBefore } = settings;
      settings.promoteRateLimitMBps = rateLimitMBps ?? rateBefore;
      settings.hotThresholdMs = hotThresholdMs ?? heatBefore;
      return restoring(body, () => {
        settings.promoteRateLimitMBps = rateBefore;
        settings.hotThresholdMs = heatBefore;
      });
    },
    withInterleaveWeights: async (body) => {
      const files = weightFiles(machine);
      const before = nodes.map((node) => [node, settings.weights.read(`node${node}`)] as const);
      const write = (node: number, text: string) => files.write(`node${node}`, text);
      return restoring(
        () => body(write, files),
        () => {
          for (const [node, text] of before) {
            if (text.ok) machine.setInterleaveWeight(node, Number(text.value));
          }
        },
      );
    },
    withMerging: (body) =>
      body(async (pid, pageCount) => {
        settings.mergeEqualPages();
        return (processes.get(pid)?.mergedPages ?? 0) >= pageCount;
      }),
    withCpusets: (body) => withGroups(machine, {}, body),
    withMovableMemory: async () => null,
    withOldCpusets: async (migrates, body) => {
      const options = { version: 1, migrates } as const;
      return settings.cpuset(options).ok ? withGroups(machine, options, body) : null;
    },
  };
}
