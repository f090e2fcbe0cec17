/**
 * Pages that something else holds on to: a registered io_uring buffer (a pin), a pipe (a plain
 * reference), a ring of packets (the driver's own pages). None moves, and each call says so in its
 * own way.
 *
 * Source: none of the man pages; mm/migrate.c, folio_expected_ref_count() and
 * migrate_folio_unmap(); mm/mempolicy.c, do_migrate_pages(), which since 6.7 also counts what could
 * not be isolated.
 */

import { expect } from 'vitest';
import { ERRNO, errnoName } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { memoryNodes, privileged } from '../support/needs.ts';
import { familyFor, given } from './objects.ts';
import { mapPages, maskOf, move, Pages, placeOn, rangePolicy, UNWRITTEN, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EBUSY } = ERRNO;
const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;

/** Something that holds pages, and how to make it let go. */
interface Holder {
  readonly name: string;
  hold(scene: Scene, pages: Pages): Promise<() => Promise<void>>;
}

const HOLDERS: readonly Holder[] = [
  {
    name: 'a registered io_uring buffer',
    hold: async ({ process, skip }, { span }) => {
      const { references } = process;
      const ring = await references.registerBuffer(span);
      if (!ring.ok) return skip(`needs io_uring: ${errnoName(ring.errno)}`);
      return async () => void given(await references.unregisterBuffer(ring.value));
    },
  },
  {
    name: 'a pipe',
    hold: async ({ process }, { span }) => {
      const pin = given(await process.references.splice(span));
      return async () => void given(await process.references.close(pin));
    },
  },
];

function twoNodes({ machine }: Scene): [number, number] {
  return machine.memoryNodes as [number, number];
}

function declareHolder({ name, hold }: Holder, declare: DeclareTest): void {
  const conditions: Conditions = { needs: [memoryNodes(2), privileged], traits: ['references'] };
  declare(`pages in ${name} stay, whatever mbind is told`, conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = twoNodes(scene);
    const rows = [
      [STRICT, true],
      [MOVE, false],
      [MOVE | STRICT, true],
      [MOVE_ALL, false],
      [MOVE_ALL | STRICT, true],
    ] as const;
    for (const [flags, fails] of rows) {
      const pages = await mapPages(process, machine, 3);
      await placeOn(pages, [first, first, first]);
      const release = await hold(scene, pages.part(1, 2));
      const result = await pages.mbind(MPOL.BIND, maskOf(second), flags);
      if (fails) expect(result, String(flags)).toFailWith('mbind', 'EIO');
      else expect(result, String(flags)).toSucceed();
      const others = flags === STRICT ? first : second;
      expect(await where(pages)).toResideOn([others, first, others]);
      const mode = flags === STRICT ? MPOL.DEFAULT : MPOL.BIND;
      expect((await rangePolicy(pages, machine)).mode).toBe(mode);
      await release();
    }
  });

  declare(
    `pages in ${name} are counted by move_pages, and have no status`,
    conditions,
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = twoNodes(scene);
      for (const flags of [MOVE, MOVE_ALL]) {
        const pages = await mapPages(process, machine, 5);
        await placeOn(pages, new Array<number>(5).fill(first));
        const release = await hold(scene, pages.part(2, 3));
        const { result, status } = await move(process, pages, second, flags);
        expect(result).toSucceed(1);
        expect(status).toEqual(new Array<number>(5).fill(UNWRITTEN));
        expect(await where(pages)).toResideOn([second, second, first, second, second]);
        await release();
        expect((await move(process, pages, second, flags)).result).toSucceed(0);
        expect(await where(pages)).toResideOn(new Array<number>(5).fill(second));
      }
    },
  );

  declare(`pages in ${name} are left behind by migrate_pages`, conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = twoNodes(scene);
    const pages = await mapPages(process, machine, 4);
    await placeOn(pages, new Array<number>(4).fill(second));
    const release = await hold(scene, pages.part(0, 2));
    const request = { pid: 0, from: maskOf(second), to: maskOf(first) };
    expect(await process.numa.migratePages(request)).toSucceed(2);
    expect(await where(pages)).toResideOn([second, second, first, first]);
    await release();
    expect(await process.numa.migratePages(request)).toSucceed(0);
    expect(await where(pages)).toResideOn([first, first, first, first]);
  });

  declare(`pages in ${name} keep their contents while others move`, conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = twoNodes(scene);
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [first, first]);
    const release = await hold(scene, pages.part(0, 1));
    await process.memory.store(pages.at(0), 17n);
    await process.memory.store(pages.at(1), 18n);
    await move(process, pages, second);
    expect(await process.memory.load(pages.at(0))).toSucceed(17n);
    expect(await process.memory.load(pages.at(1))).toSucceed(18n);
    await release();
  });
}

/** A descriptor that a child has inherited holds the pages as well. */
function declareInherited(declare: DeclareTest): void {
  const needs = [memoryNodes(2), privileged];
  declare(
    'a ring gives its pages up at any process’s word',
    { needs, traits: ['references', 'sharing'] },
    async (scene) => {
      const { process, machine, skip } = scene;
      const [first, second] = twoNodes(scene);
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      const ring = await process.references.registerBuffer({
        address: pages.address,
        pageCount: 1,
      });
      if (!ring.ok) return skip(`needs io_uring: ${errnoName(ring.errno)}`);
      const child = await process.fork();
      expect((await move(process, pages, second, MOVE_ALL)).result).toSucceed(1);
      expect(await where(pages)).toResideOn([first, second]);
      expect(await child.references.unregisterBuffer(ring.value)).toSucceed();
      expect((await move(process, pages, second, MOVE_ALL)).result).toSucceed(0);
      expect(await where(pages)).toResideOn([second, second]);
    },
  );

  declare(
    'a pipe holds its pages until its last end is closed',
    { needs, traits: ['references', 'sharing'] },
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = twoNodes(scene);
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      const pin = given(await process.references.splice({ address: pages.address, pageCount: 1 }));
      const child = await process.fork();
      expect(await process.references.close(pin)).toSucceed();
      expect((await move(process, pages, second, MOVE_ALL)).result).toSucceed(1);
      expect(await where(pages)).toResideOn([first, second]);
      expect(await child.references.close(pin)).toSucceed();
      expect((await move(process, pages, second, MOVE_ALL)).result).toSucceed(0);
      expect(await where(pages)).toResideOn([second, second]);
    },
  );

  declare(
    'a child has a copy of a pinned page whatever its rights',
    { needs, traits: ['references', 'sharing', 'addresses'] },
    async (scene) => {
      const { process, machine, skip } = scene;
      const [first, second] = twoNodes(scene);
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [first]);
      const ring = await process.references.registerBuffer({
        address: pages.address,
        pageCount: 1,
      });
      if (!ring.ok) return skip(`needs io_uring: ${errnoName(ring.errno)}`);
      expect(
        await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'none'),
      ).toSucceed();
      const child = await process.fork();
      for (const one of [process, child]) {
        expect(
          await one.memory.mprotect({ address: pages.address, pageCount: 1 }, 'write'),
        ).toSucceed();
      }
      expect((await move(child, pages.in(child), second, MOVE)).status).toEqual([second]);
      expect(await where(pages)).toResideOn([first]);
    },
  );
}

/** Four blocks of four pages on one node. */
async function ringOn({ process, machine, skip }: Scene, node: number): Promise<Pages> {
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) })).toSucceed();
  const ring = await process.references.packetRing({ blockPages: 4, blockCount: 4 });
  if (!ring.ok) return skip(`needs a ring of packets: ${errnoName(ring.errno)}`);
  expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
  return new Pages(process, ring.value, 16, machine.pageSizeBytes);
}

function declareRing(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [memoryNodes(2), privileged], traits: ['references'] };
  declare('pages of a packet ring are busy, and no failure', conditions, async (scene) => {
    const [first, second] = twoNodes(scene);
    const ring = await ringOn(scene, second);
    const there = new Array<number>(16).fill(second);
    expect(await where(ring)).toResideOn(there);
    for (const flags of [MOVE, MOVE_ALL]) {
      const { result, status } = await move(scene.process, ring, first, flags);
      expect(result).toSucceed(0);
      expect(status).toEqual(new Array<number>(16).fill(-EBUSY));
    }
    expect(await where(ring)).toResideOn(there);
  });

  declare('pages of a packet ring fail mbind only if STRICT', conditions, async (scene) => {
    const [first, second] = twoNodes(scene);
    for (const flags of [STRICT, MOVE | STRICT, MOVE_ALL | STRICT, MOVE, MOVE_ALL]) {
      const ring = await ringOn(scene, second);
      const result = await ring.mbind(MPOL.BIND, maskOf(first), flags);
      if ((flags & STRICT) !== 0) expect(result, String(flags)).toFailWith('mbind', 'EIO');
      else expect(result, String(flags)).toSucceed();
      expect(await where(ring)).toResideOn(new Array<number>(16).fill(second));
    }
  });

  declare('migrate_pages counts a ring as this kernel does', conditions, async (scene) => {
    const { process, machine, facts } = scene;
    const [first, second] = twoNodes(scene);
    await ringOn(scene, second);
    const page = await mapPages(process, machine, 1);
    await placeOn(page, [second]);
    expect(await process.references.splice({ address: page.address, pageCount: 1 })).toSucceed();
    const request = { pid: 0, from: maskOf(second), to: maskOf(first) };
    // Four blocks of four pages.
    const counted = { nothing: 0, folios: 4, pages: 16 }[facts.countsUnisolated];
    expect(await process.numa.migratePages(request)).toSucceed(1 + counted);
  });
}

export function pinsContract(subject: OpenSubject): void {
  familyFor(subject, 'pinned pages', ['references'], (declare) => {
    for (const holder of HOLDERS) declareHolder(holder, declare);
    declareInherited(declare);
    declareRing(declare);
  });
}
