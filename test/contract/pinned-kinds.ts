/**
 * The kinds of memory that drivers and programs hold on to, and how each comes about. Kind A is
 * memory of a program, which no child gets, and which is locked and pinned; kind B are pages that a
 * driver has put into the program's memory. Beside them what else holds pages.
 */

import { expect } from 'vitest';
import { errnoName } from '../../lib/core/errno.ts';
import { MADV, MPOL } from '../../lib/core/uapi.ts';
import { placeHuge } from './huge-pages.contract.ts';
import { createObject, given, mapObject } from './objects.ts';
import { HUGE_BYTES, mapPages, maskOf, Pages, placeOn } from './pages.ts';
import type { Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

const PAGE_COUNT = 4;
/** The one that is pinned of a huge page. */
const PINNED_PAGE = 5;

/** A fresh process of the scene, and the node that its pages shall be on. */
export interface Stage {
  readonly scene: Scene;
  readonly process: WorldProcess;
  readonly near: number;
}

/** What becomes of pages that are asked to move: `held` by a reference, or on no list at all. */
export type Fate = 'moves' | 'held' | 'on no list';

/** Memory in one of its states: before something takes hold of it, with it, after it. */
export interface Kind {
  readonly state: string;
  readonly fate: Fate;
  readonly prepare: (stage: Stage) => Promise<Pages>;
  /** One huge page: by its first address move_pages names all of it. */
  readonly isHuge?: true;
  /** Which not every kernel balances. */
  readonly isShared?: true;
}

/** Memory in each of its states: one table. */
export interface Group {
  readonly name: string;
  readonly kinds: readonly Kind[];
}

type Prepare = Kind['prepare'];

async function privatePages({ scene, process, near }: Stage): Promise<Pages> {
  const pages = await mapPages(process, scene.machine, PAGE_COUNT);
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  return pages;
}

async function sharedPages({ scene, process, near }: Stage): Promise<Pages> {
  const object = await createObject({ ...scene, process }, 'memfd', PAGE_COUNT);
  const pages = await mapObject(process, scene.machine, object, { pageCount: PAGE_COUNT });
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  return pages;
}

/** Wherever there is room for it: a process may have several. */
async function hugePage({ scene, process, near }: Stage): Promise<Pages> {
  const areas = process.areas;
  expect(await process.allowHugePages()).toSucceed();
  const pageCount = HUGE_BYTES / scene.machine.pageSizeBytes;
  const room = await mapPages(process, scene.machine, 2 * pageCount);
  const [size, page] = [BigInt(pageCount), room.address / BigInt(room.pageSizeBytes)];
  const first = Number((size - (page % size)) % size);
  const pages = room.part(first, first + pageCount);
  expect(await areas.madvise({ address: pages.address, pageCount }, MADV.HUGEPAGE)).toSucceed();
  await placeHuge(pages, near);
  return pages;
}

function locked(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    expect(await stage.process.memory.mlock(pages.span)).toSucceed();
    return pages;
  };
}

function withoutChildren(map: Prepare): Prepare {
  return async (stage) => {
    const { address, count } = await map(stage);
    expect(
      await stage.process.areas.madvise({ address, pageCount: count }, MADV.DONTFORK),
    ).toSucceed();
    return new Pages(stage.process, address, count, stage.scene.machine.pageSizeBytes);
  };
}

/** Pages that the driver takes from its own node, and maps one by one. */
async function driverPages({ scene, process, near }: Stage): Promise<Pages> {
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(near) })).toSucceed();
  const ring = await process.references.packetRing({ blockPages: PAGE_COUNT, blockCount: 1 });
  if (!ring.ok) return scene.skip(`needs a ring of packets: ${errnoName(ring.errno)}`);
  expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
  return new Pages(process, ring.value, PAGE_COUNT, scene.machine.pageSizeBytes);
}

type Choose = (pages: Pages) => Pages;
const all: Choose = (pages) => pages;
const onePage: Choose = (pages) => pages.part(PINNED_PAGE, PINNED_PAGE + 1);

/** A long-term pin, and how to end it. */
async function pin({ scene, process }: Stage, pages: Pages): Promise<() => Promise<void>> {
  const { references } = process;
  const buffer = await references.registerBuffer(pages.span);
  if (!buffer.ok) return scene.skip(`needs io_uring: ${errnoName(buffer.errno)}`);
  return async () => void given(await references.unregisterBuffer(buffer.value));
}

function pinned(map: Prepare, choose: Choose = all): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    await pin(stage, choose(pages));
    return pages;
  };
}

function released(map: Prepare, choose: Choose = all): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    const release = await pin(stage, choose(pages));
    await release();
    return pages;
  };
}

function inPipe(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    given(await stage.process.references.splice(pages.span));
    return pages;
  };
}

function outOfPipe(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    const reference = given(await stage.process.references.splice(pages.span));
    expect(await stage.process.references.close(reference)).toSucceed();
    return pages;
  };
}

/** A long-term pin that 6.1 lets memory have that is a file's, too, as a ring is. */
function pinnedBySocket(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    const socket = await stage.process.references.registerPackets(pages.span);
    if (!socket.ok) return stage.scene.skip(`needs XDP sockets: ${errnoName(socket.errno)}`);
    return pages;
  };
}

const ownPages = withoutChildren(locked(privatePages));
const HUGE = { isHuge: true } as const;
const SHARED = { isShared: true } as const;

/** The tables of examples/pinned-buffer.mjs. */
export const PINNED_BUFFER: readonly Group[] = [
  {
    name: "a program's pages",
    kinds: [
      { state: 'before the pin', fate: 'moves', prepare: ownPages },
      { state: 'pinned', fate: 'held', prepare: pinned(ownPages) },
      { state: 'pin released', fate: 'moves', prepare: released(ownPages) },
    ],
  },
  {
    name: 'a huge page',
    kinds: [
      { state: 'before the pin', fate: 'moves', prepare: hugePage, ...HUGE },
      { state: 'one page pinned', fate: 'held', prepare: pinned(hugePage, onePage), ...HUGE },
      { state: 'pin released', fate: 'moves', prepare: released(hugePage, onePage), ...HUGE },
    ],
  },
];

/** The table of examples/driver-memory.mjs. */
export const DRIVER_MEMORY: readonly Group[] = [
  {
    name: "a driver's pages",
    kinds: [
      { state: 'as mapped', fate: 'on no list', prepare: driverPages },
      { state: 'with a reference', fate: 'on no list', prepare: inPipe(driverPages) },
      { state: 'reference gone', fate: 'on no list', prepare: outOfPipe(driverPages) },
      { state: 'pinned', fate: 'on no list', prepare: pinnedBySocket(driverPages) },
    ],
  },
];

/** Each flag and each reference by itself, on private and on shared memory. */
export const SINGLE_HOLDS: readonly Group[] = [
  {
    name: 'private pages',
    kinds: [
      { state: 'as mapped', fate: 'moves', prepare: privatePages },
      { state: 'locked', fate: 'moves', prepare: locked(privatePages) },
      { state: 'MADV_DONTFORK', fate: 'moves', prepare: withoutChildren(privatePages) },
      { state: 'pinned', fate: 'held', prepare: pinned(privatePages) },
      { state: 'in a pipe', fate: 'held', prepare: inPipe(privatePages) },
    ],
  },
  {
    name: 'shared memory',
    kinds: [
      { state: 'as mapped', fate: 'moves', prepare: sharedPages, ...SHARED },
      { state: 'locked', fate: 'moves', prepare: locked(sharedPages), ...SHARED },
      { state: 'pinned', fate: 'held', prepare: pinned(sharedPages), ...SHARED },
      { state: 'pin released', fate: 'moves', prepare: released(sharedPages), ...SHARED },
      { state: 'in a pipe', fate: 'held', prepare: inPipe(sharedPages), ...SHARED },
    ],
  },
];
