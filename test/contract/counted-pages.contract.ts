/**
 * How many pages each policy puts on each node, counted in a process and in its child: what a
 * policy means to a program that only allocates.
 *
 * Source: set_mempolicy(2), mbind(2); mm/mempolicy.c, alloc_pages_mpol().
 */

import { expect } from 'vitest';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import type { ObjectKind } from '../../lib/machine/objects.ts';
import { memoryNodes, privileged } from '../support/needs.ts';
import { createObject, familyFor, mapObject } from './objects.ts';
import { mapPages, maskOf, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject } from './scene.ts';
import type { WorldMachine, WorldProcess } from './world.ts';

const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
const PAGES = 16;
const MODES = ['PREFERRED', 'BIND', 'INTERLEAVE'] as const;
const TWO_NODES: Conditions = { needs: [memoryNodes(2)], traits: ['sharing'] };
const FILES: Conditions = { needs: [memoryNodes(2)], traits: ['sharing', 'objects'] };

/** Pages on each of the machine's nodes with memory, in their order. */
async function countByNode(pages: Pages, machine: WorldMachine): Promise<number[]> {
  const residence = await where(pages);
  return machine.memoryNodes.map((node) => residence.filter((one) => one === node).length);
}

/** The count that has all pages on one node. */
function allOn(node: number, machine: WorldMachine, count = PAGES): number[] {
  return machine.memoryNodes.map((one) => (one === node ? count : 0));
}

/** Touches the pages in a child first, then in the process, and counts each. */
async function countInBoth(pages: Pages, machine: WorldMachine): Promise<[number[], number[]]> {
  const child = await pages.process.fork();
  const inChild = await countByNode(await pages.in(child).touch(), machine);
  await child.exit();
  return [inChild, await countByNode(await pages.touch(), machine)];
}

async function setThread(process: WorldProcess, mode: number, nodes: number[]): Promise<void> {
  expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(...nodes) })).toSucceed();
}

function declareAnonymous(declare: DeclareTest): void {
  for (const name of MODES) {
    const sentence = `mbind with ${name} puts all pages of process and child on the node named`;
    declare(sentence, TWO_NODES, async ({ process, machine }) => {
      for (const flags of [0, STRICT]) {
        for (const node of machine.memoryNodes) {
          const pages = await mapPages(process, machine, PAGES);
          expect(await pages.mbind(MPOL[name], maskOf(node), flags)).toSucceed();
          const wanted = allOn(node, machine);
          expect(await countInBoth(pages, machine), `node ${node}`).toEqual([wanted, wanted]);
        }
      }
    });
  }

  for (const name of ['BIND', 'PREFERRED'] as const) {
    const sentence = `a thread's ${name} puts all pages of it and its child on the node named`;
    declare(sentence, TWO_NODES, async ({ process, machine }) => {
      for (const node of machine.memoryNodes) {
        await setThread(process, MPOL[name], [node]);
        const wanted = allOn(node, machine);
        const own = await mapPages(process, machine, PAGES);
        expect(await countInBoth(own, machine), `node ${node}`).toEqual([wanted, wanted]);
        const shared = await mapPages(process, machine, PAGES, { isShared: true });
        expect(await countInBoth(shared, machine), `node ${node}`).toEqual([wanted, wanted]);
      }
    });
  }

  declare(
    "a thread's INTERLEAVE gives equal parts to any number of nodes",
    TWO_NODES,
    async ({ process, machine }) => {
      const { memoryNodes: nodes } = machine;
      for (let width = 1; width <= nodes.length; width += 1) {
        await setThread(process, MPOL.INTERLEAVE, nodes.slice(0, width));
        for (const perNode of [2, 8]) {
          const wanted = nodes.map((_, index) => (index < width ? perNode : 0));
          for (const isShared of [false, true]) {
            const pages = await mapPages(process, machine, width * perNode, { isShared });
            const label = `${width} nodes, ${perNode} pages each`;
            expect(await countInBoth(pages, machine), label).toEqual([wanted, wanted]);
          }
        }
      }
    },
  );
}

function declareMisplaced(declare: DeclareTest): void {
  declare('mbind with every flag set is refused', {}, async ({ process, machine, node }) => {
    const pages = await mapPages(process, machine, 1);
    expect(await pages.mbind(MPOL.BIND, maskOf(node), -1)).toFailWith('mbind', 'EINVAL');
    expect(await pages.mbind(MPOL.DEFAULT, null, -1)).toFailWith('mbind', 'EINVAL');
  });

  for (const name of MODES) {
    declare(`${name} with STRICT alone is refused`, TWO_NODES, async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [first]);
      expect(await pages.mbind(MPOL[name], maskOf(second), STRICT)).toFailWith('mbind', 'EIO');
      expect(await pages.mbind(MPOL[name], maskOf(first), STRICT)).toSucceed();
      expect(await countByNode(pages, machine)).toEqual(allOn(first, machine, 1));
    });

    declare(
      `${name} with MOVE and with MOVE_ALL takes the page to the node named, and leaves none`,
      { ...TWO_NODES, needs: [memoryNodes(2), privileged] },
      async ({ process, machine }) => {
        const [first] = machine.memoryNodes as [number];
        for (const flags of [MOVE, MOVE_ALL]) {
          for (const node of machine.memoryNodes.slice(1)) {
            const pages = await mapPages(process, machine, 1);
            await placeOn(pages, [first]);
            expect(await pages.mbind(MPOL[name], maskOf(node), flags)).toSucceed();
            expect(await countByNode(pages, machine)).toEqual(allOn(node, machine, 1));
          }
        }
      },
    );
  }
}

function declareFiles(declare: DeclareTest, kind: ObjectKind): void {
  for (const name of ['BIND', 'PREFERRED'] as const) {
    const sentence = `${kind}: a thread's ${name} puts all pages of a new file on the node named`;
    declare(sentence, FILES, async (scene) => {
      const { process, machine } = scene;
      for (const node of machine.memoryNodes) {
        await setThread(process, MPOL[name], [node]);
        const object = await createObject(scene, kind, PAGES);
        const pages = await mapObject(process, machine, object, { pageCount: PAGES });
        const wanted = allOn(node, machine);
        expect(await countByNode(await pages.touch(), machine), `node ${node}`).toEqual(wanted);
      }
    });
  }

  declare(`${kind}: a thread's INTERLEAVE spreads many files evenly`, FILES, async (scene) => {
    const { process, machine } = scene;
    const { memoryNodes: nodes } = machine;
    await setThread(process, MPOL.INTERLEAVE, [...nodes]);
    const sums = nodes.map(() => 0);
    let total = 0;
    for (let file = 1; file <= 10; file += 1) {
      const pageCount = 10 * file * nodes.length + file;
      const object = await createObject(scene, kind, pageCount);
      const pages = await mapObject(process, machine, object, { pageCount });
      const counts = await countByNode(await pages.touch(), machine);
      for (const [index, count] of counts.entries()) sums[index] = (sums[index] ?? 0) + count;
      total += pageCount;
    }
    expect(sums.reduce((sum, count) => sum + count, 0)).toBe(total);
    // The kernel takes turns for what it keeps of a file, too.
    for (const sum of sums) expect(Math.abs(sum - total / nodes.length)).toBeLessThan(total / 60);
  });
}

export function countedPagesContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'counted pages', tags: ['node-numbers'] }, ['sharing'], (declare) => {
    declareAnonymous(declare);
    declareMisplaced(declare);
    for (const kind of ['tmpfs', 'ramfs'] as const) declareFiles(declare, kind);
  });
}
