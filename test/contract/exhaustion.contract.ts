/**
 * What runs out in the middle of a call: the memory of a node, and the areas that a process may
 * have. What was done before stays done.
 *
 * Source: migrate_pages(2), move_pages(2), mbind(2); mm/mempolicy.c, do_migrate_pages() and
 * mbind_range(); mm/migrate.c, do_pages_move().
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes } from '../support/needs.ts';
import { fillNode, PAGES_BEYOND_FULL, smallestNode } from './full-node.ts';
import { familyFor } from './objects.ts';
import {
  FREE_ADDRESS,
  mapPages,
  maskOf,
  move,
  type Pages,
  placeOn,
  rangePolicy,
  UNWRITTEN,
  where,
} from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EFAULT } = ERRNO;
/** More than a node that counts as full still has to give. */
/** More areas than most machines let a process have. */
const MANY_PAGES = 80_000;

const FULL: Conditions = { needs: [expendable, memoryNodes(4)], traits: ['sharing', 'addresses'] };

async function pagesOn({ process, machine }: Scene, count: number, node: number): Promise<Pages> {
  const pages = await mapPages(process, machine, count);
  await placeOn(pages, new Array<number>(count).fill(node));
  return pages;
}

/** Runs the body while the smallest node is full. */
async function withFullNode(
  { machine, world }: Scene,
  body: (full: number) => Promise<void>,
): Promise<void> {
  const full = smallestNode(machine);
  const filler = await world.spawn();
  try {
    await fillNode(filler, machine, full);
    await body(full);
  } finally {
    await filler.exit();
  }
}

/** Nodes with room, ascending, all below the one to fill. */
function roomy({ machine, skip }: Scene): [number, number, number] {
  const full = smallestNode(machine);
  const below = machine.memoryNodes.filter((node) => node < full);
  if (below.length < 3) return skip('needs three nodes below the smallest');
  return below as [number, number, number];
}

function declareMigratePages(declare: DeclareTest): void {
  declare('migrate_pages has no other target for a node that is full', FULL, async (scene) => {
    const [, from] = roomy(scene);
    const pages = await pagesOn(scene, PAGES_BEYOND_FULL, from);
    await withFullNode(scene, async (full) => {
      const request = { pid: 0, from: maskOf(from), to: maskOf(full) };
      expect(await scene.process.numa.migratePages(request)).toFailWith('migrate_pages', 'ENOMEM');
      const residence = new Set(await where(pages));
      expect(residence).toContain(from);
      residence.delete(full);
      expect(residence).toEqual(new Set([from]));
    });
  });

  declare(
    'a full node ends migrate_pages, and pairs that are done stay done',
    FULL,
    async (scene) => {
      const [first, second, third] = roomy(scene);
      const early = await pagesOn(scene, 4, first);
      const late = await pagesOn(scene, PAGES_BEYOND_FULL, second);
      await withFullNode(scene, async (full) => {
        const request = { pid: 0, from: maskOf(first, second), to: maskOf(third, full) };
        expect(await scene.process.numa.migratePages(request)).toFailWith(
          'migrate_pages',
          'ENOMEM',
        );
        expect(await where(early)).toResideOn([third, third, third, third]);
        expect(await where(late)).toContain(second);
      });
    },
  );

  declare('a pair that comes after the full node is not begun', FULL, async (scene) => {
    const [first, second] = roomy(scene);
    // The far end of the chain is tried first: second to full, then first to second.
    const early = await pagesOn(scene, 4, first);
    const late = await pagesOn(scene, PAGES_BEYOND_FULL, second);
    await withFullNode(scene, async (full) => {
      const request = { pid: 0, from: maskOf(first, second), to: maskOf(second, full) };
      expect(await scene.process.numa.migratePages(request)).toFailWith('migrate_pages', 'ENOMEM');
      expect(await where(early)).toResideOn([first, first, first, first]);
      expect(await where(late)).toContain(second);
    });
  });
}

function declareMovePages(declare: DeclareTest): void {
  declare(
    'an entry with an error of its own keeps it when the node is full',
    FULL,
    async (scene) => {
      const { process } = scene;
      const [from] = roomy(scene);
      const pages = await pagesOn(scene, PAGES_BEYOND_FULL + 2, from);
      await pages.part(1, 2).unmap();
      await withFullNode(scene, async (full) => {
        const { result, status } = await move(process, pages.part(1, pages.count), full);
        expect(result).toFailWith('move_pages', 'ENOMEM');
        expect(status).toEqual([-EFAULT, ...new Array<number>(PAGES_BEYOND_FULL).fill(UNWRITTEN)]);
      });
    },
  );
}

function declareAreas(declare: DeclareTest): void {
  declare(
    'mbind ends where a process may have no more areas, and areas before keep the policy',
    { traits: ['areas', 'addresses'] },
    async ({ process, machine, node, skip }) => {
      const pages = await mapPages(process, machine, 4, { address: FREE_ADDRESS });
      expect(
        await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'read'),
      ).toSucceed();
      const many = await mapPages(process, machine, MANY_PAGES);
      const shattered = await process.shatter(many.span);
      if (shattered.ok) skip(`needs a limit of less than ${MANY_PAGES} areas`);
      expect(shattered).toFailWith('shatter', 'ENOMEM');
      const result = await pages.part(0, 2).mbind(MPOL.BIND, maskOf(node));
      expect(result).toFailWith('mbind', 'ENOMEM');
      expect(await rangePolicy(pages.part(0, 1), machine)).toEqual({
        mode: MPOL.BIND,
        nodes: [node],
      });
      expect((await rangePolicy(pages.part(1, 2), machine)).mode).toBe(MPOL.DEFAULT);
      await many.unmap();
      expect(await pages.part(0, 2).mbind(MPOL.BIND, maskOf(node))).toSucceed();
    },
  );
}

export function exhaustionContract(subject: OpenSubject): void {
  familyFor(subject, 'exhaustion', ['sharing', 'areas'], (declare) => {
    declareMigratePages(declare);
    declareMovePages(declare);
    declareAreas(declare);
  });
}
