/**
 * Tiering: pages of slow memory that are touched often go to the fast node of the CPU that touches
 * them, at a limited rate. Pages of fast memory are left alone. When a page goes is the kernel's
 * affair; that more go than the limit allows is not.
 *
 * Source: Documentation/admin-guide/sysctl/kernel.rst, numa_balancing and
 * numa_balancing_promote_rate_limit_MBps; kernel/sched/fair.c, should_numa_migrate_memory().
 */

import { expect } from 'vitest';
import { MIB_BYTES } from '../../lib/core/units.ts';
import { expendable, type Need } from '../support/needs.ts';
import { increasesSince } from './balancing-counters.contract.ts';
import { exempt, ROUND_MS, ROUNDS_MAX } from './balancing-stage.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { familyFor, settingsOf, vmCountersOf } from './objects.ts';
import { mapPages, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldMachine } from './world.ts';

const PAGES = 64;
const ROUNDS_STILL = 4;
/** With more memory free than this a node takes every page, whatever the limits. */
const PLENTY_BYTES = 2 ** 30;

/** The first node with a CPU, and one whose memory is slower. */
interface Tiers {
  readonly cpu: number;
  readonly fast: number;
  readonly slow: number;
}

function tiersOf(machine: WorldMachine): Tiers | null {
  const [place] = cpuNodes(machine);
  const { nodes } = machine.topology;
  const tier = nodes.find(({ id }) => id === place?.node)?.tier;
  const slow = nodes.find(
    (node) => node.tier !== undefined && tier !== undefined && node.tier > tier,
  );
  if (place === undefined || slow === undefined) return null;
  return { cpu: place.cpu, fast: place.node, slow: slow.id };
}

const twoTiers: Need = (machine) =>
  tiersOf(machine) === null ? 'needs fast memory and slow, in tiers' : null;

const scarceFastMemory: Need = (machine) => {
  const fast = machine.topology.nodes.find(({ id }) => id === tiersOf(machine)?.fast);
  return (fast?.memoryBytes ?? 0) < PLENTY_BYTES ? null : 'needs a fast node without room to spare';
};

const CONDITIONS: Conditions = {
  // When the scanner comes round is up to the load of the machine.
  retries: 2,
  needs: [expendable, twoTiers],
  traits: ['counters', 'settings', 'areas', 'objects'],
};
const LIMITED: Conditions = { ...CONDITIONS, needs: [expendable, twoTiers, scarceFastMemory] };

/** Pages in slow memory, of a process that runs beside the fast node. */
async function slowPages({ process, machine }: Scene, pageCount: number): Promise<Pages> {
  const { cpu, slow } = tiersOf(machine) as Tiers;
  await exempt(process, machine);
  const pages = await mapPages(process, machine, pageCount);
  await placeOn(pages, new Array<number>(pageCount).fill(slow));
  expect(await process.runOnCpu(cpu)).toSucceed();
  return pages;
}

/** Where the pages are after a round of touching them. */
async function playRound(pages: Pages): Promise<number[]> {
  const { process, address, count } = pages;
  expect(
    await process.memory.keepTouching({ address, pageCount: count }, 'write', ROUND_MS),
  ).toSucceed();
  return where(await pages.touch());
}

function declarePromotions(declare: DeclareTest): void {
  declare('hot pages of slow memory are promoted, and counted', CONDITIONS, async (scene) => {
    const { machine, world } = scene;
    const { fast } = tiersOf(machine) as Tiers;
    const pages = await slowPages(scene, PAGES);
    const before = await vmCountersOf(world);
    await settingsOf(world).withBalancing(async () => {
      let nodes: number[] = [];
      for (let round = 0; round < ROUNDS_MAX; round++) {
        nodes = await playRound(pages);
        if (nodes.every((node) => node === fast)) break;
      }
      expect(nodes).toResideOn(new Array<number>(PAGES).fill(fast));
    }, 'tiering');
    const increases = await increasesSince(world, before);
    expect(increases.pgpromoteSuccess).toBeGreaterThanOrEqual(PAGES);
    expect(increases.numaPagesMigrated).toBeGreaterThanOrEqual(PAGES);
  });

  declare('with a limit of 0 pages are candidates, and stay', LIMITED, async (scene) => {
    const { machine, world } = scene;
    const { slow } = tiersOf(machine) as Tiers;
    const { withBalancing, withPromotionLimits } = settingsOf(world);
    const pages = await slowPages(scene, PAGES);
    const before = await vmCountersOf(world);
    const increases = await withPromotionLimits({ rateLimitMBps: 0 }, () =>
      withBalancing(async () => {
        for (let round = 1; ; round++) {
          expect(await playRound(pages)).toResideOn(new Array<number>(PAGES).fill(slow));
          const counted = await increasesSince(world, before);
          const isDone = counted.pgpromoteCandidate >= PAGES && round >= ROUNDS_STILL;
          if (isDone || round === ROUNDS_MAX) return counted;
        }
      }, 'tiering'),
    );
    if (increases === null) return scene.skip('needs a limit that can be set');
    expect(increases.pgpromoteCandidate).toBeGreaterThanOrEqual(PAGES);
    expect(increases.pgpromoteSuccess).toBe(0);
  });

  declare('no more is promoted in a second than the limit allows', LIMITED, async (scene) => {
    const { machine, world } = scene;
    const { fast } = tiersOf(machine) as Tiers;
    const { withBalancing, withPromotionLimits } = settingsOf(world);
    const perSecond = MIB_BYTES / machine.pageSizeBytes;
    const pages = await slowPages(scene, 32 * perSecond);
    const isPlayed = await withPromotionLimits({ rateLimitMBps: 1 }, () =>
      withBalancing(async () => {
        const startMs = Date.now();
        let promoted = 0;
        for (let round = 1; round <= ROUNDS_MAX; round++) {
          promoted = (await playRound(pages)).filter((node) => node === fast).length;
          const seconds = Math.max(round * ROUND_MS, Date.now() - startMs) / 1000;
          // A second that has begun may be the second one that counts as new.
          expect(promoted).toBeLessThanOrEqual(perSecond * (seconds + 2));
          if (promoted > perSecond) break;
        }
        expect(promoted).toBeGreaterThan(0);
        return true;
      }, 'tiering'),
    );
    if (isPlayed === null) scene.skip('needs a limit that can be set');
  });

  declare('pages that are not hot enough stay', LIMITED, async (scene) => {
    const { machine, world } = scene;
    const { slow } = tiersOf(machine) as Tiers;
    const { withBalancing, withPromotionLimits } = settingsOf(world);
    const pages = await slowPages(scene, PAGES);
    const isPlayed = await withPromotionLimits({ hotThresholdMs: 0 }, () =>
      withBalancing(async () => {
        for (let round = 0; round < ROUNDS_STILL; round++) {
          expect(await playRound(pages)).toResideOn(new Array<number>(PAGES).fill(slow));
        }
        return true;
      }, 'tiering'),
    );
    if (isPlayed === null) scene.skip('needs a threshold that can be set');
  });

  declare(
    'balancing without tiering moves pages of slow memory, too',
    CONDITIONS,
    async (scene) => {
      const { machine, world } = scene;
      const { fast } = tiersOf(machine) as Tiers;
      const pages = await slowPages(scene, PAGES);
      const nodes = await settingsOf(world).withBalancing(async () => {
        for (let round = 1; ; round++) {
          const now = await playRound(pages);
          if (now.every((node) => node === fast) || round === ROUNDS_MAX) return now;
        }
      });
      expect(nodes).toResideOn(new Array<number>(PAGES).fill(fast));
    },
  );
}

export function promotionContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'promotion', tags: ['tiers'] }, ['settings'], declarePromotions);
}
