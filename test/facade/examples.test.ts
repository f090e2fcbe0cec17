/** The examples on this host's kernel. */

import { describe, expect, it } from 'vitest';
import { CpuMask } from '../../lib/index.ts';
import { exampleTests, outputOf } from './example-runs.ts';
import { needNodes, numa } from './machine.ts';

/** The README's example moves 256 MiB there. */
const ROOM_BYTES = 400e6;

describe('examples', () => {
  exampleTests('native', (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    const memoryBytes = numa.topology.node(away).memoryBytes ?? 0;
    if (memoryBytes < ROOM_BYTES) {
      context.skip(`needs 400 MB on the second node; node ${away} has ${memoryBytes} bytes`);
    }
    return [home, away, numa.pageSizeBytes];
  });

  it('runs examples/placed-workers.mjs', async (context) => {
    const nodes = numa.topology.withCpus.intersection(numa.allowedNodes()).toArray();
    needNodes(context, 2);
    if (nodes.length < 2) context.skip('needs two nodes with CPUs and memory');
    const output = await outputOf(['examples/placed-workers.mjs'], 'native');
    for (const node of nodes) {
      const { cpus } = numa.topology.node(node);
      expect(output).toContain(`node ${node}: CPUs ${CpuMask.from(cpus ?? [])}, bind:${node}, 7 *`);
    }
    expect(output).toMatch(/^a child with prefer:\d+ ended with 0\nall were placed$/m);
  });

  it('runs examples/worker.mjs', async (context) => {
    needNodes(context, 2);
    expect(await outputOf(['examples/worker.mjs'], 'native')).toMatch(/pages moved/);
  });
});
