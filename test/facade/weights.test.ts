/** Weights of nodes: the machine's, and those of one range. */

import { afterEach, describe, expect, test } from 'vitest';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { failureOf } from '../core/thrown.ts';
import { memoryNodes, needExpendable, needNodes, numa } from './machine.ts';

const { hasWeightedInterleave, automaticWeightsFile } = kernelFacts(numa.backend.kernel);
const home = memoryNodes[0] as number;
const isTold = numa.topology.memoryPerformance(home, home) !== null;
const before = await numa.interleaveWeights();

describe('the weights of the machine', () => {
  afterEach(async () => {
    if (before.weights === null) return;
    const now = await numa.interleaveWeights();
    const isSame = JSON.stringify(now.weights) === JSON.stringify(before.weights);
    if (!isSame) await numa.setInterleaveWeights(before.weights);
    // Without bandwidths of the firmware it cannot be turned on again.
    if (before.isAutomatic && isTold) await numa.setInterleaveWeights('automatic');
  });

  test('are told where the kernel has them', () => {
    if (!hasWeightedInterleave) {
      expect(before).toEqual({ weights: null, isAutomatic: null });
      return;
    }
    expect(Object.keys(before.weights ?? {}).map(Number)).toEqual(
      numa.topology.withMemory.toArray(),
    );
    const type = automaticWeightsFile === null ? null : expect.any(Boolean);
    expect(before.isAutomatic).toEqual(type);
  });

  test('are set one by one, the others stay', async (context) => {
    needExpendable(context);
    const [first, second] = needNodes(context, 2) as [number, number];
    if (!hasWeightedInterleave) {
      const { code } = await failureOf(() => numa.setInterleaveWeights({ [first]: 3 }));
      expect(code).toBe('NUMA_UNSUPPORTED');
      return;
    }
    const set = await numa.setInterleaveWeights({ [first]: 255, [second]: 1 });
    expect(set.weights).toEqual({ ...before.weights, [first]: 255, [second]: 1 });
    const again = await numa.setInterleaveWeights({ [first]: 3 });
    expect(again.weights).toEqual({ ...before.weights, [first]: 3, [second]: 1 });
    expect(again.isAutomatic).toBe(automaticWeightsFile === null ? null : false);
  });

  test('are not made by a kernel that cannot', async (context) => {
    needExpendable(context);
    if (automaticWeightsFile !== null && isTold) {
      expect((await numa.setInterleaveWeights('automatic')).isAutomatic).toBe(true);
      return;
    }
    const { code, message } = await failureOf(() => numa.setInterleaveWeights('automatic'));
    const reason = automaticWeightsFile === null ? /Linux 6\.(9|16)/ : /bandwidth of memory/;
    expect([code, message]).toEqual(['NUMA_UNSUPPORTED', expect.stringMatching(reason)]);
  });

  test('are of nodes with memory', async () => {
    if (before.weights === null) return;
    const { code, message } = await failureOf(() => numa.setInterleaveWeights({ 1000: 3 }));
    expect([code, message]).toEqual([
      'ERR_OUT_OF_RANGE',
      expect.stringContaining(`the nodes with weights are ${numa.topology.withMemory}`),
    ]);
  });
});
