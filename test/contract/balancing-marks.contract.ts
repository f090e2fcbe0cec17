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
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import {
  heldRanges,
  homeRanges,
  hugeRanges,
  privatePages,
  type Range,
  type Stage,
  secretRanges,
  specialRanges,
} from './balancing-ranges.ts';
import { exempt, placesOf, ROUND_MS, twoCpuNodes } from './balancing-stage.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { createObject, familyFor, mapObject, settingsOf } from './objects.ts';
import { move, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

/** As many for what is not marked as what is marked takes several times over. */
const ROUNDS_UNMARKED = 3;
const ROUNDS_MAX = 25;
const TOUCHES_MAX = 5;

const CONDITIONS: Conditions = {
  // When the scanner comes round is up to the load of the machine.
  retries: 2,
  needs: [expendable, memoryNodes(2), privileged, twoCpuNodes],
  traits: ['settings', 'areas', 'objects', 'rings', 'pin', 'threads', 'addresses', 'sharing'],
};

interface Playing {
  readonly range: Range;
  readonly stage: Stage;
  readonly pages: Pages;
  readonly before: readonly number[];
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
  // Fresh pages wait in lists that 6.1 counts as references; any move empties them.
  await move(process, pages, home.node);
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

/** Waits for the round's end. */
async function isMarked({ range, stage, pages, before }: Playing): Promise<boolean> {
  const residence = await whereTouched(pages, range);
  const faults = await settingsOf(stage.scene.world).balancingFaults(stage.process.pid);
  if (range.stays) expect(residence, range.name).toResideOn(before);
  // Faults are counted at the next one after a round of marks: pages that moved have none.
  return faults > 0 || residence.join() !== before.join();
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
      for (const { range, pages } of playing) {
        const { process, address, count } = pages;
        await process.keepTouching(address, count, range.access ?? 'write', ROUND_MS);
      }
      for (const one of playing) {
        const { name } = one.range;
        // What was marked once has been; the kernel forgets its faults by halves.
        answers[name] = (await isMarked(one)) || (one.range.isMarked && answers[name] === true);
      }
      const isDone = ranges.every(({ name, isMarked }) => !isMarked || answers[name]);
      if (isDone && round >= ROUNDS_UNMARKED) break;
    }
    return answers;
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
      const { withBalancing } = settingsOf(scene.world);
      expect(await withBalancing(() => marks(scene, ranges))).toEqual(expected(ranges));
    });
  }

  declare('huge pages are marked as this kernel does', CONDITIONS, async (scene) => {
    const ranges = hugeRanges(scene.facts);
    const { withBalancing, withTransparentHugePages } = settingsOf(scene.world);
    const answers = await withTransparentHugePages(() => withBalancing(() => marks(scene, ranges)));
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
  familyFor(subject, { name: 'marks of balancing', tags: ['scanner'] }, ['settings'], declareMarks);
}
