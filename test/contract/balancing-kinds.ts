/**
 * The kinds of ranges whose balancing is examined: how each comes about, and whether its pages
 * follow the CPU that touches them.
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MADV, MPOL, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { createObject, given, mapObject, settingsOf } from './objects.ts';
import { mapPages, maskOf, move, Pages, placeOn } from './pages.ts';
import type { Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

type PolicyArguments = Parameters<WorldProcess['numa']['setMempolicy']>[0];

const { BIND, PREFERRED, PREFERRED_MANY, INTERLEAVE, LOCAL } = MPOL;
const BALANCING = MPOL_MODE_FLAG.NUMA_BALANCING;
const MERGED_WORD = 0x6261_6c61_6e63_6564n;

/** Pages of each kind. */
export const PAGE_COUNT = 8;

export type Fate = 'moves' | 'stays';

export interface Kind {
  readonly name: string;
  readonly fate: Fate;
  /** Maps PAGE_COUNT pages at an address, with memory on the stage's near node. */
  readonly prepare: (stage: Stage, address: bigint) => Promise<Pages>;
  /** What its pages show that have no node. */
  readonly shows?: number;
}

/** A process whose pages are on one node, and which then runs on another. */
export interface Stage {
  readonly scene: Scene;
  readonly process: WorldProcess;
  readonly near: number;
  readonly far: number;
  /** Any third node; the near one where there is none. */
  readonly other: number;
}

async function placed(stage: Stage, address: bigint): Promise<Pages> {
  const { process, near, scene } = stage;
  const pages = await mapPages(process, scene.machine, PAGE_COUNT, { address });
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  return pages;
}

function withPolicy(mode: number, nodesOf: (stage: Stage) => readonly number[]): Kind['prepare'] {
  return async (stage, address) => {
    const pages = await placed(stage, address);
    const nodes = nodesOf(stage);
    expect(await pages.mbind(mode, nodes.length === 0 ? null : maskOf(...nodes))).toSucceed();
    return pages;
  };
}

const both = ({ near, far }: Stage): number[] => [near, far];

function fromObject(kind: 'memfd' | 'ramfs', mode?: number): Kind['prepare'] {
  return async (stage, address) => {
    const { scene, process, near } = stage;
    const { machine, skip } = scene;
    const object = await createObject({ process, skip }, kind, PAGE_COUNT);
    const pages = await mapObject(process, machine, object, { pageCount: PAGE_COUNT, address });
    await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
    if (mode !== undefined) expect(await pages.mbind(mode, maskOf(...both(stage)))).toSucceed();
    return pages;
  };
}

const anonymous: Kind = { name: 'no policy', fate: 'moves', prepare: placed };

/** Pages that the driver has given, moved to that address as a mapping. */
async function packetRing({ process, scene, near }: Stage, address: bigint): Promise<Pages> {
  expect(await process.numa.setMempolicy({ mode: BIND, nodemask: maskOf(near) })).toSucceed();
  const mapped = given(
    await process.references.packetRing({ blockPages: PAGE_COUNT / 2, blockCount: 2 }),
  );
  expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
  expect(
    await process.areas.mremap({ address: mapped, pageCount: PAGE_COUNT }, address),
  ).toSucceed();
  return new Pages(process, address, PAGE_COUNT, scene.machine.pageSizeBytes);
}

async function device({ process, scene }: Stage, address: bigint): Promise<Pages> {
  given(await process.areas.mapDevice({ address, pageCount: PAGE_COUNT }));
  const pages = new Pages(process, address, PAGE_COUNT, scene.machine.pageSizeBytes);
  return pages.touch('read');
}

/** Ranges of one process that writes to all of them. */
function writtenKinds(scene: Scene): Kind[] {
  const { facts } = scene;
  const kinds: Kind[] = [
    anonymous,
    {
      name: 'locked',
      fate: 'moves',
      prepare: async (stage, address) => {
        const pages = await placed(stage, address);
        expect(await stage.process.memory.mlock({ address, pageCount: PAGE_COUNT })).toSucceed();
        return pages;
      },
    },
    {
      name: 'MADV_DONTFORK',
      fate: 'moves',
      prepare: async (stage, address) => {
        const pages = await placed(stage, address);
        const areas = stage.process.areas;
        expect(await areas.madvise({ address, pageCount: PAGE_COUNT }, MADV.DONTFORK)).toSucceed();
        return pages;
      },
    },
    {
      name: 'pinned by io_uring',
      fate: 'stays',
      prepare: async (stage, address) => {
        const pages = await placed(stage, address);
        given(await stage.process.references.registerBuffer({ address, pageCount: PAGE_COUNT }));
        return pages;
      },
    },
    { name: 'LOCAL', fate: 'stays', prepare: withPolicy(LOCAL, () => []) },
    { name: 'BIND', fate: 'stays', prepare: withPolicy(BIND, both) },
    { name: 'PREFERRED', fate: 'stays', prepare: withPolicy(PREFERRED, ({ far }) => [far]) },
    { name: 'PREFERRED_MANY', fate: 'stays', prepare: withPolicy(PREFERRED_MANY, both) },
    { name: 'INTERLEAVE', fate: 'stays', prepare: withPolicy(INTERLEAVE, both) },
    { name: 'BIND|NUMA_BALANCING', fate: 'moves', prepare: withPolicy(BIND | BALANCING, both) },
    {
      name: 'BIND|NUMA_BALANCING to other nodes',
      fate: 'stays',
      prepare: withPolicy(BIND | BALANCING, ({ near, other }) => [near, other]),
    },
    {
      name: 'shared memory',
      fate: sharedMemoryFate(scene),
      prepare: fromObject('memfd'),
    },
    {
      name: 'shared memory, BIND|NUMA_BALANCING',
      fate: 'moves',
      prepare: fromObject('memfd', BIND | BALANCING),
    },
    { name: 'shared memory, BIND', fate: 'stays', prepare: fromObject('memfd', BIND) },
    { name: 'a file, dirty', fate: 'stays', prepare: fromObject('ramfs') },
    { name: 'a packet ring', fate: 'stays', prepare: packetRing },
    { name: "a device's memory", fate: 'stays', shows: -facts.devicePageErrno, prepare: device },
  ];
  if (facts.preferredManyTakesBalancing) {
    const prepare = withPolicy(PREFERRED_MANY | BALANCING, both);
    kinds.push({ name: 'PREFERRED_MANY|NUMA_BALANCING', fate: 'moves', prepare });
  }
  return kinds;
}

/** A private mapping of a memfd whose pages are the object's own: nobody writes. */
async function readOnly(stage: Stage, address: bigint): Promise<Pages> {
  const { process, scene, near } = stage;
  const { machine, skip } = scene;
  const object = await createObject({ process, skip }, 'memfd', PAGE_COUNT);
  const request = { pageCount: PAGE_COUNT, address, isShared: false };
  const pages = await mapObject(process, machine, object, request);
  await process.numa.setMempolicy({ mode: BIND, nodemask: maskOf(near) });
  await pages.touch('read');
  await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
  return pages;
}

/** Pages of a file that nobody has written, mapped for reading or for both. */
function cleanFile(access: 'read' | 'write'): Kind['prepare'] {
  return async (stage, address) => {
    const { process, scene, near } = stage;
    const object = await createObject({ process, skip: scene.skip }, 'ramfs', PAGE_COUNT);
    const request = { pageCount: PAGE_COUNT, address };
    const pages = await mapObject(process, scene.machine, object, request);
    expect(await process.numa.setMempolicy({ mode: BIND, nodemask: maskOf(near) })).toSucceed();
    await pages.touch('read');
    expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
    expect(await process.memory.mprotect({ address, pageCount: PAGE_COUNT }, access)).toSucceed();
    return pages;
  };
}

/** Equal pages, merged into one. */
async function merged(stage: Stage, address: bigint): Promise<Pages> {
  const { process, near, scene } = stage;
  const pages = await placed(stage, address);
  for (let page = 0; page < PAGE_COUNT; page++) {
    expect(await process.memory.store(pages.at(page), MERGED_WORD)).toSucceed();
  }
  expect(
    await process.areas.madvise({ address, pageCount: PAGE_COUNT }, MADV.MERGEABLE),
  ).toSucceed();
  const isMerged = await settingsOf(scene.world).withMerging((wait) =>
    wait(process.pid, PAGE_COUNT),
  );
  if (!isMerged) return scene.skip('needs pages merged in time');
  // Which of the equal pages the merged one is, is up to the kernel.
  expect((await move(process, pages, near, MPOL_MF.MOVE_ALL)).result).toSucceed(0);
  return pages;
}

/** Ranges of one process that only reads them. */
function readKinds(scene: Scene): Kind[] {
  return [
    {
      name: 'zero pages',
      fate: 'stays',
      shows: -ERRNO.EFAULT,
      prepare: async ({ process }, address) =>
        (await mapPages(process, scene.machine, PAGE_COUNT, { address })).touch('read'),
    },
    { name: 'a file, clean, that may be read only', fate: 'stays', prepare: cleanFile('read') },
    { name: 'merged', fate: 'stays', prepare: merged },
    {
      name: 'a private mapping of a memfd that may be read only',
      fate: 'stays',
      prepare: async (stage, address) => {
        const pages = await readOnly(stage, address);
        expect(
          await stage.process.memory.mprotect({ address, pageCount: PAGE_COUNT }, 'read'),
        ).toSucceed();
        return pages;
      },
    },
    {
      name: 'a private mapping of a memfd that may be written',
      fate: sharedMemoryFate(scene),
      prepare: readOnly,
    },
  ];
}

function sharedMemoryFate({ facts }: Scene): Fate {
  return facts.balancesSharedMemory ? 'moves' : 'stays';
}

/** One process of a scene: its ranges, and what else matters. */
export interface Actor {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly access: 'read' | 'write';
  /** The thread's, once the pages are placed. */
  readonly policy?: (stage: Stage) => PolicyArguments;
  /** The pages are shared with a child then. */
  readonly hasChild?: true;
}

function underThreadPolicy(name: string, mode: number, fate: Fate): Actor {
  return {
    name,
    kinds: [{ ...anonymous, name: "under the thread's", fate }],
    access: 'write',
    policy: (stage) => ({ mode, nodemask: mode === LOCAL ? null : maskOf(...both(stage)) }),
  };
}

export function actorsOf(scene: Scene): Actor[] {
  const copied: Kind = { ...anonymous, name: 'copy-on-write', fate: 'stays' };
  return [
    { name: 'a writer', kinds: writtenKinds(scene), access: 'write' },
    { name: 'a reader', kinds: readKinds(scene), access: 'read' },
    { name: 'a parent', kinds: [copied], access: 'read', hasChild: true },
    underThreadPolicy('BIND', BIND, 'stays'),
    underThreadPolicy('LOCAL', LOCAL, 'stays'),
    underThreadPolicy('BIND|NUMA_BALANCING', BIND | BALANCING, 'moves'),
  ];
}

export const LONE_ACTOR: Actor = { name: 'a writer', kinds: [anonymous], access: 'write' };
