/** The examples on the simulator: what they print natively, but for the line of the backend. */

import { describe, expect, it } from 'vitest';
import { exampleTests, outputOf } from '../facade/example-runs.ts';
import { readRepositoryFile } from '../style/repository.ts';

describe('examples on the simulator', () => {
  exampleTests('simulator', () => [0, 1, 4096]);

  it('runs examples/compare-policies.mjs: near memory beats far, and moving pays', async () => {
    const output = await outputOf(['examples/compare-policies.mjs'], 'simulator');
    expect(readRepositoryFile('docs/simulator.md')).toContain(output);
    const shown = output
      .trim()
      .split('\n')
      .map((line) => {
        const found = /^(.*): accesses .* \+ moves (.*) ms = (.*) ms, (.*) % local$/.exec(line);
        const [name, movesMs, totalMs, localPercent] = found?.slice(1) ?? [];
        return { name, moves: Number(movesMs) > 0, total: Number(totalMs), local: localPercent };
      });
    expect(shown.map(({ name, moves, local }) => [name, moves, local])).toEqual([
      ['bind to node 0', false, '100'],
      ['interleave on both', false, '50'],
      ['bind to node 1', false, '0'],
      ['node 1, then migrate', true, '100'],
    ]);
    const [near, shared, far, moved] = shown.map(({ total }) => total) as [number, ...number[]];
    expect(near).toBeLessThan(moved as number);
    expect(moved).toBeLessThan(shared as number);
    expect(shared).toBeLessThan(far as number);
    // The distance of the two nodes is 21, that of a node to itself 10.
    expect((far as number) / near).toBeCloseTo(2.1, 2);
  });
});
