/** The settings of huge pages of a simulated machine, each for the length of a test. */

import type { Machine } from '../../lib/simulator/machine.ts';
import { nodesIn } from '../../lib/simulator/nodes/nodemask.ts';
import type { MachineSettings } from '../contract/world.ts';

export function simulatedHugePages({
  memory,
}: Machine): Pick<MachineSettings, 'withHugePool' | 'withTransparentHugePages'> {
  const { pool, physical } = memory;
  return {
    withHugePool: async (pagesPerNode, body) => {
      const before = nodesIn(physical.memoryNodes).map((node) => [node, pool.size(node)] as const);
      for (const [node] of before) pool.resize(node, pagesPerNode);
      try {
        return await body();
      } finally {
        for (const [node, size] of before) pool.resize(node, size);
      }
    },
    withTransparentHugePages: async (body, ranges = 'madvise') => {
      const before = memory.hugePages;
      memory.hugePages = ranges;
      try {
        return await body();
      } finally {
        memory.hugePages = before;
      }
    },
  };
}
