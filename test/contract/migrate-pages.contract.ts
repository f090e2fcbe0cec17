/**
 * Moving a process from nodes to nodes: the order-preserving map between the two sets, and who
 * may move what.
 *
 * Source: migrate_pages(2); mm/mempolicy.c, do_migrate_pages().
 */

import { describe, expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import { memoryNodes, nodesFromZero, privileged } from '../support/needs.ts';
import { mapPages, maskOf, placeOn, rangePolicy, threadPolicy, where } from './pages.ts';
import { type DeclareTest, NOBODY, type OpenSubject, testsOf } from './scene.ts';

/** From, to, and where pages that were on nodes 0, 1, 2, 3 are afterwards. */
type Vector = readonly [from: readonly number[], to: readonly number[], after: readonly number[]];

const SAME_SIZE: readonly Vector[] = [
  [
    [0, 1, 2],
    [1, 2, 3],
    [1, 2, 3, 3],
  ],
  [
    [0, 1],
    [2, 3],
    [2, 3, 2, 3],
  ],
  [
    [0, 1],
    [1, 2],
    [1, 2, 2, 3],
  ],
  [
    [1, 2, 3],
    [0, 1, 2],
    [0, 0, 1, 2],
  ],
  [
    [0, 2],
    [1, 3],
    [1, 1, 3, 3],
  ],
  [
    [0, 3],
    [1, 2],
    [1, 1, 2, 2],
  ],
  [
    [1, 2],
    [0, 3],
    [0, 0, 3, 3],
  ],
  [
    [0, 2, 3],
    [0, 1, 2],
    [0, 1, 1, 2],
  ],
  [
    [1, 9],
    [0, 2],
    [0, 0, 2, 3],
  ],
];

const OTHER_SIZE: readonly Vector[] = [
  [
    [0, 1, 2, 3],
    [2, 3],
    [2, 3, 2, 3],
  ],
  [
    [0, 1, 3],
    [1, 2],
    [1, 1, 2, 1],
  ],
  [
    [0, 1, 9],
    [2, 3],
    [2, 3, 2, 3],
  ],
  [[0], [1, 2, 3], [1, 1, 2, 3]],
  [[0, 1], [3], [3, 3, 2, 3]],
  [[3], [0, 1], [0, 1, 2, 0]],
  [
    [0, 1, 2, 3],
    [0, 1],
    [0, 1, 0, 1],
  ],
  [[0, 1, 2, 3], [0], [0, 0, 0, 0]],
  [[0, 1, 2], [3], [3, 3, 3, 3]],
  // The nodes that are not there still take part in the map.
  [
    [0, 1, 2, 3, 8, 9, 10, 11],
    [1, 2, 3, 4],
    [1, 1, 2, 3],
  ],
];

const NOTHING_MOVES: readonly Vector[] = [
  [
    [0, 1],
    [1, 0],
    [0, 1, 2, 3],
  ],
  [[1], [0, 1, 2, 3], [0, 1, 2, 3]],
  [
    [8, 9],
    [0, 1],
    [0, 1, 2, 3],
  ],
  [[], [0], [0, 1, 2, 3]],
];

function declareMap(declare: DeclareTest): void {
  const groups = [
    ['sets of one size map in order, far end first', SAME_SIZE],
    ['sets of different sizes wrap, and skip sources among the targets', OTHER_SIZE],
    ['equal sets and absent sources move nothing', NOTHING_MOVES],
  ] as const;
  for (const [name, vectors] of groups) {
    declare(
      name,
      { needs: [nodesFromZero(4)], traits: ['sharing'] },
      async ({ process, machine, world }) => {
        const { pid } = process;
        const caller = await world.spawn();
        for (const [from, to, after] of vectors) {
          const pages = await mapPages(process, machine, 4);
          await placeOn(pages, [0, 1, 2, 3]);
          const request = { pid, from: maskOf(...from), to: maskOf(...to) };
          const label = `{${from}} to {${to}}`;
          expect(await caller.numa.migratePages(request), label).toSucceed();
          expect(await where(pages), label).toResideOn(after);
        }
        await caller.exit();
      },
    );
  }
}

function declarePages(declare: DeclareTest): void {
  const needs = [memoryNodes(2)];

  declare('policies stay as they were', { needs }, async ({ process, machine }) => {
    const [first, second] = machine.memoryNodes as [number, number];
    const policy = { mode: MPOL.BIND, nodes: [first] };
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [first, first]);
    await pages.mbind(policy.mode, maskOf(first));
    await process.numa.setMempolicy({ mode: policy.mode, nodemask: maskOf(first) });
    const request = { pid: 0, from: maskOf(first), to: maskOf(second) };
    expect(await process.numa.migratePages(request)).toSucceed();
    expect(await where(pages)).toResideOn([second, second]);
    expect(await rangePolicy(pages, machine)).toEqual(policy);
    expect(await threadPolicy(process, machine)).toEqual(policy);
  });

  declare(
    'a pinned page is left behind and counted',
    {
      needs,
      traits: ['references'],
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 3);
      await placeOn(pages, [first, first, first]);
      const request = { pid: 0, from: maskOf(first), to: maskOf(second) };
      const pin = await process.references.splice({ address: pages.at(1), pageCount: 1 });
      const whilePinned = await process.numa.migratePages(request);
      expect(await where(pages)).toResideOn([second, first, second]);
      if (pin.ok) await process.references.close(pin.value);
      const afterwards = await process.numa.migratePages(request);
      expect(await where(pages)).toResideOn([second, second, second]);
      // Pages of the program's own file may be immovable, both times alike.
      if (!whilePinned.ok || !afterwards.ok) expect.fail('both calls succeed');
      else expect(whilePinned.value - afterwards.value).toBe(1);
    },
  );

  declare('contents survive', { needs, traits: ['contents'] }, async ({ process, machine }) => {
    const [first, second] = machine.memoryNodes as [number, number];
    const pages = await mapPages(process, machine, 1);
    await placeOn(pages, [first]);
    await process.memory.store(pages.address, 99n);
    const request = { pid: 0, from: maskOf(first), to: maskOf(second) };
    expect(await process.numa.migratePages(request)).toSucceed();
    expect(await process.memory.load(pages.address)).toSucceed(99n);
  });
}

function declareRights(declare: DeclareTest): void {
  const traits = ['sharing', 'setuid'] as const;

  declare(
    'shared pages move for the privileged only',
    {
      traits,
      needs: [memoryNodes(2), privileged],
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      const privilegedChild = await process.fork();
      await process.setuid(NOBODY);
      const request = { from: maskOf(first), to: maskOf(second) };
      expect(await process.numa.migratePages({ ...request, pid: 0 })).toSucceed();
      expect(await where(pages)).toResideOn([first, first]);
      expect(await privilegedChild.numa.migratePages({ ...request, pid: 0 })).toSucceed();
      expect(await where(pages)).toResideOn([second, second]);
    },
  );

  declare(
    'anyone may move private pages of their own',
    {
      traits,
      needs: [memoryNodes(2)],
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      await process.setuid(NOBODY);
      const request = { pid: 0, from: maskOf(first), to: maskOf(second) };
      expect(await process.numa.migratePages(request)).toSucceed();
      expect(await where(pages)).toResideOn([second, second]);
    },
  );

  declare('a process moves to where it is already', {}, async ({ process, node }) => {
    const request = { pid: 0, from: maskOf(node), to: maskOf(node) };
    expect(await process.numa.migratePages(request)).toSucceed(0);
  });
}

export function migratePagesContract(subject: OpenSubject): void {
  describe('migrating processes', { tags: ['nodes'] }, () => {
    const declare = testsOf(subject);
    declareMap(declare);
    declarePages(declare);
    declareRights(declare);
  });
}
