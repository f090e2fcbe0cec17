/** The examples on the simulator: what they print natively, but for the line of the backend. */

import { describe, expect, it } from 'vitest';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { newestKernelLine } from '../../lib/core/kernels.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';
import { DRIVER_MEMORY, PINNED_BUFFER } from '../contract/pinned-kinds.ts';
import { expectedTable } from '../contract/pinned-table.ts';
import { exampleTests, outputOf } from '../facade/example-runs.ts';
import { readRepositoryFile } from '../style/repository.ts';

/** The names of the steps that an example prints. */
function stepsIn(output: string): string[] {
  return [...output.matchAll(/^ +\d+ {2}call 0 {2}(\S+)/gm)].map(([, step]) => step as string);
}

describe('examples on the simulator', () => {
  exampleTests('simulator', () => [0, 1, 4096]);

  it('runs examples/placed-workers.mjs, whose workers are not placed', async () => {
    const output = await outputOf(['examples/placed-workers.mjs'], 'simulator');
    expect(output.split('\n').slice(1, 4)).toEqual([
      'node 0: CPUs 0, bind:0, 7 * 6 = 42',
      'node 1: CPUs 1, bind:1, 7 * 6 = 42',
      'a child with prefer:1 ended with 0',
    ]);
    expect(output).toMatch(/^none was placed: the simulator has a machine of its own/m);
  });

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

  it.for(kernelLines)('runs examples/pinned-buffer.mjs as Linux %s: its tables', async (kernel) => {
    const output = await outputOf(['examples/pinned-buffer.mjs', kernel], 'simulator');
    const facts = kernelFacts(new Machine(undefined, { kernel }).kernel);
    for (const group of PINNED_BUFFER) expect(output).toContain(expectedTable(group, facts));
    expect(output).toMatch(/^9 tries +moves\n10 tries +stays, counts 4$/m);
    const [, ofReference = '', ofPin = ''] = output.split('move_pages() of one page');
    expect(stepsIn(ofReference)).toEqual(
      expect.arrayContaining(['isolate', 'lock-source', 'unmap', 'back-out', 'restore']),
    );
    expect(ofReference).toContain('references too many');
    const before = ['isolate', 'pass', 'allocate-target', 'lock-source', 'lock-target'];
    const after = ['unmap', 'back-out', 'unlock', 'free-target', 'put-back'];
    expect(stepsIn(ofPin)).toEqual([...before, ...after]);
    expect(ofPin).toContain('may be pinned');
    expect(ofPin).toContain('backed out 10 times: it stays, counts 1');
  });

  it.for(kernelLines)('runs examples/driver-memory.mjs as Linux %s: its table', async (kernel) => {
    const output = await outputOf(['examples/driver-memory.mjs', kernel], 'simulator');
    const facts = kernelFacts(new Machine(undefined, { kernel }).kernel);
    for (const group of DRIVER_MEMORY) expect(output).toContain(expectedTable(group, facts));
    expect(output).toContain('0 steps, backed out 0 times: it stays, EBUSY');
  });

  it('shows the tables of pinned memory in the docs', async () => {
    const page = readRepositoryFile('docs/pinned-memory.md');
    for (const group of [...PINNED_BUFFER, ...DRIVER_MEMORY]) {
      expect(page).toContain(expectedTable(group, kernelFacts(newestKernelLine)));
    }
  });
});
