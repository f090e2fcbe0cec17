/**
 * Base pages that move at once, and calls whose steps nobody sees, end as where somebody looks on:
 * the same answers, statuses, places and marks, and the same memory taken of each node.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PageSpan } from '../../../lib/backend/backend.ts';
import { ERRNO } from '../../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../../lib/core/uapi.ts';
import {
  type KernelLine,
  kernelLines,
  MADV,
  Machine,
  type MachineDescription,
  type SimulatedProcess,
} from '../../../lib/simulator/public.ts';
import { generateProgram } from '../../differential/generate.ts';
import { runProgram } from '../../differential/interpret.ts';
import { PAGE_SIZE_BYTES } from '../../differential/program.ts';
import { Random } from '../../differential/random.ts';
import { seedsOf } from '../../support/share.ts';
import { worldOf } from '../simulated-world.ts';
import { addressOf, maskOf } from './ground.ts';

const PROGRAMS = 40;
const SEEDS = 60;
const FAMILIES = 60;
const MOVES = 12;
const ACTS = 16;
const HUGE_PAGES = 512;
const HUGE_COUNT = 3;
/** Pages that a node has left: none, too few for a huge page, or to move pages together for one. */
const LEFT_PAGES = [0, 40, 300, 700, 1100, 2500];
/** Pages of each huge page that hold something. */
const WRITTEN_PAGES = 20;
const MACHINE = JSON.parse(
  readFileSync(new URL('../../../machines/four-nodes.json', import.meta.url), 'utf8'),
) as MachineDescription;
/** Nodes that are soon full. */
const SMALL: MachineDescription = {
  ...MACHINE,
  nodes: MACHINE.nodes.map((node) => ({ ...node, memoryMiB: 16 })),
};

function stateOf(machine: Machine): unknown {
  const free = machine.topology().nodes.map(({ freeBytes }) => freeBytes);
  return { free, counters: machine.vmstat() };
}

async function outcomeOf(seed: number, kernel: KernelLine, isStepped: boolean): Promise<unknown> {
  const machine = new Machine(MACHINE, { kernel });
  const trace = isStepped ? machine.traceMigrations() : undefined;
  const outcome = await runProgram(worldOf(machine), generateProgram(seed, new Set()));
  trace?.stop();
  return { outcome, state: stateOf(machine) };
}

/** Transparent huge pages and pages of a pool, some of them pinned or cut, on nodes filling up. */
function moveHugePages(seed: number, kernel: KernelLine, isStepped: boolean): unknown {
  const random = new Random(seed);
  const machine = new Machine(SMALL, { kernel });
  const trace = isStepped ? machine.traceMigrations() : undefined;
  const process = mapHugePages(machine);
  for (const node of [1, 2, 3]) fillNode(machine, node, random.pick(LEFT_PAGES));
  const answers: unknown[] = [];
  for (let move = 0; move < MOVES; move += 1) answers.push(moveOnce(random, process));
  trace?.stop();
  expect(machine.invariantBreaches()).toEqual([]);
  return { answers, state: stateOf(machine) };
}

function mapHugePages(machine: Machine): SimulatedProcess {
  machine.hugePages = 'always';
  machine.settings.setHugePoolPages(0, 2);
  machine.settings.setHugePoolPages(1, 1);
  const { self } = machine;
  const pageCount = HUGE_COUNT * HUGE_PAGES;
  self.memory.mmap({ address: addressOf(0), pageCount });
  const pool = self.objects.create('hugetlb', HUGE_PAGES);
  if (pool.ok) {
    const address = addressOf(pageCount);
    self.objects.map(pool.value, { address, pageCount: HUGE_PAGES, isShared: true });
  }
  self.memory.touch({ address: addressOf(0), pageCount: pageCount + HUGE_PAGES }, 'write');
  for (let page = 0; page < pageCount; page += HUGE_PAGES / WRITTEN_PAGES) {
    self.memory.store(addressOf(Math.floor(page)), 1n);
  }
  return self;
}

function fillNode(machine: Machine, node: number, leftPages: number): void {
  const filler = machine.process();
  filler.allowsHugePages = false;
  filler.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
  const free = machine.topology().nodes.find(({ id }) => id === node)?.freeBytes ?? 0;
  // As many as the node keeps for itself.
  const pageCount = Math.floor(free / PAGE_SIZE_BYTES) - 32 - leftPages;
  const mapped = filler.memory.mmap({ pageCount: Math.max(1, pageCount) });
  if (mapped.ok) filler.memory.touch({ address: mapped.value, pageCount }, 'write');
}

function moveOnce(random: Random, process: SimulatedProcess): unknown {
  const page = random.between(0, HUGE_COUNT) * HUGE_PAGES + random.pick([0, 0, 1, 300]);
  const address = addressOf(page);
  const node = random.between(0, 3);
  const span = { address, pageCount: random.between(1, 8) };
  const act = random.between(0, 9);
  if (act === 0) return process.references.registerBuffer({ address, pageCount: 1 }).ok;
  if (act === 1) return process.areas.madvise(span, MADV.DONTNEED);
  if (act === 2) return process.memory.store(address, 7n);
  if (act === 3) return process.memory.mprotect(span, 'read');
  if (act === 4) {
    // Takes memory of the node, so that targets are hard to find.
    process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
    const pageCount = random.between(100, 1500);
    const taken = process.memory.mmap({ pageCount });
    if (!taken.ok) return taken;
    return process.memory.touch({ address: taken.value, pageCount }, 'write');
  }
  return move(random, process, span);
}

function move(random: Random, process: SimulatedProcess, span: PageSpan): unknown {
  const { address, pageCount } = span;
  const node = random.between(0, 3);
  const { MOVE, MOVE_ALL, STRICT } = MPOL_MF;
  const which = random.pick([MOVE, MOVE_ALL]);
  if (random.chance(0.3)) {
    const mbind = { address, lengthBytes: pageCount * PAGE_SIZE_BYTES, mode: MPOL.BIND };
    const flags = which | random.pick([0, STRICT]);
    return process.numa.mbind({ ...mbind, nodemask: maskOf(node), flags });
  }
  const pages = BigUint64Array.from(
    { length: pageCount },
    (_, at) => address + BigInt(at * PAGE_SIZE_BYTES),
  );
  const status = new Int32Array(pages.length).fill(-1000);
  const call = { pid: 0, count: pages.length, pages, nodes: node, status, flags: which };
  return { result: process.numa.movePages(call), status: [...status] };
}

const SMALL_PAGES = 24;
/** Private, shared and a child's, merged, of a file on a disk, and secret. */
const KINDS = ['private', 'shared', 'merged', 'disk', 'secret'] as const;
const PAGES = KINDS.length * SMALL_PAGES;

interface Family {
  readonly machine: Machine;
  readonly parent: SimulatedProcess;
  readonly child: SimulatedProcess;
}

function startFamily(kernel: KernelLine): Family {
  const machine = new Machine(SMALL, { kernel });
  machine.settings.balancing = 'on';
  const parent = machine.process();
  for (const [index, kind] of KINDS.entries()) {
    const span = { address: addressOf(index * SMALL_PAGES), pageCount: SMALL_PAGES };
    const isShared = kind === 'shared';
    if (kind === 'disk' || kind === 'secret') {
      const object = parent.objects.create(kind, SMALL_PAGES);
      if (object.ok) parent.objects.map(object.value, { ...span, isShared: true });
    } else parent.memory.mmap({ ...span, isShared });
    if (kind === 'merged') parent.areas.madvise(span, MADV.MERGEABLE);
    parent.memory.touch(span, kind === 'disk' ? 'read' : 'write');
  }
  machine.settings.mergeEqualPages();
  const child = parent.fork();
  child.memory.touch({ address: addressOf(0), pageCount: 2 * SMALL_PAGES }, 'read');
  return { machine, parent, child };
}

/** Base pages of all kinds, some of them shared, held, dirty or marked, on nodes filling up. */
function moveBasePages(seed: number, kernel: KernelLine, isStepped: boolean): unknown {
  const random = new Random(seed);
  const { machine, parent, child } = startFamily(kernel);
  const trace = isStepped ? machine.traceMigrations() : undefined;
  for (const node of [1, 2, 3]) {
    fillNode(machine, node, random.pick([0, 5, SMALL_PAGES, 2500, 2500]));
  }
  const answers: unknown[] = [];
  for (let act = 0; act < ACTS; act += 1) {
    answers.push(actOnce(random, random.pick([parent, child])));
    if (act % 5 === 0) answers.push([parent, child].map(pagesOf));
  }
  trace?.stop();
  expect(machine.invariantBreaches()).toEqual([]);
  return { answers, state: stateOf(machine) };
}

/** What can be seen of each page, but for the numbers of folios. */
function pagesOf(process: SimulatedProcess): unknown {
  const pages = Array.from({ length: PAGES }, (_, page) => {
    const { entry, folio } = process.pageState(addressOf(page));
    return `${entry} ${folio?.node} ${folio?.mapCount} ${folio?.list} ${folio?.pins}`;
  });
  return { pages, maps: process.areas.numaMaps() };
}

function actOnce(random: Random, process: SimulatedProcess): unknown {
  const address = addressOf(random.between(0, PAGES - 1));
  const span = { address, pageCount: random.between(1, SMALL_PAGES) };
  const { memory } = process;
  const act = random.between(0, 11);
  if (act === 0) return process.references.registerBuffer({ address, pageCount: 1 }).ok;
  if (act === 1) return memory.touch({ address, pageCount: 1 }, 'write');
  if (act <= 4) {
    process.backend.schedSetaffinity([random.between(0, 1) * 4]);
    return memory.keepTouching(span, random.pick(['read', 'write']), 1500);
  }
  return move(random, process, span);
}

describe('step by step and at once', () => {
  for (const kernel of kernelLines) {
    test(`random programs do the same, Linux ${kernel}`, async (context) => {
      for (const seed of seedsOf(context, PROGRAMS)) {
        const stepped = await outcomeOf(seed, kernel, true);
        expect(stepped, `seed ${seed}`).toEqual(await outcomeOf(seed, kernel, false));
      }
    });

    test(`so do moves of base pages, Linux ${kernel}`, (context) => {
      for (const seed of seedsOf(context, FAMILIES)) {
        const stepped = moveBasePages(seed, kernel, true);
        expect(stepped, `seed ${seed}`).toEqual(moveBasePages(seed, kernel, false));
      }
    });

    test(`so do moves of huge pages, Linux ${kernel}`, (context) => {
      for (const seed of seedsOf(context, SEEDS)) {
        const stepped = moveHugePages(seed, kernel, true);
        expect(stepped, `seed ${seed}`).toEqual(moveHugePages(seed, kernel, false));
      }
    });
  }

  test.each([true, false])(
    'a page that finds no memory keeps its mark, watched: %s',
    (isWatched) => {
      const machine = new Machine(SMALL);
      machine.settings.balancing = 'on';
      const process = machine.process();
      const { memory, backend, numa } = process;
      const entryOf = (address: bigint): string => process.pageState(address).entry;
      memory.mmap({ address: addressOf(0), pageCount: 2 });
      memory.touch({ address: addressOf(0), pageCount: 2 }, 'write');
      const away = MACHINE.nodes.findLast(({ cpus }) => cpus.length > 0);
      backend.schedSetaffinity(away?.cpus ?? []);
      for (const { id } of MACHINE.nodes.slice(1)) fillNode(machine, id, 0);
      for (let tick = 0; entryOf(addressOf(0)) !== 'marked' && tick < 1000; tick += 1) {
        memory.keepTouching({ address: addressOf(0), pageCount: 2 }, 'read', 4);
      }
      const trace = isWatched ? machine.traceMigrations() : undefined;
      const both = [addressOf(0), addressOf(1)];
      const [pages, status] = [BigUint64Array.from(both), new Int32Array(2)];
      const call = { pid: 0, count: 2, pages, nodes: 1, status, flags: MPOL_MF.MOVE };
      expect(numa.movePages(call)).toMatchObject({ ok: false, errno: ERRNO.ENOMEM });
      expect(both.map(entryOf)).toEqual(['marked', 'marked']);
      trace?.stop();
    },
  );
});
