/**
 * Transparent huge pages that are mapped page by page, some of them perhaps not at all: cut by
 * access rights, unmapped in part, shared with a child that writes, moved to addresses that do not
 * fit. The memory stays one piece; what a move or a write makes of it, kernels see differently.
 *
 * Source: move_pages(2), mbind(2) and mremap(2) say nothing of it; mm/migrate.c,
 * migrate_pages_batch(), which splits what is on the list of deferred splits; mm/memory.c,
 * wp_can_reuse_anon_folio(); mm/huge_memory.c, do_huge_zero_wp_pmd(); mm/mempolicy.c,
 * queue_folios_pte_range().
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { hugeBytes, mapTransparent, placeHuge, TRANSPARENT } from './huge-pages.contract.ts';
import { familyFor, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, maskOf, move, Pages, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EBUSY, EFAULT } = ERRNO;
const { STRICT, MOVE } = MPOL_MF;
/** Pages that hold something: what holds zeros alone does not outlive a split on every kernel. */
const WRITTEN_PAGES = 8;
const WORD = 0x7061_7274_73n;
const CONDITIONS: Conditions = {
  ...TRANSPARENT,
  traits: [...(TRANSPARENT.traits ?? []), 'contents'],
};

type Body = (scene: Scene, first: number, second: number) => Promise<void>;
/** Pages in a row with one status. */
type Run = readonly [status: number, pageCount: number];

async function runs(pages: Pages): Promise<Run[]> {
  const found: [number, number][] = [];
  for (const status of await where(pages)) {
    const last = found.at(-1);
    if (last?.[0] === status) last[1] += 1;
    else found.push([status, 1]);
  }
  return found;
}

async function bindThread({ process }: Pages, node: number): Promise<void> {
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) })).toSucceed();
}

/** A huge page on that node; its first pages hold something. */
async function hugeOn(scene: Scene, node: number): Promise<Pages> {
  const pages = await mapTransparent(scene, 1);
  await placeHuge(pages, node);
  for (let page = 0; page < WRITTEN_PAGES; page++) {
    expect(await pages.process.memory.store(pages.at(page), WORD)).toSucceed();
  }
  expect(await hugeBytes(pages)).toBe(HUGE_BYTES);
  return pages;
}

/** From here on it is mapped page by page, with the rights that it had. */
async function cut(pages: Pages): Promise<void> {
  expect(
    await pages.process.memory.mprotect({ address: pages.at(16), pageCount: 8 }, 'read'),
  ).toSucceed();
  expect(
    await pages.process.memory.mprotect({ address: pages.at(16), pageCount: 8 }, 'write'),
  ).toSucceed();
  expect(await hugeBytes(pages)).toBe(0);
}

function declareWrites(declare: (sentence: string, body: Body) => void): void {
  declare('a write to the huge page of zeros replaces it as this kernel does', async (scene) => {
    const [, second] = scene.machine.memoryNodes as [number, number];
    const pages = await mapTransparent(scene, 1);
    await pages.part(5, 6).touch('read');
    expect(await runs(pages)).toEqual([[-EFAULT, pages.count]]);
    await bindThread(pages, second);
    await pages.part(7, 8).touch();
    const isWhole = scene.facts.replacesHugeZeroPage;
    const small: Run[] = [
      [-EFAULT, 7],
      [second, 1],
      [-EFAULT, pages.count - 8],
    ];
    expect(await runs(pages)).toEqual(isWhole ? [[second, pages.count]] : small);
    expect(await hugeBytes(pages)).toBe(isWhole ? HUGE_BYTES : 0);
  });

  declare('a write of a child copies one page of it', async (scene, first, second) => {
    const pages = await hugeOn(scene, first);
    const child = await scene.process.fork();
    const copied = pages.in(child);
    await bindThread(copied, second);
    await copied.part(3, 4).touch();
    expect(await runs(copied)).toEqual([
      [first, 3],
      [second, 1],
      [first, pages.count - 4],
    ]);
    expect(await child.memory.load(copied.at(3))).toSucceed(WORD);
    expect(await runs(pages)).toEqual([[first, pages.count]]);
    expect(await hugeBytes(pages)).toBe(HUGE_BYTES);
  });

  declare('a page of it is written anew as this kernel does', async (scene, first, second) => {
    const pages = await hugeOn(scene, first);
    await cut(pages);
    // After a child came and went, nobody else has the page, and a write has to find that out.
    await (await scene.process.fork()).exit();
    await bindThread(pages, second);
    await pages.part(3, 4).touch();
    const copied: Run[] = [
      [first, 3],
      [second, 1],
      [first, pages.count - 4],
    ];
    const isReused = scene.facts.reusesPartsOfHuge;
    expect(await runs(pages)).toEqual(isReused ? [[first, pages.count]] : copied);
    expect(await scene.process.memory.load(pages.at(3))).toSucceed(WORD);
  });
}

/** What a split leaves of `hugeOn` where zeros are dropped: the written pages on that node. */
function written(node: number, pages: Pages): Run[] {
  return [
    [node, WRITTEN_PAGES],
    [-EFAULT, pages.count - WRITTEN_PAGES],
  ];
}

function declareMoves(declare: (sentence: string, body: Body) => void): void {
  declare('with a page unmapped it moves as this kernel does', async (scene, first, second) => {
    const pages = await hugeOn(scene, first);
    await pages.part(100, 101).unmap();
    const { result, status } = await move(scene.process, pages.part(0, 1), second);
    expect(result).toSucceed(0);
    expect(status).toEqual([second]);
    const whole: Run[] = [
      [second, 100],
      [-EFAULT, 1],
      [second, pages.count - 101],
    ];
    const isSplit = scene.facts.splitsPartlyMapped;
    expect(await runs(pages)).toEqual(isSplit ? written(second, pages) : whole);
  });

  declare('cut by access rights it moves whole', async (scene, first, second) => {
    const pages = await hugeOn(scene, first);
    await cut(pages);
    const { result, status } = await move(scene.process, pages.part(3, 5), second);
    expect(result).toSucceed(0);
    expect(status).toEqual([second, -EBUSY]);
    expect(await runs(pages)).toEqual([[second, pages.count]]);
  });

  declare('moved in parts, it moves again as this kernel does', async (scene, first, second) => {
    const pages = await hugeOn(scene, first);
    await cut(pages);
    await move(scene.process, pages.part(3, 4), second);
    expect((await move(scene.process, pages.part(3, 4), first)).status).toEqual([first]);
    const isSplit = scene.facts.movingMapsPartly;
    expect(await runs(pages)).toEqual(isSplit ? written(first, pages) : [[first, pages.count]]);
  });

  declare('in parts, STRICT sees it as this kernel does', async (scene, first, second) => {
    const pages = await hugeOn(scene, first);
    await cut(pages);
    const result = await pages.mbind(MPOL.BIND, maskOf(second), MOVE | STRICT);
    if (scene.facts.countsPartsOfHuge) expect(result).toFailWith('mbind', 'EIO');
    else expect(result).toSucceed();
    expect(await runs(pages)).toEqual([[second, pages.count]]);
  });

  declare('at addresses that do not fit it moves whole', async (scene, first, second) => {
    const { process } = scene;
    const pages = await hugeOn(scene, first);
    const { count, pageSizeBytes } = pages;
    const target = FREE_ADDRESS + BigInt(4 * HUGE_BYTES + 3 * pageSizeBytes);
    expect(
      await process.areas.mremap({ address: pages.address, pageCount: count }, target),
    ).toSucceed();
    const moved = new Pages(process, target, count, pageSizeBytes);
    expect(await hugeBytes(moved)).toBe(0);
    expect(await runs(moved)).toEqual([[first, count]]);
    expect((await move(process, moved.part(9, 10), second)).status).toEqual([second]);
    expect(await runs(moved)).toEqual([[second, count]]);
    expect(await process.memory.load(moved.at(3))).toSucceed(WORD);
    expect(await process.memory.load(moved.at(WRITTEN_PAGES))).toSucceed(0n);
  });
}

export function hugePagePartsContract(subject: OpenSubject): void {
  familyFor(subject, 'huge pages in parts', ['settings'], (declare: DeclareTest) => {
    const transparent = (sentence: string, body: Body): void =>
      declare(sentence, CONDITIONS, (scene) =>
        settingsOf(scene.world).withTransparentHugePages(async () => {
          const [first, second] = scene.machine.memoryNodes as [number, number];
          await body(scene, first, second);
        }),
      );
    declareWrites(transparent);
    declareMoves(transparent);
  });
}
