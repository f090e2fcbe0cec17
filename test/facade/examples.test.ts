/** The examples on this host's kernel. */

import { describe, expect, it } from 'vitest';
import { exampleTests, outputOf } from './example-runs.ts';
import { needNodes, numa } from './machine.ts';

describe('examples', () => {
  exampleTests('native', (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    return [home, away, numa.pageSizeBytes];
  });

  it('runs examples/worker.mjs', async (context) => {
    needNodes(context, 2);
    expect(await outputOf(['examples/worker.mjs'], 'native')).toMatch(/pages moved/);
  });
});
