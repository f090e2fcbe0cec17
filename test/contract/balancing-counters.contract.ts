/**
 * What the machine counts of automatic balancing: pages that are marked, accesses to them, pages
 * that are moved or could not be. Others are balanced too, so counters are held against a lower
 * bound.
 *
 * Source: Documentation/admin-guide/sysctl/kernel.rst, numa_balancing; mm/mempolicy.c,
 * change_prot_numa(); mm/memory.c, numa_migrate_check(); mm/migrate.c, migrate_misplaced_folio().
 */

import { expect } from 'vitest';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import type { VmCounters } from '../../lib/machine/counters.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import {
  emptyLists,
  exempt,
  type Place,
  placesOf,
  ROUND_MS,
  ROUNDS_MAX,
  twoCpuNodes,
} from './balancing-stage.ts';
import { hugeBytes, mapTransparent, placeHuge } from './huge-pages.contract.ts';
import { createObject, familyFor, given, mapObject, settingsOf, vmCountersOf } from './objects.ts';
import { HUGE_BYTES, mapPages, maskOf, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { World } from './world.ts';

const PAGES = 256;
const BALANCED = MPOL.BIND | MPOL_MODE_FLAG.NUMA_BALANCING;

const CONDITIONS: Conditions = {
  // When the scanner comes round is up to the load of the machine.
  retries: 2,
  needs: [expendable, memoryNodes(2), privileged, twoCpuNodes],
  traits: ['counters', 'settings', 'areas', 'objects', 'references', 'addresses', 'sharing'],
};

type Increases = { readonly [Name in keyof VmCounters]: number };

export async function increasesSince(world: World, before: VmCounters): Promise<Increases> {
  const after = await vmCountersOf(world);
  const names = Object.keys(after) as (keyof VmCounters)[];
  return Object.fromEntries(
    names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]),
  ) as Increases;
}

/** Touches pages from a place, with balancing on, until the counters say so. */
async function countUntil(
  { world }: Scene,
  pages: Pages,
  { node, cpu }: Place,
  isDone: (increases: Increases, nodes: readonly number[]) => boolean,
): Promise<{ increases: Increases; nodes: number[] }> {
  expect(await pages.process.runOnCpu(cpu)).toSucceed();
  const before = await vmCountersOf(world);
  return settingsOf(world).withBalancing(async () => {
    for (let round = 1; ; round++) {
      const { process, address, count } = pages;
      await emptyLists(process, node);
      expect(
        await process.memory.keepTouching({ address, pageCount: count }, 'write', ROUND_MS),
      ).toSucceed();
      // Waits for the round's end, and takes the marks away, which 6.1 would show as absence.
      const nodes = await where(await pages.touch());
      const increases = await increasesSince(world, before);
      if (isDone(increases, nodes) || round === ROUNDS_MAX) return { increases, nodes };
    }
  });
}

function filled(count: number, node: number): number[] {
  return new Array<number>(count).fill(node);
}

async function sharedPages({ process, machine, skip }: Scene, node: number): Promise<Pages> {
  const object = await createObject({ process, skip }, 'memfd', PAGES);
  const pages = await mapObject(process, machine, object, { pageCount: PAGES });
  await placeOn(pages, filled(PAGES, node));
  expect(await pages.mbind(BALANCED, maskOf(...machine.memoryNodes))).toSucceed();
  return pages;
}

function declareCounters(declare: DeclareTest): void {
  declare('pages that move are marked, touched and moved', CONDITIONS, async (scene) => {
    const { process, machine } = scene;
    const [home, away] = placesOf(machine);
    await exempt(process, machine);
    const pages = await mapPages(process, machine, PAGES);
    await placeOn(pages, filled(PAGES, home.node));
    const { increases, nodes } = await countUntil(scene, pages, away, (_, now) =>
      now.every((node) => node === away.node),
    );
    expect(nodes).toResideOn(filled(PAGES, away.node));
    expect(increases.numaPteUpdates).toBeGreaterThanOrEqual(PAGES);
    expect(increases.numaHintFaults).toBeGreaterThanOrEqual(PAGES);
    expect(increases.numaPagesMigrated).toBeGreaterThanOrEqual(PAGES);
    expect(increases.pgmigrateSuccess).toBeGreaterThanOrEqual(PAGES);
  });

  declare("a page on the toucher's node is a local fault, and stays", CONDITIONS, async (scene) => {
    const { process, machine } = scene;
    const [home] = placesOf(machine);
    await exempt(process, machine);
    const pages = await sharedPages(scene, home.node);
    const { increases, nodes } = await countUntil(
      scene,
      pages,
      home,
      ({ numaHintFaultsLocal }) => numaHintFaultsLocal >= PAGES,
    );
    expect(nodes).toResideOn(filled(PAGES, home.node));
    expect(increases.numaHintFaultsLocal).toBeGreaterThanOrEqual(PAGES);
    expect(increases.numaHintFaults).toBeGreaterThanOrEqual(increases.numaHintFaultsLocal);
  });

  declare('a page that somebody holds is a failure, and stays', CONDITIONS, async (scene) => {
    const { process, machine } = scene;
    const [home, away] = placesOf(machine);
    await exempt(process, machine);
    const pages = await sharedPages(scene, home.node);
    const held = pages.part(0, 8);
    given(await process.references.splice(held.span));
    const { increases, nodes } = await countUntil(
      scene,
      held,
      away,
      ({ pgmigrateFail }) => pgmigrateFail >= held.count,
    );
    expect(nodes).toResideOn(filled(held.count, home.node));
    expect(increases.pgmigrateFail).toBeGreaterThanOrEqual(held.count);
    expect(increases.numaHintFaults).toBeGreaterThanOrEqual(held.count);
  });

  declare('a huge page is one mark and one fault, and as many pages', CONDITIONS, async (scene) => {
    const { process, machine, world, skip } = scene;
    const [home, away] = placesOf(machine);
    await settingsOf(world).withTransparentHugePages(async () => {
      await exempt(process, machine);
      const pages = await mapTransparent(scene, 1);
      await placeHuge(pages, home.node);
      if ((await hugeBytes(pages)) !== HUGE_BYTES) skip('needs room for a huge page');
      const { increases, nodes } = await countUntil(scene, pages, away, (_, now) =>
        now.every((node) => node === away.node),
      );
      expect(nodes).toResideOn(filled(pages.count, away.node));
      expect(increases.numaHugePteUpdates).toBeGreaterThanOrEqual(1);
      expect(increases.numaPteUpdates).toBeGreaterThanOrEqual(pages.count);
      expect(increases.numaHintFaults).toBeGreaterThanOrEqual(1);
      expect(increases.numaPagesMigrated).toBeGreaterThanOrEqual(pages.count);
      expect(increases.pgmigrateSuccess).toBeGreaterThanOrEqual(pages.count);
    });
  });

  declare('while balancing is off nothing is marked', CONDITIONS, async (scene) => {
    const { process, machine, world } = scene;
    const [home, away] = placesOf(machine);
    const pages = await mapPages(process, machine, PAGES);
    await placeOn(pages, filled(PAGES, home.node));
    expect(await process.runOnCpu(away.cpu)).toSucceed();
    const before = await vmCountersOf(world);
    expect(
      await process.memory.keepTouching(
        { address: pages.address, pageCount: PAGES },
        'write',
        2 * ROUND_MS,
      ),
    ).toSucceed();
    await pages.touch();
    expect(await increasesSince(world, before)).toMatchObject({
      numaPteUpdates: 0,
      numaHugePteUpdates: 0,
      pgpromoteCandidate: 0,
    });
  });

  declare(
    'promotions without a limit are counted where this kernel does',
    { ...CONDITIONS, tags: ['tiers'] },
    async (scene) => {
      const { pgpromoteCandidateNrl } = await vmCountersOf(scene.world);
      expect(pgpromoteCandidateNrl !== null).toBe(scene.facts.countsUnlimitedCandidates);
    },
  );
}

export function balancingCountersContract(subject: OpenSubject): void {
  familyFor(
    subject,
    { name: 'counters of balancing', tags: ['cpus', 'scanner'] },
    ['settings'],
    declareCounters,
  );
}
