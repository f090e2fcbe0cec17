/** Moving pages between real nodes: same addresses, same data, a report that is true. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AbortError,
  bind,
  interleave,
  type MigrationProgress,
  type MigrationReport,
} from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import {
  chooseHugePages,
  firstNode,
  memoryNodes,
  needExpendable,
  needMemoryOnlyNode,
  needNodes,
  numa,
  UNKNOWN_NODE,
} from './machine.ts';
import {
  allocateOn,
  checksum,
  expectAccounted,
  expectTrueOf,
  PAGE,
  pagesIn,
  writePattern,
} from './placed-buffer.ts';
import { hasOtherThreads } from './subject.ts';

const CHUNK_PAGE_COUNT = 2048;

let restoreHugePages: (() => void) | undefined;
beforeAll(() => {
  restoreHugePages = chooseHugePages('never');
});
afterAll(() => restoreHugePages?.());

describe('migrate()', () => {
  test('moves all pages from node to node, keeping addresses and data', async (context) => {
    const nodes = needNodes(context, 3);
    using buffer = allocateOn(nodes[0] as number, pagesIn(4));
    writePattern(buffer);
    const [{ address, pageCount }, sum] = [buffer, checksum(buffer)];
    for (const [index, to] of [...nodes.slice(1), nodes[0] as number].entries()) {
      const from = nodes[index] as number;
      const report = await buffer.migrate({ to, strict: true });
      expectTrueOf(buffer, report);
      expect(report).toMatchObject({
        target: to,
        pageSizeBytes: PAGE,
        pages: { total: pageCount, moved: pageCount, alreadyThere: 0 },
        before: { [from]: pageCount },
        after: { [to]: pageCount },
        complete: true,
        aborted: false,
        method: 'move_pages',
        backend: numa.backend.kind,
      });
      expect(buffer.address).toBe(address);
      expect(checksum(buffer)).toBe(sum);
    }
  });

  test('moves to a node without CPUs', async (context) => {
    needNodes(context, 2);
    const to = needMemoryOnlyNode(context);
    using buffer = allocateOn(firstNode, 100);
    expect(await buffer.migrate({ to })).toMatchObject({ after: { [to]: 100 }, complete: true });
  });

  test('to the node where the pages are counts them as already there', async () => {
    using buffer = allocateOn(firstNode, 50);
    writePattern(buffer);
    const sum = checksum(buffer);
    const report = await buffer.migrate({ to: firstNode, strict: true });
    expectTrueOf(buffer, report);
    expect(report.pages).toMatchObject({ total: 50, alreadyThere: 50, moved: 0 });
    expect(report.syscalls).toEqual({ move_pages: expect.any(Number) });
    expect(report.durationNs).toBeGreaterThan(0);
    expect(checksum(buffer)).toBe(sum);
  });

  test('leaves the policy of the range as it was', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(10 * PAGE, { policy: bind(from) });
    buffer.touch({ lengthBytes: 5 * PAGE });
    expectTrueOf(buffer, await buffer.migrate({ to }));
    expect(`${buffer.policy()}`).toBe(`bind:${from}`);
    buffer.touch();
    expect(buffer.residencySync().byNode).toEqual({ [from]: 5, [to]: 5 });
  });

  test('counts untouched pages and pages that were only read', async (context) => {
    const to = needNodes(context, 1).at(-1) as number;
    using untouched = numa.allocate(20 * PAGE);
    const first = await untouched.migrate({ to, strict: true });
    expectTrueOf(untouched, first);
    expect(first).toMatchObject({ pages: { notPresent: 20 }, complete: true, after: {} });

    using zero = numa.allocate(20 * PAGE);
    zero.touch({ access: 'read' });
    const second = await zero.migrate({ to, strict: true });
    expectTrueOf(zero, second);
    expect(second).toMatchObject({ pages: { zeroPage: 20 }, complete: true, after: {} });
  });

  test('moves the written pages between untouched ones and zero pages', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using mixed = numa.allocate(90 * PAGE, { policy: bind(from) });
    for (let page = 0; page < 90; page += 3) {
      mixed.touch({ offsetBytes: page * PAGE, lengthBytes: PAGE });
      mixed.touch({ offsetBytes: (page + 1) * PAGE, lengthBytes: PAGE, access: 'read' });
    }
    const report = await mixed.migrate({ to, strict: true });
    expectTrueOf(mixed, report);
    expect(report.pages).toMatchObject({ total: 90, moved: 30, zeroPage: 30, notPresent: 30 });
  });

  test('leaves alone what is there already in an interleaved buffer', async (context) => {
    const nodes = needNodes(context, 2);
    using buffer = numa.allocate(100 * PAGE, { policy: interleave(nodes) });
    buffer.touch();
    const before = buffer.residencySync().byNode;
    const to = nodes[1] as number;
    const report = await buffer.migrate({ to });
    expectTrueOf(buffer, report);
    expect(report.before).toEqual(before);
    expect(report.pages).toMatchObject({ moved: 50, alreadyThere: 50 });
  });

  test('moves a part only, its last page as a whole', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(from, 10);
    const report = await buffer.migrate({ to, offsetBytes: 2 * PAGE, lengthBytes: 3 * PAGE + 1 });
    expectAccounted(report, 4);
    expect(buffer.residencySync().byNode).toEqual({ [from]: 6, [to]: 4 });
    const part = buffer.residencySync({ offsetBytes: 2 * PAGE, lengthBytes: 4 * PAGE });
    expect(part.byNode).toEqual({ [to]: 4 });
  });

  test('refuses a node that the machine does not have, and moves nothing', async () => {
    for (const access of ['read', 'write'] as const) {
      using buffer = allocateOn(firstNode, 3, access);
      const { code, error } = await failureOf(() => buffer.migrate({ to: UNKNOWN_NODE }));
      expect(code).toBe('NUMA_NODE_OFFLINE');
      expect(error).toMatchObject({ syscall: 'move_pages', errnoName: 'ENODEV', errno: -19 });
      expect(error.message).toContain(`node ${UNKNOWN_NODE}`);
      expect(error.message).toMatch(/allowed nodes: \d/);
      expect(error.hint).toMatch(/node/);
      expect(error.report).toBeUndefined();
    }
  });
});

describe('migrate() of several chunks', () => {
  test('shows progress, lets the event loop run, ends at an abort, goes on', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(from, 2 * CHUNK_PAGE_COUNT + 100);
    writePattern(buffer);
    const sum = checksum(buffer);

    const controller = new AbortController();
    const first = await failureOf(() =>
      buffer.migrate({
        to,
        signal: controller.signal,
        onProgress: ({ moved }) => {
          if (moved > 0) controller.abort(new Error('enough'));
        },
      }),
    );
    expect(first.error).toBeInstanceOf(AbortError);
    const { report, cause } = first.error as unknown as { report: MigrationReport; cause: Error };
    expect(cause.message).toBe('enough');
    expectAccounted(report, buffer.pageCount);
    expect(report).toMatchObject({ aborted: true, complete: false });
    const { moved: movedFirst, notAttempted } = report.pages;
    expect(movedFirst).toBeLessThanOrEqual(CHUNK_PAGE_COUNT);
    expect(movedFirst + notAttempted).toBe(buffer.pageCount);
    expect(report).toMatchObject({ before: { [from]: movedFirst }, after: { [to]: movedFirst } });
    expect(buffer.residencySync().byNode).toEqual({ [from]: notAttempted, [to]: movedFirst });

    const steps: MigrationProgress[] = [];
    let turns = 0;
    let isMoving = true;
    const count = (): void => {
      turns += 1;
      if (isMoving) setImmediate(count);
    };
    setImmediate(count);
    const rest = await buffer.migrate({ to, onProgress: (progress) => steps.push(progress) });
    isMoving = false;
    expectTrueOf(buffer, rest);
    expect(rest.pages).toMatchObject({ alreadyThere: movedFirst, moved: notAttempted });
    // Chunks end at multiples of their size, so the first one may be short.
    const done = [0, ...steps.map(({ pagesDone }) => pagesDone)];
    const chunks = done.slice(1).map((pages, index) => pages - (done[index] as number));
    expect(chunks[0]).toBe(movedFirst);
    expect(chunks.slice(1, -1).every((pages) => pages === CHUNK_PAGE_COUNT)).toBe(true);
    expect(done.at(-1)).toBe(buffer.pageCount);
    const moved = steps.map((step) => step.moved);
    expect(moved).toEqual(moved.toSorted((a, b) => a - b));
    expect(steps.every(({ pagesTotal }) => pagesTotal === buffer.pageCount)).toBe(true);
    // A blocked loop would turn once or twice for each of the five calls.
    expect(turns).toBeGreaterThan(hasOtherThreads ? 50 : chunks.length);
    expect(checksum(buffer)).toBe(sum);
  });

  test('reports exactly what a full node took', async (context) => {
    needExpendable(context);
    needNodes(context, 2);
    const freeOf = (node: number): number => Number(numa.freeMemory(node));
    const to = memoryNodes.toSorted((a, b) => freeOf(a) - freeOf(b))[0] as number;
    const from = memoryNodes.find((node) => node !== to) as number;
    const freePages = Math.ceil(freeOf(to) / PAGE);
    using buffer = allocateOn(from, freePages + pagesIn(16));
    writePattern(buffer);
    const sum = checksum(buffer);
    const report = await buffer.migrate({ to });
    expectTrueOf(buffer, report);
    const { moved, noMemory } = report.pages;
    expect(moved).toBeGreaterThan(freePages / 2);
    expect(noMemory).toBeGreaterThan(pagesIn(8));
    expect(moved + noMemory).toBe(buffer.pageCount);
    expect(checksum(buffer)).toBe(sum);

    const { code, error } = await failureOf(() => buffer.migrate({ to, strict: true }));
    expect(code).toBe('NUMA_POLICY_NOT_MET');
    expect(error.message).toMatch(/\d+ noMemory/);
    expectTrueOf(buffer, error.report as MigrationReport);
  });
});

describe('huge pages', () => {
  test('are counted in base pages, and stay accounted for', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    const restore = chooseHugePages('always') ?? context.skip('huge pages are not ours to choose');
    try {
      using buffer = allocateOn(from, pagesIn(8));
      writePattern(buffer);
      const sum = checksum(buffer);
      const report = await buffer.migrate({ to, strict: true });
      expectTrueOf(buffer, report);
      expect(report.pages.moved).toBe(buffer.pageCount);
      expect(checksum(buffer)).toBe(sum);
    } finally {
      restore();
    }
  });
});
