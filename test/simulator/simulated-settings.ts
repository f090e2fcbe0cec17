/** Settings of a simulated machine: each is as before when the test is over. */

import type {
  CpusetCalls,
  CpusetOptions,
  Machine,
  SimulatedCpuset,
  WeightFiles,
} from '../../lib/simulator/public.ts';
import type { WorldSettings, WorldWeights } from '../contract/world.ts';
import { expectValue } from '../support/expect-value.ts';
import { type Later, later } from '../support/later.ts';
import type { SimulatedWorld } from './simulated-world.ts';

function weightFiles({ settings: { weights } }: Machine): WorldWeights {
  const own = {
    // A puppet's command opens and writes; it goes by one name.
    writeAs: ({ pid }: { pid: number }, name: string, text: string) => {
      const result = weights.write(name, text, pid);
      return result.ok ? result : { ...result, syscall: 'write' };
    },
    firmwareBandwidths: () => weights.firmwareBandwidths,
  };
  return later<typeof own & Omit<WeightFiles, keyof typeof own>>(own, weights);
}

/** The groups that a test makes; their processes go back to the root in the end. */
async function withGroups<T>(
  { settings }: Machine,
  options: CpusetOptions,
  body: (create: () => Promise<Later<CpusetCalls>>) => Promise<T>,
): Promise<T> {
  const groups: SimulatedCpuset[] = [];
  try {
    return await body(async () => {
      const group = expectValue(settings.cpuset(options));
      groups.push(group);
      return later<CpusetCalls>(group);
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

export function simulatedSettings(world: SimulatedWorld): WorldSettings {
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
    withShortCpuLists: (body) => body(),
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
