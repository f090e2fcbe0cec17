/**
 * Where pages go when a node is full.
 *
 * Source: set_mempolicy(2), which does not say from where PREFERRED_MANY and INTERLEAVE look on;
 * mm/mempolicy.c, alloc_pages_mpol() and alloc_pages_preferred_many(); mm/oom_kill.c.
 */

import { expect } from 'vitest';
import { MADV, MPOL } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes } from '../support/needs.ts';
import { fallbackOrders } from './fallback-order.ts';
import { chunksOf, mapTooMany, overflow, smallestNode } from './full-node.ts';
import { areasIn, familyFor, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, mapPages, maskOf, type Pages, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldMachine } from './world.ts';

const SIGKILL = 9;
/** That many are left untouched; some memory may have been given back meanwhile. */
const UNTOUCHED_PAGES = 1024;
/** What is freed is more than a CPU keeps back for itself, in runs too short for a huge page. */
const RUN_PAGES = 64;
const FREED_RUNS = 128;
/** A full node may have kept that many huge pages back. */
const HUGE_PAGES_MAX = 12;
const FULL: Conditions = { needs: [expendable, memoryNodes(3)], traits: ['sharing', 'settings'] };

/** A CPU of each node with memory, but not of that node. */
function cpusElsewhere(machine: WorldMachine, full: number): { node: number; cpu: number }[] {
  return machine.topology.nodes.flatMap(({ id, cpus, memoryBytes }) =>
    id !== full && cpus[0] !== undefined && memoryBytes > 0 ? [{ node: id, cpu: cpus[0] }] : [],
  );
}

/** The node that is tried after it. */
function neighbourOf(machine: WorldMachine, node: number): number {
  return fallbackOrders(machine).get(node)?.[1] as number;
}

function declarePlaces(declare: DeclareTest): void {
  declare('PREFERRED_MANY overflows to where its search started', FULL, async (scene) => {
    const { process, world, machine } = scene;
    const full = smallestNode(machine);
    const policy = { mode: MPOL.PREFERRED_MANY, nodes: [full] };
    for (const { node, cpu } of cpusElsewhere(machine, full)) {
      const filler = await world.spawn();
      expect(await filler.runOnCpu(cpu)).toSucceed();
      expect((await overflow(filler, machine, policy)).nodes, `CPU ${cpu}`).toEqual([node]);
      await filler.exit();
    }
    const home = machine.memoryNodes.findLast((node) => node !== full) as number;
    const { pages } = await overflow(process, machine, policy);
    const last = pages.part(pages.count - UNTOUCHED_PAGES, pages.count);
    expect(await last.setHomeNode(home)).toSucceed();
    const residence = await where(await last.touch());
    expect(new Set(residence.filter((node) => node !== full))).toEqual(new Set([home]));
  });

  declare(
    'INTERLEAVE overflows to the neighbour of the node whose turn it is',
    FULL,
    async ({ process, machine }) => {
      const full = smallestNode(machine);
      const neighbour = neighbourOf(machine, full);
      const other = machine.memoryNodes.find((node) => node !== full && node !== neighbour);
      const nodes = [full, other as number];
      const policy = { mode: MPOL.INTERLEAVE, nodes };
      expect((await overflow(process, machine, policy)).nodes).toEqual([neighbour]);
    },
  );
}

function declareKill(declare: DeclareTest): void {
  declare('BIND without a free page left ends in SIGKILL', FULL, async ({ world, machine }) => {
    const victim = await world.spawn();
    const policy = { mode: MPOL.BIND, nodes: [smallestNode(machine)] };
    const pages = await mapTooMany(victim, machine, policy);
    for (const { address, count } of chunksOf(pages)) {
      const result = await victim.memory.touch({ address, pageCount: count }, 'write');
      if (!result.ok) {
        expect(result).toFailWith('touch', 'ESRCH');
        break;
      }
    }
    expect(victim.killedBy).toBe(SIGKILL);
  });
}

/** A write to the first page of a huge one: where it is, and whether all of it came at once. */
async function writeToHuge(
  { process, machine }: Scene,
  node: number,
  slot: number,
): Promise<{ node: number; isHuge: boolean }> {
  const pageCount = HUGE_BYTES / machine.pageSizeBytes;
  const address = FREE_ADDRESS + BigInt(slot * 2 * HUGE_BYTES);
  const pages = await mapPages(process, machine, pageCount, { address });
  expect(await pages.mbind(MPOL.PREFERRED, maskOf(node))).toSucceed();
  const [first] = await where(await pages.part(0, 1).touch());
  const areas = await areasIn(process, pages.span);
  const hugeBytes = areas.reduce((sum, area) => sum + area.hugeBytes, 0);
  return { node: first as number, isHuge: hugeBytes > 0 };
}

async function freeRuns(pages: Pages): Promise<void> {
  const runs = Math.min(FREED_RUNS, Math.floor(pages.count / (2 * RUN_PAGES)));
  for (let run = 0; run < runs; run += 1) {
    const address = pages.at(2 * RUN_PAGES * run);
    expect(
      await pages.process.areas.madvise({ address, pageCount: RUN_PAGES }, MADV.DONTNEED),
    ).toSucceed();
  }
}

function declareHuge(declare: DeclareTest): void {
  const sentence = 'a base page of the wanted node goes before a huge page of another';
  const conditions: Conditions = { ...FULL, traits: ['settings', 'areas', 'addresses', 'sharing'] };
  declare(sentence, conditions, async (scene) => {
    const { process, world, machine } = scene;
    const full = smallestNode(machine);
    const neighbour = neighbourOf(machine, full);
    await settingsOf(world).withTransparentHugePages(async () => {
      const filler = await world.spawn();
      const { pages } = await overflow(filler, machine, { mode: MPOL.PREFERRED, nodes: [full] });
      expect(await process.allowHugePages()).toSucceed();
      const elsewhere = await writeToHuge(scene, neighbour, 0);
      expect(elsewhere).toEqual({ node: neighbour, isHuge: true });
      await freeRuns(pages);
      const seen: { node: number; isHuge: boolean }[] = [];
      while (seen.length <= HUGE_PAGES_MAX && seen.at(-1)?.isHuge !== false) {
        seen.push(await writeToHuge(scene, full, 1 + seen.length));
      }
      expect(seen.map(({ node }) => node)).toEqual(seen.map(() => full));
      expect(seen.at(-1)?.isHuge).toBe(false);
      await filler.exit();
    }, 'always');
  });
}

export function overflowContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'full nodes', tags: ['nodes'] }, ['settings'], (declare) => {
    declarePlaces(declare);
    declareKill(declare);
    declareHuge(declare);
  });
}
