/**
 * Which mappings beside each other become one, in a process and in its children: that hangs on
 * whose pages they may have, and on the release.
 *
 * Source: mm/vma.c, is_mergeable_anon_vma(), vma_merge_existing_range(), vma_merge_new_range(); up
 * to 6.11 mm/mmap.c, vma_merge() and mmap_region(); mm/rmap.c, anon_vma_fork().
 */

import { expect } from 'vitest';
import { MADV, MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { memoryNodes, nodesFromZero } from '../support/needs.ts';
import { areasIn, familyFor } from './objects.ts';
import { FREE_ADDRESS, mapPages, maskOf, Pages, placeOn } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

const ADVICE = [
  ['random', MADV.RANDOM],
  ['sequential', 2],
  ['undumped', 16],
] as const;
const PAGES = 6;
const CONDITIONS: Conditions = { traits: ['areas', 'addresses'] };
const WITH_CHILD: Conditions = { traits: ['areas', 'addresses', 'sharing'] };

async function sizes(pages: Pages): Promise<number[]> {
  const areas = await areasIn(pages.process, pages.span);
  return areas.map(({ pageCount }) => pageCount);
}

function mapAt({ process, machine }: Scene, first = 0, count = PAGES): Promise<Pages> {
  const address = FREE_ADDRESS + BigInt(first * machine.pageSizeBytes);
  return mapPages(process, machine, count, { address });
}

/** The part is advised, and advised otherwise: what fits joins. */
async function cutOff({ process, address, count }: Pages): Promise<void> {
  expect(await process.areas.madvise({ address, pageCount: count }, MADV.RANDOM)).toSucceed();
}

async function giveBack({ process, address, count }: Pages): Promise<void> {
  expect(await process.areas.madvise({ address, pageCount: count }, MADV.NORMAL)).toSucceed();
}

async function fork(process: WorldProcess, pages: Pages): Promise<Pages> {
  return pages.in(await process.fork());
}

function declareOrigins(declare: DeclareTest): void {
  declare('untouched mappings made one by one are one', CONDITIONS, async (scene) => {
    await mapAt(scene, 0, 2);
    await mapAt(scene, 4, 2);
    await mapAt(scene, 2, 2);
    const pages = new Pages(scene.process, FREE_ADDRESS, PAGES, scene.machine.pageSizeBytes);
    expect(await sizes(pages)).toEqual([6]);
  });

  declare('a part without pages joins what has some', CONDITIONS, async (scene) => {
    const pages = await mapAt(scene);
    await cutOff(pages.part(2, 6));
    await pages.part(0, 2).touch();
    await giveBack(pages.part(2, 6));
    expect(await sizes(pages)).toEqual([6]);
  });

  declare(
    'a part with pages joins what has none as this kernel does',
    CONDITIONS,
    async (scene) => {
      const pages = await mapAt(scene);
      await cutOff(pages.part(2, 6));
      await pages.part(0, 2).touch();
      await cutOff(pages.part(0, 2));
      const isJoined = scene.facts.joinsUntouchedNeighbours;
      expect(await sizes(pages)).toEqual(isJoined ? [6] : [2, 4]);
    },
  );

  declare(
    'parts whose pages were written apart stay apart',
    { ...CONDITIONS, needs: [nodesFromZero(1)] },
    async (scene) => {
      const pages = await mapAt(scene);
      expect(await pages.part(2, 6).mbind(MPOL.BIND, maskOf(0))).toSucceed();
      await pages.touch();
      expect(await pages.mbind(MPOL.DEFAULT, null)).toSucceed();
      expect(await sizes(pages)).toEqual([2, 4]);
    },
  );

  declare(
    'pages written beside those of a mapping that differs by its rights count as its own',
    CONDITIONS,
    async (scene) => {
      const pages = await mapAt(scene);
      const part = pages.part(2, 6);
      expect(await scene.process.memory.mprotect(part.span, 'write-only')).toSucceed();
      await pages.touch();
      expect(await scene.process.memory.mprotect(part.span, 'write')).toSucceed();
      expect(await sizes(pages)).toEqual([6]);
    },
  );
}

/** Rights that a mapping has lost, with the promise of memory for what it has not touched. */
function declarePromises(declare: DeclareTest): void {
  declare(
    'what was never touched keeps apart once it cannot be written',
    CONDITIONS,
    async (scene) => {
      const { process, facts } = scene;
      const pages = await mapAt(scene);
      await cutOff(pages.part(2, 6));
      await pages.part(0, 2).touch();
      for (const part of [pages.part(0, 2), pages.part(2, 6)]) {
        expect(await process.memory.mprotect(part.span, 'read')).toSucceed();
      }
      await giveBack(pages.part(2, 6));
      expect(await sizes(pages)).toEqual(facts.readOnlyEndsPromise ? [2, 4] : [6]);
      expect(
        await process.memory.mprotect({ address: pages.address, pageCount: PAGES }, 'write'),
      ).toSucceed();
      expect(await sizes(pages)).toEqual([6]);
    },
  );

  for (const [name, advice] of ADVICE) {
    declare(
      `advice on ${name} access cuts a mapping, and no page moves`,
      CONDITIONS,
      async (scene) => {
        const pages = await mapAt(scene);
        const { madvise } = scene.process.areas;
        expect(await madvise({ address: pages.at(2), pageCount: 2 }, advice)).toSucceed();
        expect(await sizes(pages)).toEqual([2, 2, 2]);
        expect(await madvise({ address: pages.address, pageCount: PAGES }, advice)).toSucceed();
        expect(await sizes(pages)).toEqual([6]);
      },
    );
  }
}

/** Pages 0-1 and 4-5, each mapped and touched by itself; then what lies between. */
function declareNew(declare: DeclareTest): void {
  const rows = [
    ['a new mapping between two of different origin joins one of them', [0, 4], [4, 2], [2, 4]],
    ['a new mapping before pages and behind none joins as this kernel does', [4], [6], [2, 4]],
    ['a new mapping behind pages and before none joins both', [0], [6], [6]],
  ] as const;
  for (const [sentence, touched, newer, older] of rows) {
    declare(sentence, CONDITIONS, async (scene) => {
      for (const first of [0, 4]) await mapAt(scene, first, 2);
      const pages = new Pages(scene.process, FREE_ADDRESS, PAGES, scene.machine.pageSizeBytes);
      for (const first of touched) await pages.part(first, first + 2).touch();
      await mapAt(scene, 2, 2);
      expect(await sizes(pages)).toEqual(scene.facts.mmapLooksAheadFirst ? older : newer);
    });
  }
}

function declareChildren(declare: DeclareTest): void {
  declare('what a parent joins again a child does not', WITH_CHILD, async (scene) => {
    const pages = await (await mapAt(scene)).touch();
    await cutOff(pages.part(2, 6));
    const inChild = await fork(scene.process, pages);
    for (const own of [pages, inChild]) await giveBack(own.part(2, 6));
    expect(await sizes(pages)).toEqual([6]);
    expect(await sizes(inChild)).toEqual([2, 4]);
  });

  declare('what a child cuts itself it joins again', WITH_CHILD, async (scene) => {
    const inChild = await fork(scene.process, await (await mapAt(scene)).touch());
    await cutOff(inChild.part(2, 6));
    expect(await sizes(inChild)).toEqual([2, 4]);
    await giveBack(inChild.part(2, 6));
    expect(await sizes(inChild)).toEqual([6]);
  });

  declare(
    'a new mapping of a child stays apart from inherited pages',
    WITH_CHILD,
    async (scene) => {
      const { process, machine } = scene;
      const parent = await (await mapAt(scene, 0, 2)).touch();
      const child = await process.fork();
      await mapPages(child, machine, 4, { address: parent.at(2) });
      const all = new Pages(child, parent.address, PAGES, machine.pageSizeBytes);
      expect(await sizes(all)).toEqual([2, 4]);
      await all.part(2, 6).touch();
      await cutOff(all.part(2, 6));
      await giveBack(all.part(2, 6));
      expect(await sizes(all)).toEqual([2, 4]);
    },
  );

  declare('a child’s untouched mappings are joined as its parent’s', WITH_CHILD, async (scene) => {
    const pages = await mapAt(scene);
    const inChild = await fork(scene.process, pages);
    await cutOff(inChild.part(2, 6));
    await inChild.part(0, 2).touch();
    await giveBack(inChild.part(2, 6));
    expect(await sizes(inChild)).toEqual([6]);
  });
}

/** A misplaced page, and a gap behind the mapping that it is in, or behind the next one. */
function declareErrno(declare: DeclareTest): void {
  const needs = [memoryNodes(2)];
  const sentence = 'which errno a range with a gap has hangs on what has been joined';
  declare(sentence, { ...WITH_CHILD, needs }, async (scene) => {
    const [near, far] = scene.machine.memoryNodes as [number, number];
    const pages = await mapAt(scene);
    await placeOn(pages, [near, far, far, far, far, far]);
    await cutOff(pages.part(2, 6));
    const inChild = await fork(scene.process, pages);
    for (const own of [pages, inChild]) await giveBack(own.part(2, 6));
    const { address } = pages;
    const lengthBytes = 8 * scene.machine.pageSizeBytes;
    const strict = (process: WorldProcess): ReturnType<WorldProcess['numa']['mbind']> =>
      process.numa.mbind({
        address,
        lengthBytes,
        mode: MPOL.BIND,
        nodemask: maskOf(far),
        flags: MPOL_MF.STRICT,
      });
    expect(await strict(pages.process)).toFailWith('mbind', 'EFAULT');
    expect(await strict(inChild.process)).toFailWith('mbind', 'EIO');
  });
}

export function joinedMappingsContract(subject: OpenSubject): void {
  familyFor(subject, 'joined mappings', ['areas'], (declare) => {
    declareOrigins(declare);
    declarePromises(declare);
    declareNew(declare);
    declareChildren(declare);
    declareErrno(declare);
  });
}
