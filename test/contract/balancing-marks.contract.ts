/**
 * Which pages automatic balancing marks. A marked page faults when it is touched, by address, also
 * where it then stays: that is what drivers met whose pages had only a reference.
 *
 * The process's other areas get a policy of their own, which exempts them; so a fault that is
 * counted is one of the range under test.
 *
 * Source: kernel/sched/fair.c, task_numa_work(); mm/mprotect.c, change_pte_range().
 */

import { expect } from 'vitest';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, type Need, privileged } from '../support/needs.ts';
import { cpuNodes } from './first-touch.contract.ts';
import {
  areasOf,
  createObject,
  familyFor,
  given,
  mapObject,
  ringsOf,
  settingsOf,
} from './objects.ts';
import { mapPages, maskOf, move, Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

const ROUND_MS = 1500;
/** As many for what is not marked as what is marked takes several times over. */
const ROUNDS_UNMARKED = 4;
const ROUNDS_MAX = 25;
const PAGE_COUNT = 8;
const ALL_ADDRESSES = 2 ** 47;
const BALANCED = MPOL.BIND | MPOL_MODE_FLAG.NUMA_BALANCING;

const twoCpuNodes: Need = (machine) =>
  cpuNodes(machine).length >= 2 ? null : 'needs two nodes with CPUs and memory';

const CONDITIONS: Conditions = {
  // When the scanner comes round is up to the load of the machine.
  retries: 2,
  needs: [expendable, memoryNodes(2), privileged, twoCpuNodes],
  traits: ['settings', 'areas', 'objects', 'rings', 'pin'],
};

/** A process of the scene whose pages are on one node, and which runs on another. */
interface Stage {
  readonly scene: Scene;
  readonly process: WorldProcess;
  readonly near: number;
  readonly far: number;
}

/** A kind of range, and whether this kernel marks its pages. */
interface Range {
  readonly name: string;
  readonly isMarked: boolean;
  /** Its pages are where they were, whether they are marked or not. */
  readonly stays?: boolean;
  readonly prepare: (stage: Stage) => Promise<Pages>;
}

async function privatePages({ scene, process, near }: Stage): Promise<Pages> {
  const pages = await mapPages(process, scene.machine, PAGE_COUNT);
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  return pages;
}

/** Of an object, where balancing needs to be asked for. */
async function sharedPages({ scene, process, near, far }: Stage): Promise<Pages> {
  const object = await createObject({ process, skip: scene.skip }, 'memfd', PAGE_COUNT);
  const pages = await mapObject(process, scene.machine, object, { pageCount: PAGE_COUNT });
  await placeOn(pages, new Array<number>(PAGE_COUNT).fill(near));
  expect(await pages.mbind(BALANCED, maskOf(near, far))).toSucceed();
  return pages;
}

async function packetRing({ scene, process, near }: Stage): Promise<Pages> {
  const { machine } = scene;
  expect(await process.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(near) })).toSucceed();
  const address = given(await ringsOf(process).packetRing(4, 2));
  expect(await process.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
  return new Pages(process, address, PAGE_COUNT, machine.pageSizeBytes);
}

async function deviceMemory({ scene, process }: Stage): Promise<Pages> {
  const address = given(await areasOf(process).mapDevice(PAGE_COUNT));
  return new Pages(process, address, PAGE_COUNT, scene.machine.pageSizeBytes);
}

function referenced(map: Range['prepare']): Range['prepare'] {
  return async (stage) => {
    const pages = await map(stage);
    given(await stage.process.pin(pages.address, pages.count));
    return pages;
  };
}

function pinned(map: Range['prepare']): Range['prepare'] {
  return async (stage) => {
    const pages = await map(stage);
    given(await ringsOf(stage.process).register(pages.address, pages.count));
    return pages;
  };
}

function rangesOf({ facts }: Scene): Range[] {
  const local: Range['prepare'] = async (stage) => {
    const pages = await privatePages(stage);
    expect(await pages.mbind(MPOL.LOCAL, null)).toSucceed();
    return pages;
  };
  const staying = { stays: true };
  return [
    { name: 'private', isMarked: true, prepare: privatePages },
    { name: 'shared', isMarked: true, prepare: sharedPages },
    { name: 'LOCAL', isMarked: false, ...staying, prepare: local },
    {
      name: 'private, with a reference',
      isMarked: facts.balancingMarksReferenced,
      ...staying,
      prepare: referenced(privatePages),
    },
    { name: 'private, pinned', isMarked: false, ...staying, prepare: pinned(privatePages) },
    {
      name: 'shared, with a reference',
      isMarked: true,
      ...staying,
      prepare: referenced(sharedPages),
    },
    {
      name: 'shared, pinned',
      isMarked: facts.balancingMarksPinnedShared,
      ...staying,
      prepare: pinned(sharedPages),
    },
    { name: 'packet ring', isMarked: false, ...staying, prepare: packetRing },
    { name: 'device memory', isMarked: false, ...staying, prepare: deviceMemory },
  ];
}

interface Playing {
  readonly range: Range;
  readonly process: WorldProcess;
  readonly pages: Pages;
  readonly before: readonly number[];
}

/** Puts a process where it shall be examined. */
type Join = (process: WorldProcess) => Promise<void>;

/** Nothing of the process is balanced, but what it maps from now on. */
async function exempt(process: WorldProcess, { machine }: Scene): Promise<void> {
  const pageCount = ALL_ADDRESSES / machine.pageSizeBytes;
  for (const area of await areasOf(process).list(0n, pageCount)) {
    const { pageSizeBytes } = machine;
    await new Pages(process, area.address, area.pageCount, pageSizeBytes).mbind(MPOL.LOCAL, null);
  }
}

async function prepare(scene: Scene, range: Range, join: Join): Promise<Playing> {
  const { world, machine } = scene;
  const [home, away] = cpuNodes(machine) as [{ node: number }, { node: number; cpu: number }];
  const process = await world.spawn();
  await exempt(process, scene);
  const pages = await range.prepare({ scene, process, near: home.node, far: away.node });
  // Fresh pages wait in lists that 6.1 counts as references; any move empties them.
  await move(process, pages, home.node);
  const before = await where(await pages.touch());
  // Entering a cpuset gives all its CPUs, so the CPU is chosen last.
  await join(process);
  expect(await process.runOnCpu(away.cpu)).toSucceed();
  return { range, process, pages, before };
}

/** Whether the pages of each range were marked in the end, and whether those stayed that should. */
async function marks(
  scene: Scene,
  ranges: readonly Range[],
  join: Join = async () => {},
): Promise<Record<string, boolean>> {
  const playing: Playing[] = [];
  try {
    for (const range of ranges) playing.push(await prepare(scene, range, join));
    const answers: Record<string, boolean> = {};
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      for (const { process, pages } of playing) {
        await process.keepTouching(pages.address, pages.count, 'write', ROUND_MS);
      }
      for (const { range, process, pages, before } of playing) {
        // Waits for the round's end, and takes the marks away, which 6.1 would show as absence.
        await pages.touch();
        const faults = await settingsOf(scene.world).balancingFaults(process.pid);
        const residence = await where(pages);
        if (range.stays) expect(residence, range.name).toResideOn(before);
        // Faults are counted at the next one after a round of marks: pages that moved have none.
        answers[range.name] = faults > 0 || residence.join() !== before.join();
      }
      const isDone = ranges.every(({ name, isMarked }) => !isMarked || answers[name]);
      if (isDone && round >= ROUNDS_UNMARKED) break;
    }
    return answers;
  } finally {
    for (const { process } of playing) await process.exit();
  }
}

function expected(ranges: readonly Range[]): Record<string, boolean> {
  return Object.fromEntries(ranges.map(({ name, isMarked }) => [name, isMarked]));
}

function declareMarks(declare: DeclareTest): void {
  declare('pages are marked, or not, by who else holds them', CONDITIONS, async (scene) => {
    const ranges = rangesOf(scene);
    const { withBalancing } = settingsOf(scene.world);
    expect(await withBalancing(() => marks(scene, ranges))).toEqual(expected(ranges));
  });

  declare('huge pages of the pool are not marked', CONDITIONS, async (scene) => {
    const { machine, world } = scene;
    const pageCount = (2 * 1024 * 1024) / machine.pageSizeBytes;
    const huge: Range = {
      name: 'hugetlb',
      isMarked: false,
      stays: true,
      prepare: async ({ process, near }) => {
        const object = await createObject({ process, skip: scene.skip }, 'hugetlb', pageCount);
        const pages = await mapObject(process, machine, object, { pageCount });
        await placeOn(pages.part(0, 1), [near]);
        return pages.part(0, 1);
      },
    };
    const { withBalancing, withHugePool } = settingsOf(world);
    const answers = await withHugePool(1, () => withBalancing(() => marks(scene, [huge])));
    expect(answers).toEqual(expected([huge]));
  });

  const alone: Range = { name: 'private', isMarked: true, prepare: privatePages };

  declare('between memory of one speed tiering marks nothing', CONDITIONS, async (scene) => {
    const still = [{ ...alone, isMarked: false, stays: true }];
    const { withBalancing } = settingsOf(scene.world);
    const answers = await withBalancing(() => marks(scene, still), 'tiering');
    expect(answers).toEqual(expected(still));
  });

  declare('a process on one node is marked as this kernel does', CONDITIONS, async (scene) => {
    const { facts, machine, world } = scene;
    const home = cpuNodes(machine)[0] as { node: number };
    const confined = [{ ...alone, isMarked: facts.balancingMarksInOneNode, stays: true }];
    const { withBalancing, withCpusets } = settingsOf(world);
    const answers = await withCpusets(async (create) => {
      const cpuset = await create();
      expect(await cpuset.setMems(`${home.node}`)).toSucceed();
      const join: Join = async (process) => {
        expect(await cpuset.attach(process.pid)).toSucceed();
      };
      return withBalancing(() => marks(scene, confined, join));
    });
    expect(answers).toEqual(expected(confined));
  });
}

export function balancingMarksContract(subject: OpenSubject): void {
  familyFor(subject, 'marks of balancing', ['settings'], declareMarks);
}
