/** What migrate() makes of the kernel's answers, over a table of pages instead of a machine. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { AbortError, type MigrateOptions, type MigrationReport } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { inGuest } from '../support/environment.ts';
import { modelOf, onNode, openOn, STEP_PAGE_COUNT, TARGET } from './modelled-buffer.ts';
import type { ModelledPage, PageModel } from './modelled-pages.ts';
import { expectAccounted } from './placed-buffer.ts';

/** Random tables of pages; emulation is slow, and the answers are the same there. */
const RUNS = { numRuns: inGuest ? 20 : 200 };

async function migrate(model: PageModel, options: Partial<MigrateOptions> = {}) {
  const { buffer, range } = openOn(model);
  const before = model.pages.map((page) => ({ ...page }));
  try {
    const report = await buffer.migrate({ ...range, to: TARGET, ...options });
    expect(buffer.residencySync(range).byNode).toEqual(report.after);
    return { report, before };
  } finally {
    buffer.release();
  }
}

const page: fc.Arbitrary<ModelledPage> = fc.record({
  place: fc.constantFrom(0, 0, 0, 0, 1, 2, -ERRNO.ENOENT, -ERRNO.EFAULT),
  trait: fc.constantFrom('free', 'free', 'free', 'free', 'pinned', 'shared', 'isolated'),
});
const pages = fc.array(page, { minLength: 1, maxLength: 60 });

describe('the report of a move', () => {
  test('is what became of each page, whatever pages they are', async () => {
    await fc.assert(
      fc.asyncProperty(pages, fc.boolean(), async (list, includeShared) => {
        const { report, before } = await migrate(modelOf(list), { includeShared });
        const count = (is: (was: ModelledPage) => boolean) => before.filter(is).length;
        const isElsewhere = ({ place }: ModelledPage) => place >= 0 && place !== TARGET;
        const stuck = (trait: string) => count((was) => isElsewhere(was) && was.trait === trait);
        const shared = includeShared ? 0 : stuck('shared');
        const busy = stuck('pinned') + stuck('isolated');
        expectAccounted(report, before.length);
        expect(report.pages).toEqual({
          total: before.length,
          moved: count(isElsewhere) - shared - busy,
          alreadyThere: count(({ place }) => place === TARGET),
          notPresent: count(({ place }) => place === -ERRNO.ENOENT),
          zeroPage: count(({ place }) => place === -ERRNO.EFAULT),
          shared,
          busy,
          noMemory: 0,
          notAttempted: 0,
          failed: 0,
        });
      }),
      RUNS,
    );
  });

  test('is true of a node that is full half way', async () => {
    await fc.assert(
      fc.asyncProperty(pages, fc.nat({ max: 30 }), async (list, freePages) => {
        const { report, before } = await migrate(modelOf(list, { freePages }));
        expectAccounted(report, before.length);
        const movable = before.filter(
          ({ place, trait }) => place >= 0 && place !== TARGET && trait === 'free',
        ).length;
        expect(report.pages.moved).toBe(Math.min(freePages, movable));
        if (movable <= freePages) expect(report.pages.noMemory).toBe(0);
        else expect(report.pages.noMemory).toBeGreaterThanOrEqual(movable - freePages);
      }),
      RUNS,
    );
  });

  test('does not go on to a node that is full, and still counts the later chunks', async () => {
    const model = modelOf(onNode(0, 3 * STEP_PAGE_COUNT), { freePages: STEP_PAGE_COUNT + 5 });
    const { report } = await migrate(model);
    expectAccounted(report, 3 * STEP_PAGE_COUNT);
    expect(report.pages).toMatchObject({
      moved: STEP_PAGE_COUNT + 5,
      noMemory: 2 * STEP_PAGE_COUNT - 5,
    });
  });
});

describe('a refusal', () => {
  test('before any page rejects with a hint and without a report', async () => {
    const { buffer, modelled, range } = openOn(
      modelOf(onNode(0, 8), { refuse: (kind) => (kind === 'move' ? ERRNO.EPERM : undefined) }),
    );
    const { code, error } = await failureOf(() => buffer.migrate({ ...range, to: TARGET }));
    expect(code).toBe('NUMA_NOT_PERMITTED');
    expect(error).toMatchObject({ backend: 'modelled', errnoName: 'EPERM', syscall: 'move_pages' });
    expect(error.hint).toMatch(/seccomp/);
    expect(error.report).toBeUndefined();
    expect(modelled.calls.move).toBe(1);
    buffer.release();
  });

  test('in mid-move rejects with the report of what was done', async () => {
    const model = modelOf(onNode(0, 2 * STEP_PAGE_COUNT), {
      refuse: (kind, index) => (kind === 'move' && index === 1 ? ERRNO.EACCES : undefined),
    });
    const { buffer, range } = openOn(model);
    const { code, error } = await failureOf(() => buffer.migrate({ ...range, to: TARGET }));
    expect(code).toBe('NUMA_NODE_NOT_ALLOWED');
    expect(error.hint).toMatch(/cpuset/);
    const report = error.report as MigrationReport;
    expectAccounted(report, 2 * STEP_PAGE_COUNT);
    expect(report).toMatchObject({ complete: false, aborted: false });
    // The refusal is the call's, not a status of any page: nothing here is shared.
    expect(report.pages).toMatchObject({
      moved: STEP_PAGE_COUNT,
      failed: STEP_PAGE_COUNT,
      shared: 0,
    });
    expect(report.failedBy).toEqual({ EACCES: STEP_PAGE_COUNT });
    expect(report.after).toEqual({ 0: STEP_PAGE_COUNT, 1: STEP_PAGE_COUNT });
    buffer.release();
  });

  test.each([ERRNO.EPERM, ERRNO.ENOSYS, ERRNO.ENOMEM, ERRNO.EIO])(
    'of the first look (errno %i) rejects',
    async (errno) => {
      const { buffer, range } = openOn(modelOf(onNode(0, 8), { refuse: () => errno }));
      const refused = { name: 'NumaError', errno: -errno, syscall: 'move_pages' };
      const moved = await failureOf(() => buffer.migrate({ ...range, to: TARGET }));
      expect(moved.error).toMatchObject(refused);
      // Where the call is denied as such, the files of /proc are asked in its place.
      if (errno === ERRNO.EPERM || errno === ERRNO.ENOSYS) {
        expect(await buffer.residency(range)).toMatchObject({ method: 'numa_maps' });
      } else {
        const { error } = await failureOf(() => buffer.residency(range));
        expect(error).toMatchObject(refused);
      }
      buffer.release();
    },
  );

  test('of a look in mid-move rejects, and the report still sums', async () => {
    const model = modelOf(onNode(0, 3 * STEP_PAGE_COUNT), {
      refuse: (kind, index) => (kind === 'query' && index === 1 ? ERRNO.ENOMEM : undefined),
    });
    const { buffer, range } = openOn(model);
    const { code, error } = await failureOf(() => buffer.migrate({ ...range, to: TARGET }));
    expect(code).toBe('NUMA_OUT_OF_MEMORY');
    const { pages: counted } = error.report as MigrationReport;
    const { total, ...parts } = counted;
    expect(total).toBe(3 * STEP_PAGE_COUNT);
    expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(total);
    expect(counted).toMatchObject({ moved: STEP_PAGE_COUNT, notAttempted: 2 * STEP_PAGE_COUNT });
    buffer.release();
  });

  test.each([1, 2])('of look %i behind a full node rejects, too', async (index) => {
    const model = modelOf(onNode(0, 3 * STEP_PAGE_COUNT), {
      freePages: 3,
      refuse: (kind, at) => (kind === 'query' && at === index ? ERRNO.EIO : undefined),
    });
    const { buffer, range } = openOn(model);
    const { code, error } = await failureOf(() => buffer.migrate({ ...range, to: TARGET }));
    expect(code).toBe('NUMA_SYSTEM_ERROR');
    // Nobody knows of any page that it has moved where the first look behind the move is refused.
    if (index > 1) {
      const report = error.report as MigrationReport;
      expectAccounted(report, model.pages.length);
      expect(report.pages).toMatchObject({ moved: 3, notAttempted: 2 * STEP_PAGE_COUNT });
    }
    buffer.release();
  });

  test('of the look after a move rejects, and the report claims no unknown place', async () => {
    const list = onNode(0, STEP_PAGE_COUNT + 20);
    (list.at(-7) as ModelledPage).trait = 'pinned';
    const { buffer, range } = openOn(
      modelOf(list, {
        refuse: (kind, at) => (kind === 'query' && at === 2 ? ERRNO.EIO : undefined),
      }),
    );
    const { code, error } = await failureOf(() => buffer.migrate({ ...range, to: TARGET }));
    expect(code).toBe('NUMA_SYSTEM_ERROR');
    const report = error.report as MigrationReport;
    expectAccounted(report, list.length);
    expect(report.pages).toMatchObject({ moved: STEP_PAGE_COUNT, failed: 20, busy: 0 });
    expect(report).toMatchObject({ failedBy: { EIO: 20 }, after: { 1: STEP_PAGE_COUNT } });
    buffer.release();
  });
});

describe('a page that somebody else is moving', () => {
  test('is looked at again, and has a place in the end', async () => {
    const list = onNode(0, 20);
    const { buffer, range } = openOn(modelOf(list));
    for (const look of [() => buffer.residency(range), () => buffer.residencySync(range)]) {
      // They land one after the other: as long as some do, the others are asked for again.
      [0, 7, 19].forEach((index, at) => {
        (list[index] as ModelledPage).underWay = 2 * (at + 1);
      });
      expect(await look()).toMatchObject({ byNode: { 0: 20 }, pages: { notPresent: 0 } });
    }
    buffer.release();
  });

  test('that never comes back is swapped out: not present', async () => {
    const list = onNode(0, 20);
    (list[3] as ModelledPage).underWay = Number.MAX_SAFE_INTEGER;
    const { buffer, range } = openOn(modelOf(list));
    expect((await buffer.residency(range)).pages).toMatchObject({ present: 19, notPresent: 1 });
    const report = await buffer.migrate({ ...range, to: TARGET, strict: true });
    expectAccounted(report, 20);
    expect(report.pages).toMatchObject({ moved: 19, notPresent: 1 });
    buffer.release();
  });

  test('when its turn comes is busy, not absent: the move is not complete', async () => {
    const list = onNode(0, 20);
    const elusive = list[5] as ModelledPage;
    const model = modelOf(list, {
      refuse: (kind) => {
        if (kind === 'move') elusive.underWay = 1;
        return undefined;
      },
    });
    const { report } = await migrate(model);
    expectAccounted(report, 20);
    expect(report.pages).toMatchObject({ moved: 19, busy: 1, notPresent: 0 });
    expect(report).toMatchObject({ complete: false, after: { 0: 1, 1: 19 } });
  });
});

describe('an abort in mid-move', () => {
  test('counts what was moved, what was there and what was not attempted', async () => {
    const list = [
      ...onNode(0, STEP_PAGE_COUNT),
      ...onNode(TARGET, 10),
      ...onNode(-ERRNO.ENOENT, 10),
      ...onNode(0, STEP_PAGE_COUNT),
    ];
    const { buffer, range } = openOn(modelOf(list));
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const { error } = await failureOf(() =>
      buffer.migrate({ ...range, to: TARGET, signal: controller.signal, onProgress }),
    );
    expect(error).toBeInstanceOf(AbortError);
    const report = (error as unknown as AbortError).report as MigrationReport;
    expectAccounted(report, list.length);
    expect(report.pages).toMatchObject({
      moved: STEP_PAGE_COUNT,
      notAttempted: list.length - STEP_PAGE_COUNT,
    });
    expect(report).toMatchObject({
      before: { 0: STEP_PAGE_COUNT },
      after: { 1: STEP_PAGE_COUNT },
    });
    buffer.release();
  });

  test('wins over strict', async () => {
    const { buffer, range } = openOn(modelOf(onNode(0, 4)));
    const signal = AbortSignal.abort();
    const { code } = await failureOf(() =>
      buffer.migrate({ ...range, to: TARGET, strict: true, signal }),
    );
    expect(code).toBe('ABORT_ERR');
    buffer.release();
  });
});
