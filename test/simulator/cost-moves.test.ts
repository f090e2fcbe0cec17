/** The same rows, by calls on a simulated machine, which does the work that the tables assume. */

import { describe, expect, test } from 'vitest';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { bind, type MappedBuffer, NodeMask, openNuma } from '../../lib/index.ts';
import { Machine, type MigrationKind, presets } from '../../lib/simulator/public.ts';
import { openSyscalls, type Syscalls } from '../../lib/syscalls/public.ts';
import { guestRows } from './cost-tables.ts';

/** Guests that the costs were fitted to: before moves went in batches, and since. */
const ONE_BY_ONE = '6.1';
const IN_BATCHES = '6.12';
type Fitted = typeof ONE_BY_ONE | typeof IN_BATCHES;

const BYTES = 64 * 2 ** 20;
const PAGES = BYTES / 4096;
const HUGE_PAGES = 512;

interface Stage {
  readonly machine: Machine;
  readonly calls: Syscalls;
  readonly buffer: MappedBuffer;
}

/** Pages on node 0, of a program with one thread. */
function stage(kernel: Fitted, isHuge: boolean): Stage {
  const machine = new Machine(presets.twoSockets, { kernel });
  if (isHuge) machine.hugePages = 'always';
  const numa = openNuma({ machine });
  const buffer = numa.allocate(BYTES, { policy: bind(0) });
  buffer.touch();
  return { machine, calls: openSyscalls(numa), buffer };
}

function* steps(by: number): Generator<bigint> {
  for (let page = 0; page < PAGES; page += by) yield BigInt(page * 4096);
}

function movePages({ calls, buffer }: Stage, addresses: readonly bigint[]): void {
  const status = new Int32Array(addresses.length);
  const pages = BigUint64Array.from(addresses, (offset) => buffer.address + offset);
  calls.movePagesSync({ pid: 0, pages, nodes: 1, status, flags: MPOL_MF.MOVE });
}

function mbind({ calls, buffer }: Stage, offset: bigint, lengthBytes: number): void {
  const address = buffer.address + offset;
  const nodemask = NodeMask.of(1);
  calls.mbind({ address, lengthBytes, mode: MPOL.BIND, nodemask, flags: MPOL_MF.MOVE });
}

type Way = (on: Stage) => unknown;

const SMALL: Record<string, Way> = {
  '`mbind`': (on) => mbind(on, 0n, BYTES),
  '`move_pages`': (on) => movePages(on, [...steps(1)]),
  '`move_pages`, 1 address for each call': (on) => {
    for (const offset of steps(1)) movePages(on, [offset]);
  },
  '`mbind`, 1 page for each call': (on) => {
    for (const offset of steps(1)) mbind(on, offset, 4096);
  },
  '`migrate_pages`': ({ calls }) => {
    return calls.migratePages({ pid: 0, from: NodeMask.of(0), to: NodeMask.of(1) });
  },
};

const HUGE: Record<string, Way> = {
  '`mbind`, huge pages': (on) => mbind(on, 0n, BYTES),
  '`move_pages`, huge pages, all addresses': (on) => movePages(on, [...steps(1)]),
  '`move_pages`, 1 address for each huge page': (on) => movePages(on, [...steps(HUGE_PAGES)]),
};

/** Microseconds for each page of 4096 bytes. */
async function timeOf(kernel: Fitted, isHuge: boolean, way: Way): Promise<number> {
  const on = stage(kernel, isHuge);
  const costs = on.machine.startCosts({ profile: `guest-${kernel}` });
  await way(on);
  const kinds = Object.values(costs.migrations());
  // migrate_pages takes the program's heap and stack along.
  const movedPages = kinds.reduce((sum, { bytes }) => sum + bytes, 0) / 4096;
  expect([PAGES, PAGES + 2]).toContain(movedPages);
  return costs.totalNs / 1000 / PAGES;
}

describe.for([ONE_BY_ONE, IN_BATCHES] as const)('virtual cost of calls, Linux %s', (kernel) => {
  const rows = new Map(guestRows(`guest-${kernel}`).map((row) => [row.name, row]));

  test.for([
    ...Object.entries(SMALL).map(([name, way]) => ({ name, way, isHuge: false })),
    ...Object.entries(HUGE).map(([name, way]) => ({ name, way, isHuge: true })),
  ])('$name costs what its row says', async ({ name, way, isHuge }) => {
    const row = rows.get(name);
    const time = await timeOf(kernel, isHuge, way);
    expect(time / (row?.published ?? 0)).toBeGreaterThan(0.85);
    expect(time / (row?.published ?? 0)).toBeLessThan(1.15);
    expect(time / (row?.modelled ?? 0)).toBeCloseTo(1, 1);
  });
});

describe('what a move counts', () => {
  test('flushes: for each entry on 6.1, for 512 pages later, for each huge page always', () => {
    const flushes = (kernel: Fitted, isHuge: boolean): number => {
      const on = stage(kernel, isHuge);
      const costs = on.machine.startCosts();
      mbind(on, 0n, BYTES);
      return costs.migrations().mbind.flushes;
    };
    expect(flushes(ONE_BY_ONE, false)).toBe(PAGES);
    expect(flushes(IN_BATCHES, false)).toBe(PAGES / HUGE_PAGES);
    expect(flushes(ONE_BY_ONE, true)).toBe(PAGES / HUGE_PAGES);
    expect(flushes(IN_BATCHES, true)).toBe(PAGES / HUGE_PAGES);
  });

  test('other threads of the process are interrupted where their CPUs are', () => {
    const on = stage(IN_BATCHES, false);
    const worker = on.machine.self.thread();
    worker.backend.schedSetaffinity([5]);
    const costs = on.machine.startCosts();
    mbind(on, 0n, BYTES);
    const { shootdowns, interrupts } = costs.migrations().mbind;
    expect([shootdowns, interrupts]).toEqual([32, 32]);
  });

  test('a pinned page stays, and nothing of it is copied', () => {
    const on = stage(IN_BATCHES, false);
    const { address } = on.buffer;
    on.machine.self.mainThread.pin({ address, pageCount: 1 });
    const costs = on.machine.startCosts();
    mbind(on, 0n, BYTES);
    expect(costs.migrations().mbind).toMatchObject({ folios: PAGES - 1, bytes: BYTES - 4096 });
  });

  test('step by step it is the same work as at once', () => {
    const work = [false, true].map((isStepped) => {
      const on = stage(IN_BATCHES, false);
      const costs = on.machine.startCosts();
      const pages = { address: on.buffer.address, pageCount: HUGE_PAGES };
      if (isStepped) on.machine.self.mainThread.steps.movePages({ pages, node: 1 }).run();
      else movePages(on, [...steps(1)].slice(0, HUGE_PAGES));
      return costs.migrations().move_pages;
    });
    expect(work[1]).toEqual(work[0]);
  });

  test('balancing and cpusets move for nobody: they are the kernel', () => {
    const { machine } = stage(IN_BATCHES, false);
    machine.settings.balancing = 'on';
    const program = machine.process();
    const page = program.memory.mmap({ pageCount: 1 });
    if (!page.ok) throw new Error('no memory');
    program.memory.touch({ address: page.value, pageCount: 1 }, 'write');
    program.backend.schedSetaffinity([5]);
    const costs = machine.startCosts();
    program.memory.keepTouching({ address: page.value, pageCount: 1 }, 'read', 5000);
    const { bytes } = costs.migrations().kernel satisfies { bytes: number };
    expect(bytes).toBeGreaterThanOrEqual(4096);
    const kinds: MigrationKind[] = ['mbind', 'move_pages', 'migrate_pages', 'query'];
    expect(kinds.map((kind) => costs.migrationNsOf(kind))).toEqual([0, 0, 0, 0]);
  });
});
