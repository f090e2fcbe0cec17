/**
 * Transparent huge pages where they are none: the one of zeros, which no node has, and one whose
 * target has no memory in one piece. And how migrations of them are counted.
 *
 * Source: move_pages(2) says nothing of it; mm/migrate.c, migrate_pages_batch() and
 * try_split_folio(); mm/mempolicy.c, queue_folios_pmd().
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { MIB_BYTES } from '../../lib/core/units.ts';
import { fillNode, PAGES_BEYOND_FULL, smallestNode } from './full-node.ts';
import { hugeBytes, mapTransparent, placeHuge, TRANSPARENT } from './huge-pages.contract.ts';
import { familyFor, given, settingsOf, vmCountersOf } from './objects.ts';
import {
  HUGE_BYTES,
  mapPages,
  maskOf,
  move,
  type Pages,
  placeOn,
  UNWRITTEN,
  where,
} from './pages.ts';
import type { DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EFAULT } = ERRNO;
const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
/** Enough for the pieces of a huge page and not for compaction, which wants twice its size free. */
const FREED_PAGES = 900;

/** Given back as well where some of what was free is out of reach: again enough for pieces, and
 *  with what a move left half done has given back still not for compaction. */
const MORE_FREED_PAGES = 600;

/** More than a node that counts as full has left in one piece. */
const HUGE_PAGES = 6;
const WRITTEN_PAGES = 8;
/** A node of which half can be given back page by page. */
const BROKEN_UP_BYTES = 64 * MIB_BYTES;
const WORD = 0x7069_6563_6573n;

function filled(pages: Pages, status: number): number[] {
  return new Array<number>(pages.count).fill(status);
}

async function write(pages: Pages): Promise<void> {
  for (let page = 0; page < pages.count; page++) {
    expect(await pages.process.memory.store(pages.at(page), WORD)).toSucceed();
  }
}

/** Pieces that hold nothing but zeros become the page of zeros on newer kernels. */
async function expectPieces({ facts }: Scene, pages: Pages, target: number): Promise<void> {
  const written = pages.part(0, WRITTEN_PAGES);
  expect(await where(written)).toResideOn(filled(written, target));
  const empty = pages.part(WRITTEN_PAGES, pages.count);
  const left = facts.splittingDropsZeros ? -EFAULT : target;
  expect(await where(empty)).toResideOn(filled(empty, left));
  expect(await pages.process.memory.load(pages.at(1))).toSucceed(WORD);
}

/** Runs the body while the node has room for single pages only, of which it may ask for more. */
async function withFragmentedNode(
  { machine, world }: Scene,
  node: number,
  body: (freeMore: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const holder = await world.spawn();
  const filler = await world.spawn();
  try {
    const held = await mapPages(holder, machine, 2 * (FREED_PAGES + HUGE_PAGES * MORE_FREED_PAGES));
    expect(await holder.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) })).toSucceed();
    await held.touch();
    // What the kernel needs to unmap is not for the full node: it would end the filler.
    expect(await holder.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
    await fillNode(filler, machine, node);
    let next = 0;
    const freeSingle = async (count: number): Promise<void> => {
      const end = next + 2 * count;
      for (; next < end; next += 2) await held.part(next, next + 1).unmap();
    };
    await freeSingle(FREED_PAGES);
    await body(() => freeSingle(MORE_FREED_PAGES));
  } finally {
    await filler.exit();
    await holder.exit();
  }
}

function declareLimits(declare: DeclareTest): void {
  const transparent = (
    sentence: string,
    body: (scene: Scene, first: number, second: number) => Promise<void>,
  ): void =>
    // How a node's memory is broken up is up to chance.
    declare(sentence, { ...TRANSPARENT, retries: 2 }, (scene) => {
      const { withShortCpuLists, withTransparentHugePages } = settingsOf(scene.world);
      const [first, second] = scene.machine.memoryNodes as [number, number];
      return withTransparentHugePages(() => withShortCpuLists(() => body(scene, first, second)));
    });

  transparent(
    'the huge page of zeros has no node, and is never misplaced',
    async (scene, _, second) => {
      const pages = await mapTransparent(scene, 1);
      await pages.part(3, 4).touch('read');
      // All of it is there, though one of its pages was read.
      expect(await where(pages)).toResideOn(filled(pages, -EFAULT));
      const { result, status } = await move(scene.process, pages.part(0, 2), second);
      expect(result).toSucceed(0);
      expect(status).toEqual([-EFAULT, -EFAULT]);
      for (const flags of [STRICT, MOVE, MOVE | STRICT, MOVE_ALL, MOVE_ALL | STRICT]) {
        expect(await pages.mbind(MPOL.BIND, maskOf(second), flags), `${flags}`).toSucceed();
      }
      expect(await where(pages)).toResideOn(filled(pages, -EFAULT));
    },
  );

  transparent('it moves in pieces where there is no room in one', async (scene) => {
    const { process, machine } = scene;
    const target = smallestNode(machine, BROKEN_UP_BYTES);
    const start = machine.memoryNodes.find((node) => node !== target) as number;
    const all = await mapTransparent(scene, HUGE_PAGES);
    await placeHuge(all, start);
    const stride = all.count / HUGE_PAGES;
    const candidates = Array.from({ length: HUGE_PAGES }, (_, index) =>
      all.part(index * stride, (index + 1) * stride),
    );
    for (const pages of candidates) await write(pages.part(0, WRITTEN_PAGES));
    expect(await hugeBytes(all)).toBe(HUGE_PAGES * HUGE_BYTES);
    await withFragmentedNode(scene, target, async (freeMore) => {
      let whole = HUGE_PAGES * HUGE_BYTES;
      // What the node has left in one piece goes to the first.
      for (const [index, pages] of candidates.entries()) {
        const { result, status } = await move(process, pages.part(0, 1), target);
        // Of what is free some waits in the lists of CPUs, and some is a reserve.
        if (status[0] === UNWRITTEN) {
          whole -= HUGE_BYTES;
          expect(await hugeBytes(all)).toBe(whole);
          // The pieces that found room give it back.
          await pages.unmap();
          await freeMore();
          continue;
        }
        expect(result).toSucceed(0);
        expect(status).toEqual([target]);
        if ((await hugeBytes(all)) === whole) continue;
        expect(await hugeBytes(all), `page ${index}`).toBe(whole - HUGE_BYTES);
        await expectPieces(scene, pages, target);
        return;
      }
      expect.fail(`${HUGE_PAGES} huge pages found room`);
    });
  });

  transparent('its pieces stay where there is no room for them either', async (scene) => {
    const { process, machine, world, facts } = scene;
    const target = smallestNode(machine);
    const start = machine.memoryNodes.find((node) => node !== target) as number;
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, start);
    await write(pages);
    const filler = await world.spawn();
    try {
      await fillNode(filler, machine, target);
      // Moves take the reserves as well, to the last page.
      const last = await mapPages(filler, machine, PAGES_BEYOND_FULL);
      await placeOn(last, filled(last, start));
      expect((await move(filler, last, target)).result).toFailWith('move_pages', 'ENOMEM');
      const { result, status } = await move(process, pages.part(0, 1), target);
      if (facts.piecesCountAsOne) {
        expect(result).toSucceed(1);
      } else {
        expect(result).toFailWith('move_pages', 'ENOMEM');
      }
      expect(status).toEqual([UNWRITTEN]);
      expect(await where(pages)).toResideOn(filled(pages, start));
      expect(await hugeBytes(pages)).toBe(0);
    } finally {
      await filler.exit();
    }
  });

  transparent('migrations are counted in base pages', async (scene, first, second) => {
    const { process, machine, world } = scene;
    const small = await mapPages(process, machine, 3);
    await placeOn(small, [first, first, first]);
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, first);
    const before = await vmCountersOf(world);
    expect((await move(process, small, second)).result).toSucceed(0);
    expect((await move(process, pages.part(0, 1), second)).result).toSucceed(0);
    const between = await vmCountersOf(world);
    expect(between.pgmigrateSuccess - before.pgmigrateSuccess).toBe(3 + pages.count);
    given(await process.references.splice({ address: pages.address, pageCount: 1 }));
    expect((await move(process, pages.part(0, 1), first)).result).toSucceed(1);
    const after = await vmCountersOf(world);
    expect(after.pgmigrateSuccess).toBe(between.pgmigrateSuccess);
    expect(after.pgmigrateFail - between.pgmigrateFail).toBe(pages.count);
  });
}

export function hugeLimitsContract(subject: OpenSubject): void {
  familyFor(subject, 'huge pages at their limits', ['settings'], declareLimits);
}
