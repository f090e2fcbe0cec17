/**
 * Huge pages move as one: transparent ones, which policies may cut into areas of base pages, and
 * those of a pool, which nothing may cut.
 *
 * Source: move_pages(2) and mbind(2) say nothing of either; mm/migrate.c,
 * add_page_for_migration(); mm/hugetlb.c, hugetlb_vm_op_split().
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MADV, MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import type { Tag } from '../support/tags.ts';
import { areasIn, createObject, familyFor, given, mapObject, settingsOf } from './objects.ts';
import {
  FREE_ADDRESS,
  HUGE_BYTES,
  mapPages,
  maskOf,
  move,
  type Pages,
  rangePolicy,
  UNWRITTEN,
  where,
} from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EACCES, EBUSY, ENOENT } = ERRNO;
const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;

export const TRANSPARENT: Conditions = {
  needs: [expendable, memoryNodes(2), privileged],
  traits: ['settings', 'areas', 'addresses', 'sharing'],
};
const POOL: Conditions = { ...TRANSPARENT, traits: ['settings', 'objects', 'sharing'] };

type Body = (scene: Scene, first: number, second: number) => Promise<void>;

function pagesPerHuge({ machine }: Scene): number {
  return HUGE_BYTES / machine.pageSizeBytes;
}

/** The first base page of each huge page. */
function heads(pages: Pages): Pages[] {
  const stride = HUGE_BYTES / pages.pageSizeBytes;
  return Array.from({ length: pages.count / stride }, (_, index) =>
    pages.part(index * stride, index * stride + 1),
  );
}

async function whereHeads(pages: Pages): Promise<number[]> {
  const statuses: number[] = [];
  for (const head of heads(pages)) statuses.push(...(await where(head)));
  return statuses;
}

/** Addresses for huge pages, of which none is there yet. */
export async function mapTransparent(scene: Scene, count: number): Promise<Pages> {
  const { process, machine } = scene;
  const areas = process.areas;
  expect(await process.allowHugePages()).toSucceed();
  const pageCount = count * pagesPerHuge(scene);
  const pages = await mapPages(process, machine, pageCount, { address: FREE_ADDRESS });
  expect(await areas.madvise({ address: pages.address, pageCount }, MADV.HUGEPAGE)).toSucceed();
  return pages;
}

export async function hugeBytes(pages: Pages): Promise<number> {
  const areas = await areasIn(pages.process, pages.span);
  return areas.reduce((sum, area) => sum + area.hugeBytes, 0);
}

/** Huge pages, all on that node, made by one write each. */
export async function placeHuge(pages: Pages, node: number): Promise<void> {
  const { process } = pages;
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) })).toSucceed();
  for (const head of heads(pages)) await head.touch('write');
  expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
}

function filled(pages: Pages, node: number): number[] {
  return new Array<number>(pages.count).fill(node);
}

function declareTransparent(declare: DeclareTest): void {
  const transparent = (sentence: string, body: Body, tags: Tag[] = []): void =>
    declare(sentence, { ...TRANSPARENT, tags }, (scene) =>
      settingsOf(scene.world).withTransparentHugePages(async () => {
        const [first, second] = scene.machine.memoryNodes as [number, number];
        await body(scene, first, second);
      }),
    );

  transparent('one write places a whole transparent huge page', async (scene, _, second) => {
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, second);
    expect(await hugeBytes(pages)).toBe(HUGE_BYTES);
    expect(await where(pages)).toResideOn(filled(pages, second));
  });

  transparent('one address of it moves all of it', async (scene, first, second) => {
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, first);
    const { result, status } = await move(scene.process, pages.part(7, 8), second);
    expect(result).toSucceed(0);
    expect(status).toEqual([second]);
    expect(await where(pages)).toResideOn(filled(pages, second));
    expect(await hugeBytes(pages)).toBe(HUGE_BYTES);
  });

  transparent('a second address of it is busy', async (scene, first, second) => {
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, first);
    const { result, status } = await move(scene.process, pages.part(0, 3), second);
    expect(result).toSucceed(0);
    expect(status).toEqual([second, -EBUSY, second]);
    expect(await where(pages)).toResideOn(filled(pages, second));
  });

  transparent('mbind of eight of its pages moves all of it', async (scene, first, second) => {
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, first);
    const part = pages.part(16, 24);
    expect(await part.mbind(MPOL.BIND, maskOf(second), MOVE | STRICT)).toSucceed();
    expect(await where(pages)).toResideOn(filled(pages, second));
    const { mode } = await rangePolicy(pages.part(24, 25), scene.machine);
    expect(mode).toBe(MPOL.DEFAULT);
  });

  transparent('one page of it pinned keeps all of it', async (scene, first, second) => {
    const { process } = scene;
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, first);
    const pin = given(await process.references.splice({ address: pages.at(5), pageCount: 1 }));
    const { result, status } = await move(process, pages.part(9, 10), second);
    expect(result).toSucceed(1);
    expect(status).toEqual([UNWRITTEN]);
    const strict = await pages.mbind(MPOL.BIND, maskOf(second), MOVE | STRICT);
    expect(strict).toFailWith('mbind', 'EIO');
    expect(await where(pages)).toResideOn(filled(pages, first));
    expect(await hugeBytes(pages)).toBe(HUGE_BYTES);
    await process.references.close(pin);
    expect((await move(process, pages.part(9, 10), second)).status).toEqual([second]);
    expect(await where(pages)).toResideOn(filled(pages, second));
  });

  transparent('shared with a child it moves only with MOVE_ALL', async (scene, first, second) => {
    const { process } = scene;
    const pages = await mapTransparent(scene, 1);
    await placeHuge(pages, first);
    const child = await process.fork();
    expect(await pages.mbind(MPOL.BIND, maskOf(second), MOVE)).toSucceed();
    expect((await move(process, pages.part(0, 1), second)).status).toEqual([-EACCES]);
    expect(await where(pages)).toResideOn(filled(pages, first));
    const all = await move(process, pages.part(0, 1), second, MOVE_ALL);
    expect(all.status).toEqual([second]);
    expect(await where(pages.in(child))).toResideOn(filled(pages, second));
  });

  transparent(
    'interleaving counts in huge pages',
    async (scene) => {
      const { memoryNodes: nodes } = scene.machine;
      const pages = await mapTransparent(scene, 4);
      expect(await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes))).toSucceed();
      for (const head of heads(pages)) await head.touch('write');
      const first = Number((FREE_ADDRESS / BigInt(HUGE_BYTES)) % BigInt(nodes.length));
      const expected = [0, 1, 2, 3].map((index) => nodes[(first + index) % nodes.length] as number);
      expect(await whereHeads(pages)).toResideOn(expected);
      expect(await hugeBytes(pages)).toBe(4 * HUGE_BYTES);
    },
    ['nodes'],
  );
}

function declarePool(declare: DeclareTest): void {
  const pool = (sentence: string, body: Body): void =>
    declare(sentence, POOL, (scene) =>
      settingsOf(scene.world).withHugePool(2, async () => {
        const [first, second] = scene.machine.memoryNodes as [number, number];
        await body(scene, first, second);
        // The pool shrinks only by pages that nobody has.
        await scene.process.exit();
      }),
    );
  const mapped = async (scene: Scene, count: number, isShared = true): Promise<Pages> => {
    const pageCount = count * pagesPerHuge(scene);
    const object = await createObject(scene, 'hugetlb', pageCount);
    return mapObject(scene.process, scene.machine, object, { pageCount, isShared });
  };

  for (const shared of [true, false]) {
    const kind = shared ? 'shared' : 'private';
    pool(`a ${kind} huge page of the pool follows its range's policy`, async (scene, _, second) => {
      const pages = await mapped(scene, 2, shared);
      expect(await pages.mbind(MPOL.BIND, maskOf(second))).toSucceed();
      expect(await whereHeads(pages)).toResideOn([-ENOENT, -ENOENT]);
      for (const head of heads(pages)) await head.touch('write');
      expect(await whereHeads(pages)).toResideOn([second, second]);
    });
  }

  pool('a range that cuts a huge page of the pool is refused', async (scene, first) => {
    const pages = await mapped(scene, 2);
    const half = pagesPerHuge(scene) / 2;
    const bind = (part: Pages): ReturnType<Pages['mbind']> => part.mbind(MPOL.BIND, maskOf(first));
    expect(await bind(pages.part(0, half))).toFailWith('mbind', 'EINVAL');
    expect(await bind(pages.part(half, pages.count))).toFailWith('mbind', 'EINVAL');
    expect(await bind(pages.part(0, 2 * half))).toSucceed();
  });

  pool('a huge page of the pool moves by its first address', async (scene, first, second) => {
    const { process } = scene;
    const pages = await mapped(scene, 1);
    await placeHuge(pages, first);
    const { result, status } = await move(process, pages.part(0, 1), second);
    expect(result).toSucceed(0);
    expect(status).toEqual([second]);
    expect(await whereHeads(pages)).toResideOn([second]);
    expect(await pages.mbind(MPOL.BIND, maskOf(first), MOVE | STRICT)).toSucceed();
    expect(await whereHeads(pages)).toResideOn([first]);
  });

  pool('another address of it is taken as this kernel takes it', async (scene, first, second) => {
    const { process, facts } = scene;
    const pages = await mapped(scene, 1);
    await placeHuge(pages, first);
    const moves = facts.hugePageMovesByAnyAddress;
    const { result, status } = await move(process, pages.part(3, 4), second);
    expect(result).toSucceed(0);
    expect(status).toEqual([moves ? second : -EACCES]);
    expect(await whereHeads(pages)).toResideOn([moves ? second : first]);
  });

  pool('it moves to a node whose pool is empty', async (scene, first, second) => {
    const { process } = scene;
    const filler = await mapped(scene, 2);
    await placeHuge(filler, second);
    const pages = await mapped(scene, 1);
    await placeHuge(pages, first);
    expect((await move(process, pages.part(0, 1), second)).status).toEqual([second]);
    expect(await whereHeads(pages)).toResideOn([second]);
  });

  pool('a child shares it, and it moves only with MOVE_ALL', async (scene, first, second) => {
    const { process } = scene;
    const pages = await mapped(scene, 1);
    await placeHuge(pages, first);
    const child = await process.fork();
    await pages.in(child).part(0, 1).touch('read');
    expect((await move(process, pages.part(0, 1), second)).status).toEqual([-EACCES]);
    const all = await move(process, pages.part(0, 1), second, MOVE_ALL);
    expect(all.status).toEqual([second]);
    expect(await where(pages.in(child).part(0, 1))).toResideOn([second]);
    await child.exit();
  });
}

export function hugePagesContract(subject: OpenSubject): void {
  familyFor(subject, 'huge pages', ['settings'], (declare) => {
    declareTransparent(declare);
    declarePool(declare);
  });
}
