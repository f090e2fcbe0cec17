/** Transparent huge pages move as one, and are still accounted for page by page. */

import type { TestContext } from 'vitest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bind, defaultPolicy, type MappedBuffer } from '../../lib/index.ts';
import { chooseHugePages, memoryNodes, needExpendable, needNodes, numa } from './machine.ts';
import { checksum, expectTrueOf, PAGE, pagesIn, pinPages, writePattern } from './placed-buffer.ts';
import { fillPools, hugeBytesOf } from './subject.ts';

const HUGE_PAGES = pagesIn(2);
const HUGE = HUGE_PAGES * PAGE;

/** A buffer of huge pages on a node, for as long as the test runs. */
function allocateHuge(context: TestContext, node: number, pageCount: number): MappedBuffer {
  const restore = chooseHugePages('always') ?? context.skip('huge pages are not ours to choose');
  const buffer = numa.allocate(pageCount * PAGE, { policy: bind(node) });
  onTestFinished(() => {
    buffer.release();
    restore();
  });
  buffer.touch();
  buffer.setPolicy(defaultPolicy());
  expect(hugeBytesOf(buffer)).toBeGreaterThanOrEqual(HUGE_PAGES * PAGE);
  return buffer;
}

/** Index of the first page of the n-th whole huge page in a buffer. */
function hugePageAt({ address }: MappedBuffer, n: number): number {
  const firstPage = Number(address / BigInt(PAGE));
  return ((HUGE_PAGES - (firstPage % HUGE_PAGES)) % HUGE_PAGES) + n * HUGE_PAGES;
}

describe('huge pages', () => {
  test('that lie across a boundary of chunks are counted where they were', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    const buffer = allocateHuge(context, from, pagesIn(70));
    writePattern(buffer);
    const sum = checksum(buffer);
    const before = buffer.residencySync().byNode;
    const report = await buffer.migrate({ to, strict: true });
    expectTrueOf(buffer, report);
    expect(report.before).toEqual(before);
    expect(report.pages).toMatchObject({ moved: buffer.pageCount, alreadyThere: 0 });
    expect(checksum(buffer)).toBe(sum);
  });

  test('of which one page is pinned stay whole, at the price of a few calls', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    const buffer = allocateHuge(context, from, pagesIn(16));
    const pinned = hugePageAt(buffer, 3);
    const unpin = pinPages(buffer, pinned + 100, 1);
    onTestFinished(unpin);
    const report = await buffer.migrate({ to });
    expectTrueOf(buffer, report);
    expect(report.pages).toMatchObject({
      busy: HUGE_PAGES,
      moved: buffer.pageCount - HUGE_PAGES,
    });
    // Four steps of 8 MiB, which ask and move, and what the pinned page costs.
    expect(report.syscalls['move_pages']).toBeLessThan(4 * 2 + 8);
  });

  test('all of them pinned cost a few calls each, and the report is exact', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    const buffer = allocateHuge(context, from, pagesIn(16));
    for (let n = 0; n < 6; n += 1) onTestFinished(pinPages(buffer, hugePageAt(buffer, n), 1));
    const report = await buffer.migrate({ to });
    expectTrueOf(buffer, report);
    expect(report.pages).toMatchObject({
      busy: 6 * HUGE_PAGES,
      moved: buffer.pageCount - 6 * HUGE_PAGES,
    });
    expect(report.syscalls['move_pages']).toBeLessThan(40);
  });

  test('leave the neighbours of a buffer alone', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    const first = allocateHuge(context, from, pagesIn(4));
    const second = allocateHuge(context, from, pagesIn(4));
    await first.migrate({ to, strict: true });
    expect(second.residencySync().byNode).toEqual({ [from]: second.pageCount });
  });
});

/** `[total, free]` of the pools of nodes. */
async function poolsOf(nodes: readonly number[]): Promise<(readonly [number, number])[]> {
  const told = await numa.nodeStatistics();
  return nodes.map((node) => {
    const pools = told.find(({ id }) => id === node)?.hugePages ?? [];
    const pool = pools.find(({ pageSizeBytes }) => pageSizeBytes === HUGE);
    return [pool?.total ?? 0, pool?.free ?? 0] as const;
  });
}

describe.each([false, true])('huge pages of a pool, shared: %s', (shared) => {
  const hugePages = { pageSizeBytes: HUGE };

  /** Two pages on the first node, with a pattern. */
  function allocateOfPool(node: number): { buffer: MappedBuffer; sum: number } {
    const buffer = numa.allocate(2 * HUGE, { hugePages, shared, policy: bind(node) });
    onTestFinished(() => buffer.release());
    buffer.touch();
    writePattern(buffer);
    return { buffer, sum: checksum(buffer) };
  }

  test("take pages of the target's pool, and give theirs back to their own", async (context) => {
    const nodes = needNodes(context, 2) as [number, number];
    const [from, to] = nodes;
    const restore = fillPools({ [from]: 2, [to]: 3 }) ?? context.skip('changes a setting');
    onTestFinished(restore);
    const { buffer, sum } = allocateOfPool(from);
    expect(await poolsOf(nodes)).toEqual([
      [2, 0],
      [3, 3],
    ]);
    const report = await buffer.migrate({ to, strict: true });
    expectTrueOf(buffer, report);
    expect(report.pages.moved).toBe(2 * HUGE_PAGES);
    expect(checksum(buffer)).toBe(sum);
    expect(await poolsOf(nodes)).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });

  test('come from outside where a pool is empty, which has them from then on', async (context) => {
    const nodes = needNodes(context, 2) as [number, number];
    const [from, to] = nodes;
    const restore = fillPools({ [from]: 2, [to]: 0 }) ?? context.skip('changes a setting');
    onTestFinished(restore);
    const { buffer, sum } = allocateOfPool(from);
    const report = await buffer.migrate({ to });
    expectTrueOf(buffer, report);
    expect(report.pages.moved).toBe(2 * HUGE_PAGES);
    expect(checksum(buffer)).toBe(sum);
    expect(await poolsOf(nodes)).toEqual([
      [0, 0],
      [2, 0],
    ]);
  });

  // What a node can make besides is up to chance: another one may come together meanwhile.
  test('stay where they are when the target has none, and say so', {
    retry: 2,
  }, async (context) => {
    needExpendable(context);
    const [from] = needNodes(context, 2) as [number, number];
    const to = memoryNodes.at(-1) as number;
    // As many as the node can make.
    const most = Math.floor((numa.freeMemory(to) ?? 0) / HUGE);
    onTestFinished(fillPools({ [from]: 2, [to]: most }) ?? context.skip('changes a setting'));
    const { buffer, sum } = allocateOfPool(from);
    const [, [, free]] = (await poolsOf([from, to])) as [unknown, readonly [number, number]];
    const rest = numa.allocate(free * HUGE, { hugePages, policy: bind(to) });
    onTestFinished(() => rest.release());
    rest.touch();
    const report = await buffer.migrate({ to });
    expectTrueOf(buffer, report);
    // Before 6.12 the second address of one is EACCES, by itself as well.
    expect(report.pages).toMatchObject({ moved: 0, noMemory: 2 * HUGE_PAGES, shared: 0 });
    await expect(buffer.migrate({ to, strict: true })).rejects.toMatchObject({
      code: 'NUMA_POLICY_NOT_MET',
      report: { pages: { moved: 0 } },
    });
    expect(checksum(buffer)).toBe(sum);
    expect(buffer.residencySync().byNode).toEqual({ [from]: 2 * HUGE_PAGES });
  });
});
