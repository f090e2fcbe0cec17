/**
 * What numa.process(pid) does with another process: one family for the kernel and for the
 * simulator, on processes that a World has.
 */

import { MPOL } from '../../lib/core/uapi.ts';
import '../support/matchers.ts';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { AbortError, NodeMask, type Numa, NumaError } from '../../lib/index.ts';
import { mapPages, maskOf, type Pages, placeOn, where } from '../contract/pages.ts';
import type { World, WorldProcess } from '../contract/world.ts';
import { failureOf } from '../core/thrown.ts';
import { expendable, privileged, whenSupported } from '../support/needs.ts';

/** Who is asked, and whose processes they are. */
export interface ProcessSubject {
  readonly name: string;
  open(): Promise<{ world: World; numa: Numa }>;
}

const PAGE_COUNT = 600;

export function processFamily(subject: ProcessSubject): void {
  describe(`numa.process(), ${subject.name}`, () => {
    let world: World;
    let numa: Numa;
    let target: WorldProcess;
    let nodes: readonly number[];

    beforeAll(async () => {
      ({ world, numa } = await subject.open());
      nodes = world.machine.memoryNodes;
    });
    afterAll(() => world?.close());

    /** Pages of a new process, the first half on one node, the rest on another. */
    async function scene(context: TestContext, count = PAGE_COUNT): Promise<Pages> {
      if (nodes.length < 3) context.skip('needs 3 nodes with memory');
      target = await world.spawn();
      const pages = await mapPages(target, world.machine, count);
      const half = count / 2;
      const places = Array.from({ length: count }, (_, at) => nodes[at < half ? 0 : 1] as number);
      await placeOn(pages, places);
      return pages;
    }

    const only = (pages: Pages) => ({ address: pages.address });
    const bytes = (count: number): number => count * world.machine.pageSizeBytes;
    const counted = async (pages: Pages): Promise<Record<number, number>> => {
      const counts: Record<number, number> = {};
      for (const place of await where(pages)) counts[place] = (counts[place] ?? 0) + 1;
      return counts;
    };

    test('tells residency by node, by kind and by mapping', async (context) => {
      const pages = await scene(context);
      const memory = numa.process(target.pid);
      const [a, b] = nodes as [number, number];
      const half = bytes(PAGE_COUNT / 2);
      const residency = await memory.residency();
      expect(residency.byKind.anonymous.bytesByNode[b]).toBeGreaterThanOrEqual(half);
      const kinds = Object.values(residency.byKind).reduce((sum, k) => sum + k.residentBytes, 0);
      expect(kinds).toBe(residency.residentBytes);
      const found = await memory.mappings(only(pages));
      expect(found).toMatchObject([
        { kind: 'anonymous', policy: 'default', bytesByNode: { [a]: half, [b]: half } },
      ]);
      expect(await memory.mappings({ kind: 'hugetlb' })).toEqual([]);
      expect([...(await memory.locate({ address: pages.address, pageCount: 2 }))]).toEqual([a, a]);
      await target.exit();
    });

    test('tells its threads, and where they run', async (context) => {
      const pages = await scene(context);
      const cpu = world.machine.topology.nodes.find(({ cpus }) => cpus.length > 0)?.cpus[0];
      expect(await target.runOnCpu(cpu as number)).toSucceed();
      await pages.touch();
      const threads = await numa.process(target.pid).threads();
      expect(threads).toMatchObject([{ tid: target.pid, cpu }]);
      await target.exit();
    });

    test('plans what would move, and moves nothing', async (context) => {
      const pages = await scene(context);
      const [a, b, c] = nodes as [number, number, number];
      const before = await where(pages);
      const plan = await numa.process(target.pid).plan({
        mappings: only(pages),
        from: a,
        to: c,
      });
      expect(plan).toMatchObject({ bytesToMove: bytes(PAGE_COUNT / 2), selectedCount: 1 });
      expect(plan.bytesByTarget).toEqual({ [c]: bytes(PAGE_COUNT / 2) });
      expect(plan.mappings[0]?.bytesByNode[b]).toBe(bytes(PAGE_COUNT / 2));
      expect(await where(pages)).toEqual(before);
      await target.exit();
    });

    test('moves the selected mapping, and no other', async (context) => {
      const pages = await scene(context);
      const [a, b, c] = nodes as [number, number, number];
      const other = await mapPages(target, world.machine, 4);
      expect(await other.mbind(MPOL.BIND, maskOf(a))).toSucceed();
      await other.touch();
      const report = await numa.process(target.pid).migrateMappings({
        mappings: only(pages),
        to: c,
        pauseBudgetMs: 20,
      });
      expect(report).toMatchObject({ complete: true, aborted: false, failedBy: {} });
      expect(report.pages).toMatchObject({ total: PAGE_COUNT, moved: PAGE_COUNT, notSelected: 0 });
      expect([report.before, report.after]).toEqual([
        { [a]: PAGE_COUNT / 2, [b]: PAGE_COUNT / 2 },
        { [c]: PAGE_COUNT },
      ]);
      expect(await counted(pages)).toEqual({ [c]: PAGE_COUNT });
      expect(await counted(other)).toEqual({ [a]: 4 });
      expect(report.steps.count).toBeGreaterThan(1);
      await target.exit();
    });

    test('moves node set to node set, in order', async (context) => {
      const pages = await scene(context);
      const [a, b, c] = nodes as [number, number, number];
      const report = await numa.process(target.pid).migrateMappings({
        mappings: only(pages),
        from: [a, b],
        to: [b, c],
      });
      expect(report.after).toEqual({ [b]: PAGE_COUNT / 2, [c]: PAGE_COUNT / 2 });
      expect(await counted(pages)).toEqual({ [b]: PAGE_COUNT / 2, [c]: PAGE_COUNT / 2 });
      await target.exit();
    });

    test('leaves pages on other nodes alone, and counts them', async (context) => {
      const pages = await scene(context);
      const [a, b, c] = nodes as [number, number, number];
      const report = await numa.process(target.pid).migrateMappings({
        mappings: only(pages),
        from: a,
        to: c,
      });
      expect(report.pages).toMatchObject({ moved: PAGE_COUNT / 2, notSelected: PAGE_COUNT / 2 });
      expect(report).toMatchObject({ complete: true, after: { [b]: PAGE_COUNT / 2 } });
      await target.exit();
    });

    test('an abort ends it between two steps, and the report is exact', async (context) => {
      const pages = await scene(context, 4 * PAGE_COUNT);
      const c = nodes[2] as number;
      const abort = new AbortController();
      const moving = numa.process(target.pid).migrateMappings({
        mappings: only(pages),
        to: c,
        pauseBudgetMs: 0.001,
        signal: abort.signal,
        onProgress: ({ movedBytes }) => {
          if (movedBytes > 0) abort.abort(new Error('enough'));
        },
      });
      const error = await moving.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AbortError);
      const { report } = error as AbortError;
      expect(report.pages.moved).toBeGreaterThan(0);
      expect(report.pages.notAttempted).toBeGreaterThan(0);
      expect((await counted(pages))[c]).toBe(report.pages.moved);
      await target.exit();
    });

    test('pages of two processes stay unless they are asked for', async (context) => {
      const pages = await scene(context);
      const c = nodes[2] as number;
      const child = await target.fork();
      const memory = numa.process(target.pid);
      const plan = await memory.plan({ mappings: only(pages), to: c });
      expect(plan.warnings.map(({ kind }) => kind)).toEqual(['shared']);
      const own = await memory.migrateMappings({ mappings: only(pages), to: c });
      expect(own).toMatchObject({
        complete: false,
        outcome: 'spared',
        pages: { shared: PAGE_COUNT, moved: 0 },
      });
      const strict = memory.migrateMappings({ mappings: only(pages), to: c, strict: true });
      const { code, error } = await failureOf(() => strict);
      expect(code).toBe('NUMA_POLICY_NOT_MET');
      expect((error as NumaError).hint).toContain('includeShared');
      if (world.machine.isPrivileged) {
        const all = await memory.migrateMappings({
          mappings: only(pages),
          to: c,
          includeShared: true,
        });
        expect(all).toMatchObject({
          complete: true,
          outcome: 'complete',
          pages: { moved: PAGE_COUNT, shared: 0 },
        });
      }
      await child.exit();
      await target.exit();
    });

    test('a target outside of its cpuset is warned of, and refused by name', async (context) => {
      const { settings } = world;
      if (settings === undefined) return context.skip('needs cpusets');
      whenSupported(context, world.machine, [expendable, privileged]);
      const pages = await scene(context);
      const [a, b, c] = nodes as [number, number, number];
      await settings.withCpusets(async (create) => {
        const cpuset = await create();
        expect(await cpuset.setMems(`${a},${b}`)).toSucceed();
        expect(await cpuset.attach(target.pid)).toSucceed();
        const allowed = `the process's cpuset allows node ${NodeMask.of(a, b)} only`;
        const memory = numa.process(target.pid);
        const { warnings } = await memory.plan({ mappings: only(pages), to: c });
        expect(warnings).toEqual([{ kind: 'cpuset', message: `node ${c} is refused: ${allowed}` }]);
        const moving = memory.migrateMappings({ mappings: only(pages), to: c });
        const { code, error } = await failureOf(() => moving);
        expect(code).toBe('NUMA_NODE_NOT_ALLOWED');
        expect((error as Error).message).toContain(allowed);
        expect(await counted(pages)).toEqual({ [a]: PAGE_COUNT / 2, [b]: PAGE_COUNT / 2 });
        await target.exit();
      });
    });

    test('a pinned page stays, and says so', async (context) => {
      const pages = await scene(context);
      const c = nodes[2] as number;
      expect(await target.references.splice({ address: pages.at(7), pageCount: 1 })).toSucceed();
      const memory = numa.process(target.pid);
      const report = await memory.migrateMappings({ mappings: only(pages), to: c });
      expect(report).toMatchObject({
        complete: false,
        outcome: 'partial',
        pages: { busy: 1, moved: PAGE_COUNT - 1 },
      });
      expect(report.mappings).toMatchObject([{ start: pages.address, pages: { busy: 1 } }]);
      const strict = memory.migrateMappings({ mappings: only(pages), to: c, strict: true });
      expect(await failureOf(() => strict)).toMatchObject({ code: 'NUMA_POLICY_NOT_MET' });
      await target.exit();
    });

    test('a process that is gone is an error that says so', async () => {
      const gone = await world.spawn();
      await gone.exit();
      const memory = numa.process(gone.pid);
      for (const verb of [
        () => memory.residency(),
        () => memory.mappings(),
        () => memory.threads(),
        () => memory.plan({ to: nodes[0] as number }),
        () => memory.migrateMappings({ to: nodes[0] as number }),
        () => memory.migrate({ from: nodes[0] as number, to: nodes[0] as number }),
        () => memory.locate({ address: 0x1000n, pageCount: 1 }),
      ]) {
        const { code, error } = await failureOf(verb);
        expect(code).toBe('NUMA_NO_SUCH_PROCESS');
        expect(error).toBeInstanceOf(NumaError);
      }
    });

    test('a selection of nothing names what there is', async () => {
      const process = await world.spawn();
      const memory = numa.process(process.pid);
      const plan = memory.plan({ mappings: { file: '*.nothing' }, to: nodes[0] as number });
      const { code, error } = await failureOf(() => plan);
      expect(code).toBe('ERR_OUT_OF_RANGE');
      expect((error as Error).message).toContain(`mappings of process ${process.pid}`);
      await process.exit();
    });
  });
}
