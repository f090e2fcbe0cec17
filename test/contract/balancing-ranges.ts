/**
 * Which pages automatic balancing marks, as data: ranges by who else holds their pages, by where
 * their process runs, by what is behind them, and in huge pages. docs/contract/6-balancing.md has
 * the same as a table, and test/style holds the two together.
 */

import { expect } from 'vitest';
import type { KernelFacts } from '../../lib/core/kernel-facts.ts';
import { MADV, MPOL, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import type { ObjectKind } from '../../lib/machine/objects.ts';
import { hugeBytes, mapTransparent, placeHuge } from './huge-pages.contract.ts';
import { createObject, given, mapObject, settingsOf } from './objects.ts';
import { mapPages, maskOf, move, Pages, placeOn } from './pages.ts';
import type { Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

export const PAGE_COUNT = 8;
const BALANCED = MPOL.BIND | MPOL_MODE_FLAG.NUMA_BALANCING;
const MERGED_WORD = 0x6d61_726b_6564n;

/** A process of the scene whose pages are on one node, and which runs on another. */
export interface Stage {
  readonly scene: Scene;
  readonly process: WorldProcess;
  readonly near: number;
  readonly far: number;
  /** Processes beside it, that end with it. */
  readonly others: WorldProcess[];
}

/** A kind of range, and whether this kernel marks its pages. */
export interface Range {
  readonly name: string;
  readonly isMarked: boolean;
  /** Its pages are where they were, whether they are marked or not. */
  readonly stays?: boolean;
  /** How the process goes on touching them; writes unless told. */
  readonly access?: 'read';
  /** The process runs where its pages are. */
  readonly isAtHome?: true;
  readonly prepare: (stage: Stage) => Promise<Pages>;
}

type Prepare = Range['prepare'];

const STAYS = { stays: true } as const;
const READ = { access: 'read', stays: true } as const;
const AT_HOME = { isAtHome: true, stays: true } as const;

export async function privatePages({ scene, process, near }: Stage): Promise<Pages> {
  const pages = await mapPages(process, scene.machine, PAGE_COUNT);
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  return pages;
}

/** Of an object, where balancing needs to be asked for. */
export async function sharedPages({ scene, process, near, far }: Stage): Promise<Pages> {
  const object = await createObject({ process, skip: scene.skip }, 'memfd', PAGE_COUNT);
  const pages = await mapObject(process, scene.machine, object, { pageCount: PAGE_COUNT });
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  expect(await pages.mbind(BALANCED, maskOf(near, far))).toSucceed();
  return pages;
}

async function localPages(stage: Stage): Promise<Pages> {
  const pages = await privatePages(stage);
  expect(await pages.mbind(MPOL.LOCAL, null)).toSucceed();
  return pages;
}

/** Runs what allocates under a thread policy that allows the near node only. */
async function boundTo<T>({ process, near }: Stage, body: () => Promise<T>): Promise<T> {
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(near) })).toSucceed();
  const value = await body();
  expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
  return value;
}

async function packetRing(stage: Stage): Promise<Pages> {
  const { scene, process } = stage;
  const address = given(
    await boundTo(stage, () => process.references.packetRing({ blockPages: 4, blockCount: 2 })),
  );
  return new Pages(process, address, PAGE_COUNT, scene.machine.pageSizeBytes);
}

async function deviceMemory({ scene, process }: Stage): Promise<Pages> {
  const address = given(await process.areas.mapDevice({ pageCount: PAGE_COUNT }));
  return new Pages(process, address, PAGE_COUNT, scene.machine.pageSizeBytes);
}

function referenced(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    given(await stage.process.references.splice(pages.span));
    return pages;
  };
}

function pinned(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    given(await stage.process.references.registerBuffer(pages.span));
    return pages;
  };
}

function withChild(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    stage.others.push(await stage.process.fork());
    return pages;
  };
}

function withSecondThread(map: Prepare): Prepare {
  return async (stage) => {
    await stage.process.thread();
    return map(stage);
  };
}

export function heldRanges(facts: KernelFacts): Range[] {
  return [
    { name: 'private', isMarked: true, prepare: privatePages },
    { name: 'shared', isMarked: true, prepare: sharedPages },
    { name: 'LOCAL', isMarked: false, ...STAYS, prepare: localPages },
    {
      name: 'private, with a reference',
      isMarked: facts.balancingMarksReferenced,
      ...STAYS,
      prepare: referenced(privatePages),
    },
    { name: 'private, pinned', isMarked: false, ...STAYS, prepare: pinned(privatePages) },
    {
      name: 'shared, with a reference',
      isMarked: true,
      ...STAYS,
      prepare: referenced(sharedPages),
    },
    {
      name: 'shared, pinned',
      isMarked: facts.balancingMarksPinnedShared,
      ...STAYS,
      prepare: pinned(sharedPages),
    },
    {
      name: 'private, shared with a child',
      isMarked: false,
      ...READ,
      prepare: withChild(privatePages),
    },
    { name: 'packet ring', isMarked: false, ...STAYS, prepare: packetRing },
    { name: 'device memory', isMarked: false, ...STAYS, prepare: deviceMemory },
  ];
}

export function homeRanges(_facts: KernelFacts): Range[] {
  return [
    { name: 'private, at home', isMarked: false, ...AT_HOME, prepare: privatePages },
    {
      name: 'private, at home, of two threads',
      isMarked: true,
      ...AT_HOME,
      prepare: withSecondThread(privatePages),
    },
    { name: 'shared, at home', isMarked: true, ...AT_HOME, prepare: sharedPages },
  ];
}

/** Pages that the object has on the near node, by reads or by writes. */
function objectPages(kind: ObjectKind, access: 'read' | 'write'): Prepare {
  return async (stage) => {
    const { process, scene } = stage;
    const object = await createObject({ process, skip: scene.skip }, kind, PAGE_COUNT);
    const pages = await mapObject(process, scene.machine, object, { pageCount: PAGE_COUNT });
    return boundTo(stage, () => pages.touch(access));
  };
}

/** The mapping may be read only, from now on. */
function readOnly(map: Prepare): Prepare {
  return async (stage) => {
    const pages = await map(stage);
    expect(await stage.process.memory.mprotect(pages.span, 'read')).toSucceed();
    return pages;
  };
}

async function zeroPages({ scene, process }: Stage): Promise<Pages> {
  return (await mapPages(process, scene.machine, PAGE_COUNT)).touch('read');
}

async function mergedPages(stage: Stage): Promise<Pages> {
  const { process, near, scene } = stage;
  const pages = await privatePages(stage);
  for (let page = 0; page < PAGE_COUNT; page++) {
    expect(await process.memory.store(pages.at(page), MERGED_WORD)).toSucceed();
  }
  expect(
    await process.areas.madvise({ address: pages.address, pageCount: PAGE_COUNT }, MADV.MERGEABLE),
  ).toSucceed();
  const isMerged = await settingsOf(scene.world).withMerging((wait) =>
    wait(process.pid, PAGE_COUNT),
  );
  if (!isMerged) return scene.skip('needs pages merged in time');
  expect((await move(process, pages, near, MPOL_MF.MOVE_ALL)).result).toSucceed(0);
  return pages;
}

export function specialRanges(_facts: KernelFacts): Range[] {
  return [
    {
      name: 'a file, clean',
      isMarked: true,
      access: 'read',
      prepare: objectPages('ramfs', 'read'),
    },
    { name: 'a file, dirty', isMarked: false, ...STAYS, prepare: objectPages('ramfs', 'write') },
    {
      name: 'a file, clean, that may be read only',
      isMarked: false,
      ...READ,
      prepare: readOnly(objectPages('ramfs', 'read')),
    },
    { name: 'zero pages', isMarked: false, ...READ, prepare: zeroPages },
    { name: 'merged', isMarked: false, ...READ, prepare: mergedPages },
  ];
}

export function secretRanges(_facts: KernelFacts): Range[] {
  return [
    {
      name: 'secret memory, read',
      isMarked: true,
      ...READ,
      prepare: objectPages('secret', 'read'),
    },
    {
      name: 'secret memory, written',
      isMarked: false,
      ...STAYS,
      prepare: objectPages('secret', 'write'),
    },
  ];
}

async function hugePages({ scene, process, near }: Stage): Promise<Pages> {
  const pages = await mapTransparent({ ...scene, process }, 1);
  await placeHuge(pages, near);
  if ((await hugeBytes(pages)) === 0) return scene.skip('needs room for a huge page');
  return pages;
}

async function hugeZeroPage({ scene, process }: Stage): Promise<Pages> {
  return (await mapTransparent({ ...scene, process }, 1)).touch('read');
}

/** Still one huge page, of which each page has an entry of its own. */
async function hugeInParts(stage: Stage): Promise<Pages> {
  const pages = await hugePages(stage);
  for (const access of ['read', 'write'] as const) {
    expect(
      await stage.process.memory.mprotect({ address: pages.address, pageCount: 1 }, access),
    ).toSucceed();
  }
  // Or khugepaged would make one of it again.
  const advised = stage.process.areas.madvise(pages.span, MADV.NOHUGEPAGE);
  expect(await advised).toSucceed();
  return pages;
}

export function hugeRanges(facts: KernelFacts): Range[] {
  const isMarked = facts.balancingMarksAnyHuge;
  return [
    { name: 'huge', isMarked: true, prepare: hugePages },
    { name: 'huge, at home', isMarked, ...AT_HOME, prepare: hugePages },
    { name: 'huge, pinned', isMarked, ...STAYS, prepare: pinned(hugePages) },
    { name: 'huge, shared with a child', isMarked, access: 'read', prepare: withChild(hugePages) },
    { name: 'huge page of zeros', isMarked: false, ...READ, prepare: hugeZeroPage },
    {
      name: 'huge, mapped page by page',
      isMarked: facts.balancingMarksReferenced,
      prepare: hugeInParts,
    },
  ];
}
