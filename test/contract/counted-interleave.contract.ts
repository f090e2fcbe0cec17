/**
 * Interleaving of what has no address: pages that write(2) makes in the page cache go round by a
 * counter of the thread. The file systems of other objects have policies of their own, ramfs has
 * none.
 *
 * Source: mm/mempolicy.c, interleave_nodes() and weighted_interleave_nodes();
 * set_mempolicy(2) and get_mempolicy(2) tell of the counter.
 */

import { expect } from 'vitest';
import { MPOL, MPOL_F } from '../../lib/core/uapi.ts';
import type { MachineObject } from '../../lib/machine/objects.ts';
import { expendable, kernelWith, memoryNodes } from '../support/needs.ts';
import { createObject, familyFor, mapObject, settingsOf } from './objects.ts';
import { getMempolicy, maskOf, maxnodeOf, where } from './pages.ts';
import type { DeclareTest, OpenSubject, Scene } from './scene.ts';

const WRITTEN = 8;
/** The index of a file of 64 pages is one allocation, made with the last page. */
const FILE_PAGES = 64;
const COUNTED = { traits: ['objects'], needs: [memoryNodes(2)] } as const;

/** A file whose own bookkeeping needs no more memory: its allocations would be counted as well. */
async function preparedFile(scene: Scene): Promise<MachineObject> {
  const object = await createObject(scene, 'ramfs', FILE_PAGES);
  expect(
    await scene.process.objects.write(object, { firstPage: FILE_PAGES - 1, pageCount: 1 }),
  ).toSucceed();
  return object;
}

/** Under a policy that is no interleaving, so that looking is not counted. */
async function whereInFile({ process, machine }: Scene, object: MachineObject): Promise<number[]> {
  await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
  const pages = await mapObject(process, machine, object, { pageCount: WRITTEN });
  return where(await pages.touch('read'));
}

async function nextNode({ process, machine }: Scene): Promise<number> {
  const request = { flags: MPOL_F.NODE, maxnode: maxnodeOf(machine) };
  const result = await getMempolicy(process, request);
  if (!result.ok) throw new Error(`get_mempolicy failed: errno ${result.errno}`);
  return result.value.mode;
}

function repeated(turn: readonly number[]): number[] {
  return Array.from({ length: WRITTEN }, (_, index) => turn[index % turn.length] as number);
}

function declareRounds(declare: DeclareTest): void {
  declare('a new policy starts again at its lowest node', COUNTED, async (scene) => {
    const { process, machine } = scene;
    const nodemask = maskOf(...machine.memoryNodes);
    const lowest = machine.memoryNodes[0];
    const object = await preparedFile(scene);
    expect(await process.numa.setMempolicy({ mode: MPOL.INTERLEAVE, nodemask })).toSucceed();
    expect(await nextNode(scene)).toBe(lowest);
    expect(await process.objects.write(object, { firstPage: 0, pageCount: 1 })).toSucceed();
    expect(await nextNode(scene)).toBe(machine.memoryNodes[1]);
    expect(await process.numa.setMempolicy({ mode: MPOL.INTERLEAVE, nodemask })).toSucceed();
    expect(await nextNode(scene)).toBe(lowest);
    expect(await process.objects.write(object, { firstPage: 1, pageCount: 1 })).toSucceed();
    const residence = await whereInFile(scene, object);
    expect(residence.slice(0, 2)).toEqual([lowest, lowest]);
  });

  declare('pages of one write go round in ascending order of nodes', COUNTED, async (scene) => {
    const { process, machine } = scene;
    const { memoryNodes: all } = machine;
    for (const nodes of [all, all.slice(-2)]) {
      const object = await preparedFile(scene);
      const policy = { mode: MPOL.INTERLEAVE, nodemask: maskOf(...nodes) };
      expect(await process.numa.setMempolicy(policy)).toSucceed();
      expect(await process.objects.write(object, { firstPage: 0, pageCount: WRITTEN })).toSucceed();
      expect(await whereInFile(scene, object)).toEqual(repeated(nodes));
    }
  });

  declare('the order is that of the calls, not of the offsets', COUNTED, async (scene) => {
    const { process, machine } = scene;
    const { memoryNodes: nodes } = machine;
    const object = await preparedFile(scene);
    const policy = { mode: MPOL.INTERLEAVE, nodemask: maskOf(...nodes) };
    expect(await process.numa.setMempolicy(policy)).toSucceed();
    const told: number[] = [];
    for (let page = WRITTEN - 1; page >= 0; page -= 1) {
      told.unshift(await nextNode(scene));
      expect(await process.objects.write(object, { firstPage: page, pageCount: 1 })).toSucceed();
    }
    expect(told).toEqual(repeated(nodes).reverse());
    expect(await whereInFile(scene, object)).toEqual(told);
  });
}

function declareWeights(declare: DeclareTest): void {
  declare(
    'with weights a node is kept while its weight lasts',
    {
      traits: ['objects', 'settings'],
      needs: [expendable, kernelWith('hasWeightedInterleave'), memoryNodes(3)],
    },
    async (scene) => {
      const { process, machine, world } = scene;
      const [first, second, third] = machine.memoryNodes as [number, number, number];
      await settingsOf(world).withInterleaveWeights(async (write) => {
        for (const [node, weight] of [
          [first, '3'],
          [second, '2'],
          [third, '1'],
        ] as const) {
          expect(await write(node, weight)).toSucceed();
        }
        const object = await preparedFile(scene);
        const nodemask = maskOf(first, second, third);
        const mode = MPOL.WEIGHTED_INTERLEAVE;
        expect(await process.numa.setMempolicy({ mode, nodemask })).toSucceed();
        const told: number[] = [];
        for (let page = 0; page < WRITTEN; page += 1) {
          told.push(await nextNode(scene));
          expect(
            await process.objects.write(object, { firstPage: page, pageCount: 1 }),
          ).toSucceed();
        }
        expect(told).toEqual(repeated([first, first, first, second, second, third]));
        expect(await whereInFile(scene, object)).toEqual(told);
      });
    },
  );
}

export function countedInterleaveContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'counted interleaving', tags: ['nodes'] }, ['objects'], (declare) => {
    declareRounds(declare);
    declareWeights(declare);
  });
}
