/**
 * Automatic NUMA balancing: which ranges follow the CPU that touches them, and which stay. When
 * they move is the kernel's affair: a test waits until those that move have moved, and takes what
 * is at home then as staying.
 *
 * Source: kernel/sched/fair.c, task_numa_work() and should_numa_migrate_memory(); mm/mempolicy.c,
 * vma_policy_mof() and mpol_misplaced(); mm/mprotect.c, change_pte_range().
 */

import { expect } from 'vitest';
import { expendable, type Need } from '../support/needs.ts';
import {
  type Actor,
  actorsOf,
  type Fate,
  type Kind,
  LONE_ACTOR,
  PAGE_COUNT,
  type Stage,
} from './balancing-kinds.ts';
import { emptyLists, ROUNDS_MAX } from './balancing-stage.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { familyFor, settingsOf } from './objects.ts';
import { FREE_ADDRESS, Pages, where } from './pages.ts';
import type { DeclareTest, OpenSubject, Scene } from './scene.ts';

const ROUND_MS = 1000;
const ROUNDS_MIN = 2;

const twoCpuNodes: Need = (machine) =>
  cpuNodes(machine).length >= 2 ? null : 'needs two nodes with CPUs and memory';

const CONDITIONS = {
  // When the scanner comes round is up to the load of the machine.
  retries: 2,
  traits: ['settings', 'areas', 'objects', 'references', 'mlock', 'addresses'],
  needs: [expendable, twoCpuNodes],
} as const;

/** An actor with its pages in place, on the CPU from which it will touch them. */
interface Playing {
  readonly actor: Actor;
  readonly stage: Stage;
  readonly all: Pages;
  readonly ranges: readonly { readonly kind: Kind; readonly pages: Pages }[];
}

async function prepare(scene: Scene, actor: Actor): Promise<Playing> {
  const { machine, world } = scene;
  const [home, away] = cpuNodes(machine) as [{ node: number }, { node: number; cpu: number }];
  const third = machine.memoryNodes.find((node) => node !== home.node && node !== away.node);
  const process = await world.spawn();
  const near = home.node;
  const stage: Stage = { scene, process, near, far: away.node, other: third ?? near };
  const ranges: { kind: Kind; pages: Pages }[] = [];
  let address = FREE_ADDRESS;
  for (const kind of actor.kinds) {
    const pages = await kind.prepare(stage, address);
    expect(await where(await pages.touch('read')), kind.name).toResideOn(expectedAt(kind, near));
    ranges.push({ kind, pages });
    address = pages.at(PAGE_COUNT);
  }
  if (actor.hasChild === true) await process.fork();
  if (actor.policy !== undefined) {
    expect(await process.numa.setMempolicy(actor.policy(stage))).toSucceed();
  }
  expect(await process.runOnCpu(away.cpu)).toSucceed();
  const pageCount = ranges.length * PAGE_COUNT;
  const all = new Pages(process, FREE_ADDRESS, pageCount, machine.pageSizeBytes);
  return { actor, stage, all, ranges };
}

function expectedAt({ shows }: Kind, node: number): number[] {
  return new Array<number>(PAGE_COUNT).fill(shows ?? node);
}

/** All actors touch their pages, together. */
async function playRound(playing: readonly Playing[]): Promise<void> {
  for (const { actor, stage, all } of playing) {
    const { process, near } = stage;
    await emptyLists(process, near);
    expect(await process.memory.keepTouching(all.span, actor.access, ROUND_MS)).toSucceed();
  }
}

async function fateOf({ stage }: Playing, kind: Kind, pages: Pages): Promise<Fate | string> {
  // 6.1 does not see the pages that are marked; the next touch takes the mark away.
  const nodes = await where(await pages.touch('read'));
  if (nodes.every((node) => node === (kind.shows ?? stage.near))) return 'stays';
  return nodes.every((node) => node === stage.far) ? 'moves' : nodes.join();
}

/** What became of each kind. The question waits for the end of the round. */
async function fates(playing: readonly Playing[]): Promise<Record<string, Fate | string>> {
  const answers: Record<string, Fate | string> = {};
  for (const one of playing) {
    for (const { kind, pages } of one.ranges) {
      answers[`${one.actor.name}: ${kind.name}`] = await fateOf(one, kind, pages);
    }
  }
  return answers;
}

function expectedFates(actors: readonly Actor[]): Record<string, Fate> {
  return Object.fromEntries(
    actors.flatMap(({ name, kinds }) => kinds.map((kind) => [`${name}: ${kind.name}`, kind.fate])),
  );
}

/** Rounds until what moves has moved, and two at least. */
async function play(scene: Scene, actors: readonly Actor[]): Promise<Record<string, string>> {
  const expected = Object.entries(expectedFates(actors));
  const playing: Playing[] = [];
  try {
    for (const actor of actors) playing.push(await prepare(scene, actor));
    let answers: Record<string, Fate | string> = {};
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      await playRound(playing);
      answers = await fates(playing);
      const isDone = expected.every(([name, fate]) => fate === 'stays' || answers[name] === fate);
      if (isDone && round >= ROUNDS_MIN) break;
    }
    return answers;
  } finally {
    for (const { stage } of playing) await stage.process.exit();
  }
}

function declareFates(declare: DeclareTest): void {
  declare(
    'a range follows the CPU that touches it, or stays, by its kind and its policy',
    CONDITIONS,
    async (scene) => {
      const actors = actorsOf(scene);
      const answers = await settingsOf(scene.world).withBalancing(() => play(scene, actors));
      expect(answers).toEqual(expectedFates(actors));
    },
  );

  declare('while balancing is off nothing moves', CONDITIONS, async (scene) => {
    const still: Actor = {
      ...LONE_ACTOR,
      kinds: LONE_ACTOR.kinds.map((kind) => ({ ...kind, fate: 'stays' })),
    };
    expect(await play(scene, [still])).toEqual(expectedFates([still]));
  });
}

export function balancingContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'balancing', tags: ['scanner'] }, ['settings'], declareFates);
}
