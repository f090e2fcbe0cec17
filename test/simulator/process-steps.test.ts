/** Moves of processes: their ends, their steps, and what their receipts call complete. */

import { describe, expect, test } from 'vitest';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import { PauseBudget } from '../../lib/facade/pages/pause-budget.ts';
import {
  AbortError,
  type Backend,
  bind,
  interleave,
  openNuma,
  preferred,
  preferredMany,
  weightedInterleave,
} from '../../lib/index.ts';
import { Machine, type SimulatedProcess } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';

const POLICIES = { bind, interleave, preferred, preferredMany, weightedInterleave };
const PAGE_BYTES = 4096;
/** 8 MiB of base pages: one step. */
const STEP_PAGES = 2048;

/** A mapping with pages on node 0, of a process of its own. */
function service(machine: Machine, pageCount: number, uid = 0) {
  const process = machine.process({ uid });
  const mapped = process.memory.mmap({ address: 0x2aaa_0000_0000n, pageCount });
  if (!mapped.ok) throw new Error(`mmap: errno ${mapped.errno}`);
  process.memory.touch({ address: mapped.value, pageCount }, 'write');
  return { process, address: mapped.value };
}

/** Moves one page of it to another node. */
function moveOne(process: SimulatedProcess, address: bigint, node: number): void {
  const moved = process.backend.movePagesSync({
    pid: 0,
    pages: BigUint64Array.of(address),
    nodes: node,
    flags: MPOL_MF.MOVE,
    status: new Int32Array(1),
  });
  if (!moved.ok) throw new Error(`move_pages: errno ${moved.errno}`);
}

describe('a chain of nodes', () => {
  test.each([
    { from: '1-2', to: '0-1', on: 1, isLeft: false },
    { from: '1-2', to: '0-1', on: 2, isLeft: false },
    { from: '0-1', to: '1-2', on: 1, isLeft: false },
    { from: '1-2', to: '0-1', on: 1, isLeft: true },
  ])('what comes to a node that is left has not stayed: $from to $to, $on', async (row) => {
    const machine = new Machine();
    const { process, address } = service(machine, 2, 1000);
    moveOne(process, address, row.on);
    moveOne(process, address + BigInt(PAGE_BYTES), 2);
    if (row.isLeft) process.fork();
    const numa = openNuma({ backend: machine.process({ uid: 1000 }).backend });
    const { from, to } = row;
    const report = await numa.process(process.pid).migrate({ from, to });
    const outcome = row.isLeft ? 'spared' : 'complete';
    const remaining = row.isLeft ? { 1: PAGE_BYTES, 2: PAGE_BYTES } : {};
    expect(report).toMatchObject({ leftBehind: 0, outcome });
    expect(report.remaining).toEqual(remaining);
  });
});

describe('a step that has nothing to move', () => {
  test('is none: 4 KiB among 32 MiB take one step, and no rest', async () => {
    const machine = new Machine();
    const { process, address } = service(machine, 4 * STEP_PAGES);
    moveOne(process, address + BigInt(5000 * PAGE_BYTES), 1);
    const report = await openNuma({ machine })
      .process(process.pid)
      .migrateMappings({ mappings: { address }, from: 1, to: 2, pauseBudgetMs: 1000 });
    expect(report.steps.count).toBe(1);
    expect(report).toMatchObject({ outcome: 'complete', pages: { moved: 1 }, after: { 2: 1 } });
    expect(report.pages.notSelected).toBe(4 * STEP_PAGES - 1);
  });

  test('and one whose pages all stay is not rested after', async () => {
    const budget = new PauseBudget(1000, PAGE_BYTES, STEP_PAGES);
    const before = budget.pageCount({ mayBeHuge: false });
    expect(budget.add(900, 0)).toBe(0);
    expect(budget.add(900, 1)).toBe(900);
    expect(budget.pageCount({ mayBeHuge: false })).toBe(before);
    const machine = new Machine();
    const { process, address } = service(machine, STEP_PAGES, 1000);
    process.fork();
    const numa = openNuma({ backend: machine.process({ uid: 1000 }).backend });
    const report = await numa
      .process(process.pid)
      .migrateMappings({ mappings: { address }, to: 1, pauseBudgetMs: 1000 });
    expect(report).toMatchObject({ outcome: 'spared', pages: { shared: STEP_PAGES, moved: 0 } });
  });
});

describe('a plan', () => {
  test.each([
    ['bind', 0, true],
    ['bind', 2, false],
    ['preferredMany', '0,2', true],
    ['preferredMany', '1-2', false],
    ['interleave', '1-3', false],
    ['weightedInterleave', '0-3', true],
    ['preferred', 0, true],
    ['preferred', 1, false],
  ] as const)(
    'warns of the policy %s %s, where it names what is left: %s',
    async (mode, nodes, isTold) => {
      const machine = new Machine();
      const numa = openNuma({ machine });
      const buffer = numa.allocate(10 * PAGE_BYTES, { policy: bind(0) });
      buffer.touch();
      buffer.setPolicy(POLICIES[mode](nodes));
      const { address } = buffer;
      const plan = await numa.process().plan({ mappings: { address }, from: 0, to: 1 });
      expect(plan.bytesToMove).toBe(10 * PAGE_BYTES);
      expect(plan.warnings.map(({ kind }) => kind)).toEqual(isTold ? ['policy'] : []);
    },
  );
});

describe('an abort', () => {
  test('before and during the look at the mappings ends with a receipt of nothing', async () => {
    const machine = new Machine();
    const { process, address } = service(machine, 10);
    const memory = openNuma({ machine }).process(process.pid);
    for (const isBefore of [true, false]) {
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      if (isBefore) controller.abort(reason);
      const { signal } = controller;
      const moving = memory.migrateMappings({ mappings: { address }, to: 1, signal });
      controller.abort(reason);
      const { error } = await failureOf(() => moving);
      expect(error).toBeInstanceOf(AbortError);
      expect((error as Error).cause).toBe(reason);
      const { report } = error as unknown as AbortError;
      expect(report).toMatchObject({ aborted: true, pages: { moved: 0 } });
    }
    expect(new Set(await memory.locate({ address, pageCount: 10 }))).toEqual(new Set([0]));
  });

  test('of the count behind a full node: a refused look is an error', async () => {
    const machine = new Machine();
    const { process, address } = service(machine, 6 * STEP_PAGES);
    const full = withoutMemory(machine.self.backend);
    let looks = 0;
    const backend = withMember(full, 'movePages', async (request) => {
      looks += Number(request.nodes === null);
      return looks === 4 ? { ok: false, errno: 5, syscall: 'move_pages' } : full.movePages(request);
    });
    const moving = openNuma({ backend })
      .process(process.pid)
      .migrateMappings({ mappings: { address }, to: 1 });
    const { code, error } = await failureOf(() => moving);
    expect([code, error.message]).toEqual(['NUMA_SYSTEM_ERROR', expect.stringContaining('EIO')]);
  });

  test('behind a full node ends the count, and progress is told there, too', async () => {
    const machine = new Machine();
    const { process, address } = service(machine, 6 * STEP_PAGES);
    const controller = new AbortController();
    const backend = withoutMemory(machine.self.backend);
    let calls = 0;
    const moving = openNuma({ backend })
      .process(process.pid)
      .migrateMappings({
        mappings: { address },
        to: 1,
        signal: controller.signal,
        onProgress: () => {
          calls += 1;
          if (calls === 3) controller.abort();
        },
      });
    const { error } = await failureOf(() => moving);
    expect(error).toBeInstanceOf(AbortError);
    expect(calls).toBe(3);
    const { noMemory, notAttempted, total } = (error as unknown as AbortError).report.pages;
    expect([noMemory, notAttempted, total]).toEqual([
      3 * STEP_PAGES,
      3 * STEP_PAGES,
      6 * STEP_PAGES,
    ]);
  });

  test('of the verbs that look rejects at once, with the reason', async () => {
    const machine = new Machine();
    const { process, address } = service(machine, 10);
    const memory = openNuma({ machine }).process(process.pid);
    const verbs = [
      (signal: AbortSignal) => memory.residency({ signal }),
      (signal: AbortSignal) => memory.mappings(undefined, { signal }),
      (signal: AbortSignal) => memory.plan({ to: 1, signal }),
      (signal: AbortSignal) => memory.locate({ address, pageCount: 10 }, { signal }),
    ];
    for (const verb of verbs) {
      const reason = new Error('too late');
      await expect(verb(AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const looking = verb(controller.signal);
      controller.abort(reason);
      await expect(looking).rejects.toBe(reason);
    }
    const reason = new Error('never');
    const signal = AbortSignal.abort(reason);
    await expect(memory.migrate({ to: 1, signal })).rejects.toBe(reason);
    expect(new Set(await memory.locate({ address, pageCount: 10 }))).toEqual(new Set([0]));
  });
});

/** A backend whose nodes have no memory left for pages that move. */
function withoutMemory(backend: Backend): Backend {
  return withMember(backend, 'movePages', (request) =>
    request.nodes === null
      ? backend.movePages(request)
      : Promise.resolve({ ok: false, errno: 12, syscall: 'move_pages' }),
  );
}

function withMember<Name extends keyof Backend>(
  backend: Backend,
  member: Name,
  instead: Backend[Name],
): Backend {
  return new Proxy(backend, {
    get(target, name) {
      if (name === member) return instead;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a move in one call', () => {
  test('is not complete where the kernel passes over shared pages without a word', async () => {
    const machine = new Machine();
    const { process } = service(machine, 10, 1000);
    process.fork();
    const numa = openNuma({ backend: machine.process({ uid: 1000 }).backend });
    expect(await numa.process(process.pid).migrate({ from: 0, to: 1 })).toMatchObject({
      leftBehind: 0,
      remaining: { 0: 12 * PAGE_BYTES },
      complete: false,
      outcome: 'spared',
    });
    const root = openNuma({ machine }).process(process.pid);
    expect(await root.migrate({ from: 0, to: 1 })).toMatchObject({
      leftBehind: 0,
      remaining: {},
      complete: true,
      outcome: 'complete',
    });
  });

  test('spares nothing on purpose for who may move shared pages', async () => {
    const machine = new Machine();
    const { process } = service(machine, 10);
    process.fork();
    const { backend } = machine.self;
    // As where all of it came while the call was on its way.
    const late = withMember(backend, 'migratePages', async () => ({ ok: true, value: 0 }));
    const report = await openNuma({ backend: late }).process(process.pid).migrate({ to: 1 });
    expect(report).toMatchObject({ leftBehind: 0, complete: false, outcome: 'partial' });
  });

  test('is not complete where nobody can tell', async () => {
    const machine = new Machine();
    const { process } = service(machine, 10);
    const { backend } = machine.self;
    const blind = withMember(backend, 'readText', (path) =>
      path.endsWith('/numa_maps')
        ? Promise.resolve({ ok: false, errno: 13, syscall: 'open' })
        : backend.readText(path),
    );
    const numa = openNuma({ backend: blind });
    expect(await numa.process(process.pid).migrate({ from: 0, to: 1 })).toMatchObject({
      leftBehind: 0,
      remaining: null,
      complete: false,
      outcome: 'unknown',
    });
  });
});
