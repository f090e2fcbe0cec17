/**
 * Which pages automatic balancing marks. A marked page faults when it is touched, by address, also
 * where it then stays: that is what drivers met whose pages had only a reference.
 *
 * The process's other areas get a policy of their own, which exempts them; so what is marked is of
 * the range under test.
 *
 * Source: kernel/sched/fair.c, task_numa_work(); mm/mprotect.c, change_pte_range().
 */

import { expect } from 'vitest';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import { PAGE_COUNT } from './balancing-kinds.ts';
import {
  heldRanges,
  homeRanges,
  hugeRanges,
  privatePages,
  type Range,
  type Stage,
  secretRanges,
  sharedPages,
  specialRanges,
} from './balancing-ranges.ts';
import {
  emptyLists,
  exempt,
  placesOf,
  ROUND_MS,
  ROUNDS_MAX,
  twoCpuNodes,
} from './balancing-stage.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { createObject, familyFor, mapObject, settingsOf } from './objects.ts';
import { mapPages, move, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

/** As many for what is not marked as what is marked takes several times over. */
const ROUNDS_UNMARKED = 3;
const TOUCHES_MAX = 5;
/** A process may have one for another reason. */
const FAULTS_MIN = 2;

const CONDITIONS: Conditions = {
  // When the scanner comes round is up to the load of the machine.
  retries: 2,
  needs: [expendable, memoryNodes(2), privileged, twoCpuNodes],
  traits: ['settings', 'areas', 'objects', 'references', 'threads', 'addresses', 'sharing'],
};

interface Playing {
  readonly range: Range;
  readonly stage: Stage;
  readonly pages: Pages;
  readonly before: readonly number[];
  /** After the first round, in which a process has others, too. */
  faultsBefore?: number;
}

/** Puts a process where it shall be examined. */
type Join = (process: WorldProcess) => Promise<void>;

async function prepare(scene: Scene, range: Range, join: Join): Promise<Playing> {
  const { world, machine } = scene;
  const [home, away] = placesOf(machine);
  const process = await world.spawn();
  await exempt(process, machine);
  const stage: Stage = { scene, process, near: home.node, far: away.node, others: [] };
  const pages = await range.prepare(stage);
  await emptyLists(process, home.node);
  const before = await whereTouched(pages, range);
  // Entering a cpuset gives all its CPUs, so the CPU is chosen last.
  await join(process);
  expect(await process.runOnCpu((range.isAtHome ? home : away).cpu)).toSucceed();
  return { range, stage, pages, before };
}

/** Where they are once touched. A mark that comes between the two questions looks like absence on
 *  6.1, so it is asked again then. */
async function whereTouched(pages: Pages, { access }: Range): Promise<number[]> {
  for (let tries = 1; ; tries += 1) {
    const nodes = await where(await pages.touch(access));
    if (tries === TOUCHES_MAX || nodes.every((node) => node >= 0)) return nodes;
  }
}

/** Waits for the round's end. Each scan marks anew what it marks, a huge page as one; a slow
 *  process has some faults for other reasons. */
async function isMarked(one: Playing): Promise<boolean> {
  const { range, stage, pages, before } = one;
  const residence = await whereTouched(pages, range);
  const faults = await settingsOf(stage.scene.world).minorFaults(stage.process.pid);
  one.faultsBefore ??= faults;
  if (range.stays) expect(residence, range.name).toResideOn(before);
  const entries = pages.count > PAGE_COUNT ? 1 : pages.count;
  const faultsMin = Math.max(FAULTS_MIN, entries / 2);
  return faults - one.faultsBefore >= faultsMin || residence.join() !== before.join();
}

/** The answers after the round in which all were marked that should be. */
async function playRounds(playing: readonly Playing[]): Promise<Record<string, boolean>> {
  const answers: Record<string, boolean> = {};
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    for (const { range, pages, stage } of playing) {
      await emptyLists(stage.process, stage.near);
      const { process, address, count } = pages;
      await process.memory.keepTouching(
        { address, pageCount: count },
        range.access ?? 'write',
        ROUND_MS,
      );
    }
    for (const one of playing) {
      answers[one.range.name] = await isMarked(one);
    }
    const isDone = playing.every(({ range }) => !range.isMarked || answers[range.name]);
    if (isDone && round >= ROUNDS_UNMARKED) break;
  }
  return answers;
}

/** Pages that two processes map: one of them is marked while it touches others, and has as many
 *  faults as marks where it touches these; the other moves half of them. No scan comes between. */
async function moveMarked(scene: Scene): Promise<void> {
  const { world, machine } = scene;
  const { withBalancing, minorFaults } = settingsOf(world);
  const [home, away] = placesOf(machine);
  const process = await world.spawn();
  await exempt(process, machine);
  const place = { near: home.node, far: away.node };
  const pages = await sharedPages({ scene, process, ...place, others: [] });
  const child = await process.fork();
  expect(await child.runOnCpu(away.cpu)).toSucceed();
  const busy = await mapPages(child, machine, 1);
  const half = pages.count / 2;
  const faultsOf = async (part: Pages): Promise<number> => {
    const before = await minorFaults(child.pid);
    await part.in(child).touch('read');
    return (await minorFaults(child.pid)) - before;
  };
  for (let round = 1; ; round += 1) {
    await emptyLists(process, home.node);
    await withBalancing(() => child.memory.keepTouching(busy.span, 'write', ROUND_MS));
    const node = round % 2 === 0 ? home.node : away.node;
    const { status } = await move(process, pages.part(0, half), node, MPOL_MF.MOVE_ALL);
    expect(status).toEqual(new Array(half).fill(node));
    const faultsMoved = await faultsOf(pages.part(0, half));
    const faultsLeft = await faultsOf(pages.part(half, pages.count));
    if (faultsLeft < half && round < ROUNDS_MAX) continue;
    expect(faultsLeft).toBeGreaterThanOrEqual(half);
    expect(faultsMoved).toBeLessThan(FAULTS_MIN);
    break;
  }
  for (const one of [child, process]) await one.exit();
}

interface Setting {
  readonly join?: Join;
  readonly kind?: 'tiering';
}

/**
 * Whether the pages of each range were marked in the end, and whether those stayed that should.
 * Balancing begins when all are in their places.
 */
async function marks(
  scene: Scene,
  ranges: readonly Range[],
  { join = async () => {}, kind }: Setting = {},
): Promise<Record<string, boolean>> {
  const { withBalancing } = settingsOf(scene.world);
  const playing: Playing[] = [];
  try {
    const preparing = async (): Promise<Record<string, boolean>> => {
      for (const range of ranges) playing.push(await prepare(scene, range, join));
      return withBalancing(() => playRounds(playing), kind);
    };
    return await withBalancing(preparing, 'off');
  } finally {
    for (const { stage } of playing) {
      for (const process of [...stage.others, stage.process]) await process.exit();
    }
  }
}

function expected(ranges: readonly Range[]): Record<string, boolean> {
  return Object.fromEntries(ranges.map(({ name, isMarked }) => [name, isMarked]));
}

function declareMarks(declare: DeclareTest): void {
  const sets = [
    ['by who else holds them', heldRanges],
    ['by where their process runs', homeRanges],
    ['by what they are', specialRanges],
    ['of secret memory', secretRanges],
  ] as const;
  for (const [by, rangesOf] of sets) {
    declare(`pages are marked, or not, ${by}`, CONDITIONS, async (scene) => {
      const ranges = rangesOf(scene.facts);
      expect(await marks(scene, ranges)).toEqual(expected(ranges));
    });
  }

  declare('huge pages are marked as this kernel does', CONDITIONS, async (scene) => {
    const ranges = hugeRanges(scene.facts);
    const { withTransparentHugePages } = settingsOf(scene.world);
    const answers = await withTransparentHugePages(() => marks(scene, ranges));
    expect(answers).toEqual(expected(ranges));
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
    const answers = await settingsOf(world).withHugePool(1, () => marks(scene, [huge]));
    expect(answers).toEqual(expected([huge]));
  });

  const alone: Range = { name: 'private', isMarked: true, prepare: privatePages };

  declare('a page that moves is marked in no process any more', CONDITIONS, (scene) => {
    const { withBalancing } = settingsOf(scene.world);
    return withBalancing(() => moveMarked(scene), 'off');
  });

  declare('between memory of one speed tiering marks nothing', CONDITIONS, async (scene) => {
    const still = [{ ...alone, isMarked: false, stays: true }];
    const answers = await marks(scene, still, { kind: 'tiering' });
    expect(answers).toEqual(expected(still));
  });

  declare('a process on one node is marked as this kernel does', CONDITIONS, async (scene) => {
    const { facts, machine, world } = scene;
    const home = cpuNodes(machine)[0] as { node: number };
    const confined = [{ ...alone, isMarked: facts.balancingMarksInOneNode, stays: true }];
    const answers = await settingsOf(world).withCpusets(async (create) => {
      const cpuset = await create();
      expect(await cpuset.setMems(`${home.node}`)).toSucceed();
      const join: Join = async (process) => {
        expect(await cpuset.attach(process.pid)).toSucceed();
      };
      return marks(scene, confined, { join });
    });
    expect(answers).toEqual(expected(confined));
  });
}

export function balancingMarksContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'marks of balancing', tags: ['scanner'] }, ['settings'], declareMarks);
}
