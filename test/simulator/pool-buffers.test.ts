/** Buffers of a simulated machine's pool of huge pages. */

import { describe, expect, test } from 'vitest';
import { oldestKernelLine } from '../../lib/core/kernels.ts';
import { bind, NumaError, openNuma } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';

const HUGE = 2 ** 21;

function refusal(run: () => unknown): NumaError {
  try {
    run();
  } catch (error) {
    if (error instanceof NumaError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the pool of a simulated machine', () => {
  test('gives its pages, and those of the node that is bound to alone', async () => {
    const machine = new Machine(presets.fourNodes);
    machine.settings.setHugePoolPages(1, 2);
    const simulated = openNuma({ machine });
    const hugePages = { pageSizeBytes: HUGE };
    using buffer = simulated.allocate(HUGE + 1, { hugePages, policy: bind(1) });
    expect(buffer.lengthBytes).toBe(2 * HUGE);
    await buffer.populate();
    expect(await buffer.hugePages()).toMatchObject({ poolBytes: 2 * HUGE, pageSizeBytes: HUGE });
    expect(buffer.residencySync().byNode).toEqual({ 1: (2 * HUGE) / simulated.pageSizeBytes });
    machine.settings.setHugePoolPages(0, 4);
    const error = refusal(() => simulated.allocate(HUGE, { hugePages, policy: bind(1) }));
    expect(error.rule).toBe('1 pages of 2048 kB are needed, and 0 are free on node 1');
    expect(error.hint).toContain('echo 3 > /sys/devices/system/node/node1/hugepages');
    const shared = simulated.allocate(HUGE, { hugePages, policy: bind(0), shared: true });
    shared.touch();
    const report = await shared.migrate({ to: 2 });
    expect(report.complete).toBe(true);
    shared.release();
  });
});

describe('a move to a node whose pool has none left', () => {
  test.each([false, true])('has all pages without memory, shared: %s', async (shared) => {
    const machine = new Machine(presets.fourNodes, { kernel: oldestKernelLine });
    machine.settings.setHugePoolPages(0, 2);
    const simulated = openNuma({ machine });
    machine.settings.setHugePoolPages(3, Math.floor((simulated.freeMemory(3) ?? 0) / HUGE));
    const hugePages = { pageSizeBytes: HUGE };
    using buffer = simulated.allocate(2 * HUGE, { hugePages, policy: bind(0), shared });
    buffer.touch();
    const length = machine.settings.hugePoolPages(3) * HUGE;
    using rest = simulated.allocate(length, { hugePages, policy: bind(3) });
    rest.touch();
    const { pages } = await buffer.migrate({ to: 3 });
    const { pageSizeBytes } = simulated;
    expect(pages).toMatchObject({ moved: 0, noMemory: (2 * HUGE) / pageSizeBytes, shared: 0 });
  });
});
