/** What a move does when asked: plans, budgets, parts left out, pages that resist. */

import { describe, expect, test } from 'vitest';
import { bind, summarize } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { firstNode, memoryNodes, needNodes, numa, usesHugePages } from './machine.ts';
import { allocateOn, expectAccounted, PAGE, pagesIn, pinPages } from './placed-buffer.ts';

const otherNode = memoryNodes[1] ?? firstNode;

describe('a plan', () => {
  test('tells what would move, and moves nothing', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(home, 16);
    buffer.setPolicy(bind(home));
    const plan = await buffer.plan({ to: away, exclude: { offsetBytes: 12 * PAGE } });
    expect(plan).toMatchObject({
      ...{ target: away, pagesToMove: 12, bytesToMove: 12 * PAGE, byNode: { [home]: 12 } },
      pages: { total: 12, present: 12, failed: 0 },
      methods: ['move_pages', 'mbind'],
    });
    expect(plan.freeBytes).toBeGreaterThan(0);
    expect(plan.warnings.map(({ kind }) => kind)).toEqual(['policy']);
    expect(buffer.residencySync().byNode).toEqual({ [home]: 16 });
    expect(summarize(plan)).toMatch(/^48.* of 12 pages to move to node \d+, which has .*, policy$/);
    expect((await buffer.plan({ to: home })).pagesToMove).toBe(0);
  });

  test('of a view is the same', async () => {
    using view = numa.view(new SharedArrayBuffer(16 * PAGE + PAGE));
    view.touch();
    expect((await view.plan({ to: otherNode })).pages.present).toBe(view.pageCount);
  });
});

describe('parts that are excluded', () => {
  test('stay, and are in no count', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(home, 32);
    const exclude = [
      { offsetBytes: 20 * PAGE, lengthBytes: 4 * PAGE },
      { offsetBytes: 4 * PAGE, lengthBytes: 1 },
      { offsetBytes: 22 * PAGE, lengthBytes: 4 * PAGE },
    ];
    const range = { offsetBytes: 2 * PAGE, lengthBytes: 26 * PAGE };
    const report = await buffer.migrate({ to: away, exclude, ...range });
    expectAccounted(report, 19);
    expect(report.pages.moved).toBe(19);
    const nodes = await buffer.pageStatuses();
    const stayed = nodes.flatMap((node, page) => (node === home ? [page] : []));
    expect(stayed).toEqual([0, 1, 4, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31]);
  });

  test('an exclusion out of the buffer is named', async () => {
    using buffer = numa.allocate(4 * PAGE);
    const wrong = [{}, { offsetBytes: 4 * PAGE }];
    const { code, error } = await failureOf(() => buffer.migrate({ to: 0, exclude: wrong }));
    expect(code).toBe('ERR_OUT_OF_RANGE');
    expect(error.message).toContain('"options.exclude[1].offsetBytes"');
  });
});

describe('a pause budget', () => {
  test('makes the move in steps, which the report counts', async () => {
    using buffer = allocateOn(firstNode, pagesIn(9));
    const told: number[] = [];
    const onProgress = ({ pagesDone }: { pagesDone: number }) => void told.push(pagesDone);
    const request = { to: otherNode, pauseBudgetMs: 0.001, onProgress };
    const report = await buffer.migrate(request);
    expectAccounted(report, buffer.pageCount);
    expect(report.steps.count).toBeGreaterThan(2);
    expect(report.steps.longestNs).toBeGreaterThan(0);
    expect(told).toHaveLength(report.steps.count);
    expect(told.at(-1)).toBe(buffer.pageCount);
    const atOnce = await buffer.migrate({ to: firstNode });
    expect(atOnce.steps.count).toBeLessThanOrEqual(3);
  });
});

describe('busy pages', () => {
  test('are tried again until somebody lets go of them', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    if (usesHugePages()) context.skip('huge pages are on: one move takes hundreds of pages');
    using buffer = allocateOn(home, 16);
    const unpin = pinPages(buffer, 5);
    let isPinned = true;
    // After the first try, however long it took.
    const onProgress = () => {
      if (isPinned) unpin();
      isPinned = false;
    };
    const report = await buffer.migrate({ to: away, retryBusyMs: 60_000, onProgress });
    expectAccounted(report, 16);
    expect(report.pages).toMatchObject({ moved: 16, alreadyThere: 0, busy: 0 });
    expect(report).toMatchObject({ complete: true, before: { [home]: 16 }, after: { [away]: 16 } });
    expect(report.steps.count).toBeGreaterThan(1);
  });

  test('are busy when the time is over', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    if (usesHugePages()) context.skip('huge pages are on: one move takes hundreds of pages');
    using buffer = allocateOn(home, 16);
    const unpin = pinPages(buffer, 5);
    const report = await buffer.migrate({ to: away, retryBusyMs: 5 });
    unpin();
    expectAccounted(report, 16);
    expect(report.pages).toMatchObject({ moved: 15, busy: 1 });
    expect(summarize(report)).toMatch(
      /^16 pages to node \d+: 15 moved, 1 busy; done in part, [\d.]+ \w+$/,
    );
  });
});

describe('a line of text', () => {
  test('is made of where pages are', async () => {
    using buffer = allocateOn(firstNode, 3);
    expect(summarize(await buffer.residency())).toBe(`3 pages: 3 on node ${firstNode}`);
    using empty = numa.allocate(2 * PAGE);
    expect(summarize(empty.residencySync())).toBe('2 pages: 2 not present');
  });

  test('is made of no other thing', async () => {
    for (const wrong of [undefined, null, 1, {}, [], { pages: 1 }]) {
      const { code } = await failureOf(() => summarize(wrong as never));
      expect(code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});
