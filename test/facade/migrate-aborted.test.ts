/** An AbortSignal and onProgress in each state of a move, over a table of pages. */

import { describe, expect, test } from 'vitest';
import {
  AbortError,
  type MigrateOptions,
  type MigrationProgress,
  type MigrationReport,
} from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { modelOf, onNode, openOn, STEP_PAGE_COUNT, TARGET } from './modelled-buffer.ts';
import type { ModelledPage, PageModel } from './modelled-pages.ts';
import { expectAccounted } from './placed-buffer.ts';

/** Runs a move that is to be aborted, and gives its receipt. */
async function abortedReport(
  model: PageModel,
  controller: AbortController,
  options: Partial<MigrateOptions> = {},
  whileItRuns: () => void = () => {},
): Promise<{ report: MigrationReport; moveCalls: number }> {
  const { buffer, modelled, range } = openOn(model);
  try {
    const { signal } = controller;
    const moving = buffer.migrate({ ...range, to: TARGET, signal, ...options });
    whileItRuns();
    const { error } = await failureOf(() => moving);
    expect(error).toBeInstanceOf(AbortError);
    expect((error as Error).cause).toBe(controller.signal.reason);
    const report = (error as unknown as AbortError).report as MigrationReport;
    expectAccounted(report, model.pages.length);
    expect(report.aborted).toBe(true);
    return { report, moveCalls: modelled.calls.move };
  } finally {
    buffer.release();
  }
}

describe('an abort', () => {
  test.each([1, 40, 2 * STEP_PAGE_COUNT])(
    'right after the call moves no page, of %i',
    async (pageCount) => {
      const controller = new AbortController();
      const model = modelOf(onNode(0, pageCount));
      const { report, moveCalls } = await abortedReport(model, controller, {}, () =>
        controller.abort(new Error('changed my mind')),
      );
      expect(moveCalls).toBe(0);
      expect(report.pages).toMatchObject({ moved: 0, notAttempted: pageCount });
      expect(model.pages.every(({ place }) => place === 0)).toBe(true);
    },
  );

  test('ends the count of what a full node left behind', async () => {
    const controller = new AbortController();
    const steps: MigrationProgress[] = [];
    const model = modelOf(onNode(0, 5 * STEP_PAGE_COUNT), { freePages: 3 });
    const { report } = await abortedReport(model, controller, {
      onProgress: (progress) => {
        steps.push(progress);
        if (steps.length === 3) controller.abort();
      },
    });
    expect(steps.map(({ pagesDone }) => pagesDone / STEP_PAGE_COUNT)).toEqual([1, 2, 3]);
    expect(report.pages).toMatchObject({
      moved: 3,
      noMemory: 3 * STEP_PAGE_COUNT - 3,
      notAttempted: 2 * STEP_PAGE_COUNT,
    });
  });

  test('ends the tries behind pages that do not move, which are told from the others', async () => {
    const controller = new AbortController();
    const list = onNode(0, 1000);
    // Each second page ends a run, and every run fails: a call for each two pages.
    for (const [index, page] of list.entries()) {
      page.trait = index % 3 === 0 ? 'pinned' : index % 3 === 1 ? 'isolated' : 'free';
    }
    const model = modelOf(list, {
      refuse: (kind, index) => {
        if (kind === 'move' && index === 12) controller.abort();
        return undefined;
      },
    });
    const { report, moveCalls } = await abortedReport(model, controller);
    expect(moveCalls).toBeLessThan(20);
    const { moved, busy, notAttempted } = report.pages;
    expect(moved).toBe(list.filter(({ place }) => place === TARGET).length);
    expect(busy).toBeGreaterThan(moved);
    expect(notAttempted).toBeGreaterThan(900);
  });

  test('while the last pages are on their way is an abort, and they are counted', async () => {
    const controller = new AbortController();
    const model = modelOf(onNode(0, 10), {
      refuse: (kind) => {
        if (kind === 'move') controller.abort();
        return undefined;
      },
    });
    const { report } = await abortedReport(model, controller);
    expect(report).toMatchObject({ complete: true, pages: { moved: 10 } });
  });

  test('of residency() holds to the last moment', async () => {
    const controller = new AbortController();
    const { buffer, range } = openOn(modelOf(onNode(0, 10)));
    const looking = buffer.residency({ ...range, signal: controller.signal });
    const reason = new Error('too late');
    controller.abort(reason);
    await expect(looking).rejects.toBe(reason);
    buffer.release();
  });
});

describe('onProgress', () => {
  const FULL = { freePages: 0 };

  test('goes on behind a full node, and its error ends the move', async () => {
    const { buffer, range } = openOn(modelOf(onNode(0, 3 * STEP_PAGE_COUNT), FULL));
    const done: number[] = [];
    const report = await buffer.migrate({
      ...range,
      to: TARGET,
      onProgress: ({ pagesDone }) => done.push(pagesDone / STEP_PAGE_COUNT),
    });
    expect(done).toEqual([1, 2, 3]);
    expect(report).toMatchObject({ aborted: false, pages: { noMemory: 3 * STEP_PAGE_COUNT } });
    const thrown = new RangeError('bad day');
    const onProgress = (): void => {
      throw thrown;
    };
    const { error } = await failureOf(() => buffer.migrate({ ...range, to: TARGET, onProgress }));
    expect(error).toBeInstanceOf(AbortError);
    expect(error.cause).toBe(thrown);
    const { pages } = error.report as MigrationReport;
    expect(pages).toMatchObject({ noMemory: STEP_PAGE_COUNT, notAttempted: 2 * STEP_PAGE_COUNT });
    buffer.release();
  });

  test('comes at least each 8 MiB', async () => {
    const list: ModelledPage[] = onNode(0, 8192);
    const { buffer, range, numa } = openOn(modelOf(list));
    const done = [0];
    await buffer.migrate({
      ...range,
      to: TARGET,
      onProgress: ({ pagesDone }) => done.push(pagesDone),
    });
    const steps = done.slice(1).map((pages, index) => pages - (done[index] as number));
    expect(Math.max(...steps) * numa.pageSizeBytes).toBeLessThanOrEqual(8 * 2 ** 20);
    buffer.release();
  });
});
