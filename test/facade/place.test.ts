/** Pages each on a node of its own, a status for each, and shares of nodes. */

import { afterEach, describe, expect, test } from 'vitest';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { bind, local, type NodeNumbers, type PageStatus } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { memoryNodes, needExpendable, needNodes, numa } from './machine.ts';
import { allocateOn, checksum, PAGE, pinPages, writePattern } from './placed-buffer.ts';

const PAGES = 64;
const STAYS = -1;
const { hasWeightedInterleave } = kernelFacts(numa.backend.kernel);

describe('place()', () => {
  test('moves each page to its own node, and tells it of each', async (context) => {
    const nodes = needNodes(context, 2);
    using buffer = allocateOn(nodes[0] as number, PAGES);
    writePattern(buffer);
    const sum = checksum(buffer);
    const wanted = Array.from({ length: PAGES }, (_, page) => nodes[page % nodes.length] as number);
    const report = await buffer.place(wanted);
    expect(report.statuses).toEqual(wanted);
    const moved = wanted.filter((node) => node !== nodes[0]).length;
    expect(report.pages).toMatchObject({ total: PAGES, moved, alreadyThere: PAGES - moved });
    expect(report.complete).toBe(true);
    expect(await buffer.pageStatuses()).toEqual(wanted);
    expect(`${buffer.policy()}`).toBe('default');
    expect(checksum(buffer)).toBe(sum);
  });

  test('leaves pages alone that are to stay, and those that are not there', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(4 * PAGE, { policy: bind(home) });
    buffer.touch({ lengthBytes: 2 * PAGE });
    const report = await buffer.place(Int32Array.of(away, STAYS, away, STAYS));
    const statuses: PageStatus[] = [away, home, 'not-present', 'not-present'];
    expect(report.statuses).toEqual(statuses);
    expect(report.pages).toMatchObject({ moved: 1, alreadyThere: 1, notPresent: 2 });
    expect(await buffer.pageStatuses()).toEqual(statuses);
    const part = await buffer.place([home], { offsetBytes: 0, lengthBytes: PAGE });
    expect(part.statuses).toEqual([home]);
  });

  test('says which page could not follow', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(home, 4);
    const unpin = pinPages(buffer, 1);
    try {
      const report = await buffer.place([away, away, STAYS, away]);
      expect(report.statuses).toEqual([away, 'busy', home, away]);
      expect(report).toMatchObject({ complete: false, outcome: 'partial' });
      const { code, error } = await failureOf(() =>
        buffer.place([away, away, home, away], { strict: true }),
      );
      expect(code).toBe('NUMA_POLICY_NOT_MET');
      expect(error).toMatchObject({ report: { statuses: [away, 'busy', home, away] } });
    } finally {
      unpin();
    }
  });

  test('an abort tells the pages that were not tried', async () => {
    using buffer = allocateOn(memoryNodes[0] as number, 2);
    const signal = AbortSignal.abort(new Error('enough'));
    const { error } = await failureOf(() => buffer.place([STAYS, STAYS], { signal }));
    expect(error).toMatchObject({
      ...{ name: 'AbortError', cause: new Error('enough') },
      report: { aborted: true, statuses: ['not-attempted', 'not-attempted'] },
    });
    const reason = new Error('no look');
    const looked = await failureOf(() =>
      buffer.pageStatuses({ signal: AbortSignal.abort(reason) }),
    );
    expect(looked.error).toBe(reason);
  });

  test('reads the nodes once, before it moves', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(home, 2);
    const nodes = Int32Array.of(away, home);
    const placing = buffer.place(nodes);
    nodes.fill(UNUSABLE);
    expect((await placing).statuses).toEqual([away, home]);
  });
});

const UNUSABLE = 1000;

describe('distribute()', () => {
  let before: NodeNumbers | null = null;
  afterEach(async () => {
    if (before !== null) await numa.setInterleaveWeights(before);
    before = null;
  });

  /** Pages of the machine's own pattern: by their numbers in the address space. */
  function patternOf(address: bigint, weights: NodeNumbers): number[] {
    const turn = Object.entries(weights).flatMap(([node, weight]) =>
      new Array<number>(weight).fill(Number(node)),
    );
    const first = Number(address / BigInt(PAGE)) % turn.length;
    return Array.from({ length: PAGES }, (_, at) => turn[(first + at) % turn.length] as number);
  }

  function bytesOf(pattern: readonly number[]): Record<number, number> {
    const bytes: Record<number, number> = {};
    for (const node of pattern) bytes[node] = (bytes[node] ?? 0) + PAGE;
    return bytes;
  }

  test('places pages by weights that are not the machine’s', async (context) => {
    const [first, second] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(PAGES * PAGE);
    const weights = { [first]: 3, [second]: 1 };
    const report = await buffer.distribute({ weights });
    const pattern = patternOf(buffer.address, weights);
    expect(await buffer.pageStatuses()).toEqual(pattern);
    expect(report.wantedBytes).toEqual(bytesOf(pattern));
    expect(report.bytesByNode).toEqual(bytesOf(pattern));
    const reason = hasWeightedInterleave
      ? "the machine's weights are others"
      : 'this kernel has no';
    expect(report).toMatchObject({ method: 'placed', reason: expect.stringContaining(reason) });
    expect(buffer.policy().mode).toBe('interleave');
  });

  test('leaves it to the kernel where the machine has these weights', async (context) => {
    needExpendable(context);
    const [first, second] = needNodes(context, 2) as [number, number];
    if (!hasWeightedInterleave) return;
    before = (await numa.interleaveWeights()).weights;
    const weights = { [first]: 2, [second]: 5 };
    await numa.setInterleaveWeights(weights);
    using buffer = numa.allocate(PAGES * PAGE, { policy: bind(first) });
    buffer.touch({ lengthBytes: (PAGES / 2) * PAGE });
    const report = await buffer.distribute({ weights });
    expect(report.method).toBe('policy');
    buffer.touch();
    expect(await buffer.pageStatuses()).toEqual(patternOf(buffer.address, weights));
    expect(buffer.policy().mode).toBe('weighted-interleave');
  });

  test('that is aborted before it begins changes nothing', async () => {
    using buffer = numa.allocate(PAGES * PAGE);
    const weights = { [memoryNodes[0] as number]: 1 };
    const aborted = buffer.distribute({ weights }, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', report: { aborted: true } });
    expect(buffer.policy().mode).toBe('default');
    expect(buffer.residencySync().pages.notPresent).toBe(PAGES);
  });

  test('gives each node a part of so many bytes', async (context) => {
    const [first, second] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(8 * PAGE - 1, { policy: local() });
    buffer.touch({ lengthBytes: PAGE });
    const partsBytes = { [first]: 6 * PAGE, [second]: 2 * PAGE };
    const report = await buffer.distribute({ partsBytes });
    expect(report).toMatchObject({ method: 'policy', wantedBytes: partsBytes });
    expect(report.bytesByNode).toEqual({ [first]: PAGE });
    buffer.touch();
    expect(buffer.residencySync().byNode).toEqual({ [first]: 6, [second]: 2 });
  });
});
