/**
 * Pages of equal contents that the kernel has merged (KSM): shared, though no process knows.
 *
 * Source: move_pages(2) and mbind(2) say nothing of them; mm/mempolicy.c, new_page() of 6.1, which
 * finds no mapping of such a page and so takes the thread's policy.
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MADV, MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import { familyFor, settingsOf } from './objects.ts';
import { mapPages, maskOf, move, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EACCES, EBUSY } = ERRNO;
const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
const WORD = 0x6e75_6d61n;

const CONDITIONS: Conditions = {
  needs: [expendable, memoryNodes(2), privileged],
  traits: ['settings', 'areas', 'contents'],
};

/** Two pages merged on the first node. */
async function mapMerged(
  { process, machine, skip }: Scene,
  merged: (pid: number, pageCount: number) => Promise<boolean>,
): Promise<Pages> {
  const [first] = machine.memoryNodes as [number];
  const pages = await mapPages(process, machine, 2);
  await placeOn(pages, [first, first]);
  for (const index of [0, 1]) expect(await process.memory.store(pages.at(index), WORD)).toSucceed();
  expect(
    await process.areas.madvise({ address: pages.address, pageCount: 2 }, MADV.MERGEABLE),
  ).toSucceed();
  if (!(await merged(process.pid, 2))) skip('needs pages merged in time');
  return pages;
}

function declareMerged(declare: DeclareTest): void {
  const merging = (
    sentence: string,
    body: (scene: Scene, pages: Pages, first: number, second: number) => Promise<void>,
  ): void =>
    declare(sentence, CONDITIONS, (scene) =>
      settingsOf(scene.world).withMerging(async (merged) => {
        const [first, second] = scene.machine.memoryNodes as [number, number];
        await body(scene, await mapMerged(scene, merged), first, second);
      }),
    );

  merging('merged pages are shared pages for move_pages', async (scene, pages, first, second) => {
    const { process } = scene;
    expect(await where(pages)).toResideOn([first, first]);
    const own = await move(process, pages, second);
    expect(own.result).toSucceed(0);
    expect(own.status).toEqual([-EACCES, -EACCES]);
    const all = await move(process, pages, second, MOVE_ALL);
    expect(all.result).toSucceed(0);
    expect(all.status).toEqual([second, -EBUSY]);
    expect(await where(pages)).toResideOn([second, second]);
    expect(await process.memory.load(pages.at(1))).toSucceed(WORD);
  });

  merging('merged pages are shared pages for mbind', async (_, pages, first, second) => {
    const bind = (flags: number): ReturnType<Pages['mbind']> =>
      pages.mbind(MPOL.BIND, maskOf(second), flags);
    expect(await bind(STRICT)).toFailWith('mbind', 'EIO');
    expect(await bind(MOVE)).toSucceed();
    expect(await bind(MOVE | STRICT)).toSucceed();
    expect(await where(pages)).toResideOn([first, first]);
  });

  merging(
    'MOVE_ALL takes a merged page where this kernel does',
    async (scene, pages, first, second) => {
      const { process, facts } = scene;
      expect(
        await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(first) }),
      ).toSucceed();
      expect(await pages.part(0, 1).mbind(MPOL.BIND, maskOf(second), MOVE_ALL)).toSucceed();
      const target = facts.mergedPagesFollowNewPolicy ? second : first;
      expect(await where(pages)).toResideOn([target, target]);
    },
  );

  merging('the second address of a merged page fails STRICT', async (scene, pages, _, second) => {
    // Else 6.1 takes the page to the node of the CPU that makes the call.
    const nodemask = maskOf(second);
    expect(await scene.process.numa.setMempolicy({ mode: MPOL.BIND, nodemask })).toSucceed();
    const result = await pages.mbind(MPOL.BIND, nodemask, MOVE_ALL | STRICT);
    expect(result).toFailWith('mbind', 'EIO');
    expect(await where(pages)).toResideOn([second, second]);
  });

  merging('a write parts merged pages', async (scene, pages, first, second) => {
    const { process } = scene;
    expect(
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(second) }),
    ).toSucceed();
    expect(await process.memory.store(pages.at(0), WORD + 1n)).toSucceed();
    expect(await where(pages)).toResideOn([second, first]);
    expect(await process.memory.load(pages.at(1))).toSucceed(WORD);
  });
}

export function mergedPagesContract(subject: OpenSubject): void {
  familyFor(subject, 'merged pages', ['settings'], declareMerged);
}
