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
import { during, membersOf, ofNodes } from '../support/scoped.ts';
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

export function simulatedSettings(world: SimulatedWorld): WorldSettings {
  const { machine, processes } = world;
  const { settings } = machine;
  const nodes = machine.topology().allowedNodes;
  return {
    withHugePool: (pagesPerNode, body) => {
      const pools = ofNodes(
        nodes,
        (node) => settings.hugePoolPages(node),
        (node, pages) => settings.setHugePoolPages(node, pages),
      );
      return during(pools, Array<number>(nodes.length).fill(pagesPerNode), body);
    },
    withTransparentHugePages: (body, hugePages = 'madvise') =>
      during(membersOf(machine, 'hugePages'), { hugePages }, body),
    withShortCpuLists: (body) => body(),
    withBalancing: (body, kind) =>
      during(membersOf(settings, 'balancing'), { balancing: kind ?? 'on' }, body),
    minorFaults: async (pid) => processes.get(pid)?.balancingFaults ?? 0,
    withPromotionLimits: ({ rateLimitMBps, hotThresholdMs }, body) => {
      const limits = membersOf(settings, 'promoteRateLimitMBps', 'hotThresholdMs');
      const asked = {
        promoteRateLimitMBps: rateLimitMBps ?? settings.promoteRateLimitMBps,
        hotThresholdMs: hotThresholdMs ?? settings.hotThresholdMs,
      };
      return during(limits, asked, body);
    },
    withInterleaveWeights: (body) => {
      const files = weightFiles(machine);
      const write = (node: number, text: string) => files.write(`node${node}`, text);
      const weights = ofNodes(
        nodes,
        (node) => settings.weights.read(`node${node}`),
        (node, text) => text.ok && machine.setInterleaveWeight(node, Number(text.value)),
      );
      return during(weights, undefined, () => body(write, files));
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
