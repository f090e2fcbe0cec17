/**
 * Interleaving: a page's place in the address space decides its node, whenever it is touched.
 *
 * Source: mm/mempolicy.c, interleave_nid() and policy_nodemask(). The man pages tell of a
 * per-process counter; user pages do not use it.
 */

import { describe, expect } from 'vitest';
import { MPOL, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { expendable, kernelWith, memoryNodes } from '../support/needs.ts';
import { createObject, mapObject, settingsOf } from './objects.ts';
import { FREE_ADDRESS, mapPages, maskOf, type Pages, placeOn, where } from './pages.ts';
import { type OpenSubject, type Scene, testsOf } from './scene.ts';

const PAGE_COUNT = 8;

/** The nodes that these pages belong on by their virtual page numbers. */
function patternOf({ facts }: Scene, pages: Pages, nodes: readonly number[]): number[] {
  return Array.from({ length: pages.count }, (_, index) => {
    const pageNumber = pages.at(index) / BigInt(pages.pageSizeBytes);
    const offset = BigInt.asUintN(facts.interleaveIndexBits, pageNumber);
    return nodes[Number(offset % BigInt(nodes.length))] as number;
  });
}

/** Every subset of two or three nodes that starts at the lowest, and all nodes. */
function nodeSets({ machine }: Scene): (readonly number[])[] {
  const { memoryNodes: nodes } = machine;
  return [nodes.slice(0, 2), nodes.slice(0, 3), nodes.slice(1, 4), nodes];
}

export function interleaveContract(subject: OpenSubject): void {
  describe('interleaving', { tags: ['nodes'] }, () => {
    const declare = testsOf(subject);
    const needs = [memoryNodes(2)];

    declare(
      'a range alternates by virtual page number, modulo the nodes',
      { needs },
      async (scene) => {
        for (const nodes of nodeSets(scene)) {
          const pages = await mapPages(scene.process, scene.machine, PAGE_COUNT);
          expect(await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes))).toSucceed();
          expect(await where(await pages.touch())).toResideOn(patternOf(scene, pages, nodes));
        }
      },
    );

    declare(
      'page numbers beyond 2^32 count as this kernel counts them',
      {
        needs: [memoryNodes(3)],
        traits: ['addresses'],
      },
      async (scene) => {
        const { process, machine } = scene;
        const nodes = machine.memoryNodes.slice(0, 3);
        const pages = await mapPages(process, machine, PAGE_COUNT, { address: FREE_ADDRESS });
        await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes));
        expect(await where(await pages.touch())).toResideOn(patternOf(scene, pages, nodes));
      },
    );

    declare(
      "a thread's interleaving has no counter for touched pages",
      { needs },
      async (scene) => {
        const { process, machine } = scene;
        const nodes = machine.memoryNodes;
        const mode = MPOL.INTERLEAVE;
        expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(...nodes) })).toSucceed();
        const pages = await mapPages(process, machine, PAGE_COUNT);
        for (const index of [5, 0, 7, 2, 1, 6, 3, 4]) await pages.part(index, index + 1).touch();
        expect(await where(pages)).toResideOn(patternOf(scene, pages, nodes));
      },
    );

    declare(
      'the pattern survives a change of policy inside the mapping',
      { needs },
      async (scene) => {
        const { process, machine } = scene;
        const nodes = machine.memoryNodes.slice(0, 2);
        const pages = await mapPages(process, machine, PAGE_COUNT);
        await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes));
        await pages.part(2, 5).mbind(MPOL.BIND, maskOf(nodes[1] as number));
        await pages.part(2, 5).mbind(MPOL.INTERLEAVE, maskOf(...nodes));
        expect(await where(await pages.touch())).toResideOn(patternOf(scene, pages, nodes));
      },
    );

    declare(
      'relative nodes interleave over the nodes that they stand for',
      { needs },
      async (scene) => {
        const { process, machine } = scene;
        const { memoryNodes: allowed } = machine;
        const pages = await mapPages(process, machine, PAGE_COUNT);
        const mode = MPOL.INTERLEAVE | MPOL_MODE_FLAG.RELATIVE_NODES;
        await pages.mbind(mode, maskOf(0, allowed.length + 1));
        const nodes = allowed.slice(0, 2);
        expect(await where(await pages.touch())).toResideOn(patternOf(scene, pages, nodes));
      },
    );

    declare(
      'a move into interleaving leaves pages that are on any of its nodes',
      {
        needs: [memoryNodes(3)],
      },
      async (scene) => {
        const { process, machine } = scene;
        const [outside, ...rest] = machine.memoryNodes as [number, number, number];
        const nodes = rest.slice(0, 2);
        const [kept] = nodes as [number];
        const pages = await mapPages(process, machine, PAGE_COUNT);
        const before = [kept, kept, kept, kept, outside, outside, outside, outside];
        await placeOn(pages, before);
        expect(await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes), MPOL_MF.MOVE)).toSucceed();
        const pattern = patternOf(scene, pages, nodes);
        expect(await where(pages)).toResideOn([...before.slice(0, 4), ...pattern.slice(4)]);
      },
    );

    declare(
      'copies of a private file count by the place in the file',
      { needs: [memoryNodes(3)], traits: ['objects', 'addresses'] },
      async (scene) => {
        const { process, machine } = scene;
        const nodes = machine.memoryNodes.slice(0, 3);
        const object = await createObject(scene, 'ramfs', 16);
        expect(await process.objects.write(object, { firstPage: 0, pageCount: 16 })).toSucceed();
        const file = {
          address: FREE_ADDRESS,
          pageCount: PAGE_COUNT,
          firstPage: 5,
          isShared: false,
        };
        const pages = await mapObject(process, machine, object, file);
        expect(await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes))).toSucceed();
        const pattern = Array.from({ length: PAGE_COUNT }, (_, page) => nodes[(5 + page) % 3]);
        expect(await where(await pages.touch('write'))).toEqual(pattern);
      },
    );

    declare(
      'weights of one interleave like INTERLEAVE',
      { needs: [...needs, expendable, kernelWith('hasWeightedInterleave')], traits: ['settings'] },
      async (scene) => {
        const { process, machine, world } = scene;
        const nodes = machine.memoryNodes;
        await settingsOf(world).withInterleaveWeights(async (write) => {
          // The firmware's bandwidths may have given them others.
          for (const node of nodes) expect(await write(node, '1')).toSucceed();
          const pages = await mapPages(process, machine, PAGE_COUNT);
          await pages.mbind(MPOL.WEIGHTED_INTERLEAVE, maskOf(...nodes));
          expect(await where(await pages.touch())).toResideOn(patternOf(scene, pages, nodes));
        });
      },
    );
  });
}
