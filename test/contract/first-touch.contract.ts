/**
 * On which node a page appears when it is touched for the first time.
 *
 * Source: mm/mempolicy.c, alloc_pages_mpol() and policy_nodemask(); set_mempolicy(2).
 */

import { describe, expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes } from '../support/needs.ts';
import { fillNode, smallestNode } from './full-node.ts';
import { mapPages, maskOf, placeOn, where } from './pages.ts';
import { type DeclareTest, type OpenSubject, testsOf } from './scene.ts';
import type { WorldMachine } from './world.ts';

/** A CPU of each node that has both CPUs and memory. */
export function cpuNodes({
  topology,
  memoryNodes: nodes,
}: WorldMachine): { node: number; cpu: number }[] {
  return topology.nodes.flatMap(({ id, cpus }) =>
    cpus[0] !== undefined && nodes.includes(id) ? [{ node: id, cpu: cpus[0] }] : [],
  );
}

function distance({ topology }: WorldMachine, from: number, to: number): number {
  const index = (id: number): number => topology.nodes.findIndex((node) => node.id === id);
  return topology.distances[index(from)]?.[index(to)] ?? 0;
}

/** The nodes by distance from one, itself first; `null` where two are equally far. */
export function byDistance(
  machine: WorldMachine,
  from: number,
  among: readonly number[],
): number[] | null {
  const sorted = [...among].sort((a, b) => distance(machine, from, a) - distance(machine, from, b));
  const distances = new Set(sorted.map((node) => distance(machine, from, node)));
  return distances.size === sorted.length ? sorted : null;
}

function declareLocal(declare: DeclareTest): void {
  declare(
    "without a policy a page is on the touching CPU's node",
    {},
    async ({ process, machine }) => {
      for (const { node, cpu } of cpuNodes(machine)) {
        expect(await process.runOnCpu(cpu)).toSucceed();
        const pages = await mapPages(process, machine, 2);
        expect(await where(await pages.touch())).toResideOn([node, node]);
      }
    },
  );

  declare("LOCAL follows the CPU, not the thread's policy", {}, async ({ process, machine }) => {
    const last = machine.memoryNodes.at(-1) as number;
    await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(last) });
    for (const { node, cpu } of cpuNodes(machine)) {
      await process.runOnCpu(cpu);
      const pages = await mapPages(process, machine, 1);
      expect(await pages.mbind(MPOL.LOCAL, null)).toSucceed();
      expect(await where(await pages.touch())).toResideOn([node]);
    }
  });
}

function declareNodes(declare: DeclareTest): void {
  declare(
    'BIND, PREFERRED and PREFERRED_MANY put pages on the node they name',
    {},
    async ({ process, machine }) => {
      for (const mode of [MPOL.BIND, MPOL.PREFERRED, MPOL.PREFERRED_MANY]) {
        for (const node of machine.memoryNodes) {
          const byRange = await mapPages(process, machine, 2);
          expect(await byRange.mbind(mode, maskOf(node))).toSucceed();
          expect(await where(await byRange.touch())).toResideOn([node, node]);
          expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(node) })).toSucceed();
          const byThread = await mapPages(process, machine, 2);
          expect(await where(await byThread.touch())).toResideOn([node, node]);
          await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
        }
      }
    },
  );

  declare(
    "a range's policy goes before the thread's",
    { needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 3);
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(first) });
      await pages.part(1, 2).mbind(MPOL.BIND, maskOf(second));
      expect(await where(await pages.touch())).toResideOn([first, second, first]);
    },
  );

  for (const name of ['BIND', 'PREFERRED_MANY'] as const) {
    declare(
      `${name} takes the nearest of its nodes`,
      { needs: [memoryNodes(3)] },
      async (scene) => {
        const { process, machine } = scene;
        for (const { node, cpu } of cpuNodes(machine)) {
          const order = byDistance(machine, node, machine.memoryNodes);
          if (order === null) continue;
          await process.runOnCpu(cpu);
          for (let start = 0; start < order.length - 1; start += 1) {
            const pages = await mapPages(process, machine, 2);
            await pages.mbind(MPOL[name], maskOf(...order.slice(start)));
            const nearest = order[start] as number;
            expect(await where(await pages.touch())).toResideOn([nearest, nearest]);
          }
        }
      },
    );
  }
}

function declareReads(declare: DeclareTest): void {
  declare(
    'a page that was only read is the zero page, and has no node',
    {},
    async ({ process, machine }) => {
      const pages = await mapPages(process, machine, 2);
      await pages.touch('read');
      expect(await where(pages)).toResideOn([-ERRNO.EFAULT, -ERRNO.EFAULT]);
    },
  );

  declare('the first write after a read places the page', {}, async ({ process, machine }) => {
    for (const node of machine.memoryNodes) {
      const pages = await mapPages(process, machine, 2);
      await pages.touch('read');
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
      expect(await where(await pages.touch('write'))).toResideOn([node, node]);
    }
  });

  declare('an untouched page is nowhere', {}, async ({ process, machine, facts, node }) => {
    const pages = await mapPages(process, machine, 3);
    await pages.part(1, 2).touch();
    const [, middle] = await where(pages);
    const nowhere = -facts.untouchedAnonymousErrno;
    expect(await where(pages)).toResideOn([nowhere, middle ?? node, nowhere]);
  });

  declare(
    'a shared page that was only read has a node',
    { traits: ['sharing'] },
    async ({ process, machine }) => {
      const node = machine.memoryNodes.at(-1) as number;
      const pages = await mapPages(process, machine, 2, { isShared: true });
      await pages.mbind(MPOL.BIND, maskOf(node));
      expect(await where(pages)).toResideOn([-ERRNO.ENOENT, -ERRNO.ENOENT]);
      expect(await where(await pages.touch('read'))).toResideOn([node, node]);
    },
  );
}

function declareForks(declare: DeclareTest): void {
  declare(
    "a child's first write copies the page under the child's policy",
    {
      traits: ['sharing', 'contents'],
      needs: [memoryNodes(2)],
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      expect(await process.memory.store(pages.address, 42n)).toSucceed();
      const child = await process.fork();
      const copy = pages.in(child);
      await child.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(second) });
      await copy.part(0, 1).touch('write');
      expect(await where(copy)).toResideOn([second, first]);
      expect(await where(pages)).toResideOn([first, first]);
      expect(await child.memory.load(pages.address)).toSucceed(42n);
    },
  );
}

function declareOverflow(declare: DeclareTest): void {
  const needs = [expendable, memoryNodes(3)];

  declare(
    'PREFERRED overflows to the neighbour of the preferred node',
    { needs, traits: ['sharing'] },
    async (scene) => {
      const { process, machine, skip } = scene;
      const smallest = smallestNode(machine);
      const order = byDistance(machine, smallest, machine.memoryNodes);
      if (order === null) return skip('needs nodes at different distances');
      const farthest = cpuNodes(machine).find(({ node }) => node !== order[1]);
      await process.runOnCpu((farthest ?? cpuNodes(machine)[0])?.cpu ?? 0);
      expect(await fillNode(process, machine, smallest)).toBe(order[1]);
    },
  );
}

export function firstTouchContract(subject: OpenSubject): void {
  describe('first touch', { tags: ['nodes', 'cpus'] }, () => {
    const declare = testsOf(subject);
    declareLocal(declare);
    declareNodes(declare);
    declareReads(declare);
    declareForks(declare);
    declareOverflow(declare);
  });
}
