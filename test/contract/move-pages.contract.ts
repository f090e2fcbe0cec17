/**
 * Moving pages one by one: how entries form runs, and what a run that fails leaves behind.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move() and move_pages_and_store_status(). The man
 * page promises a status for each page; the kernel writes none for a run that failed.
 */

import { describe, expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, nodesFromZero } from '../support/needs.ts';
import { fillNode, PAGES_BEYOND_FULL, smallestNode } from './full-node.ts';
import { FREE_ADDRESS, mapPages, move, type Pages, placeOn, UNWRITTEN, where } from './pages.ts';
import { type DeclareTest, type OpenSubject, type Scene, testsOf } from './scene.ts';

const U = UNWRITTEN;
/** More than a node that counts as full still has to give. */

/** Pages that were written on the lowest node, apart from all other mappings. */
async function pagesOnFirst({ process, machine, node }: Scene, count: number): Promise<Pages> {
  const pages = await mapPages(process, machine, count);
  await placeOn(pages, new Array<number>(count).fill(node));
  return pages;
}

/** A call over pages on node 0, and all that can be seen of it. */
interface RunCase {
  readonly name: string;
  readonly targets: readonly number[];
  readonly pinned?: number;
  readonly hole?: number;
  readonly value: number;
  readonly status: readonly number[];
  readonly after: readonly number[];
}

const { EFAULT, EBUSY } = ERRNO;

const RUN_CASES: readonly RunCase[] = [
  {
    name: 'pages for one node move in one run',
    targets: [1, 1, 1],
    value: 0,
    status: [1, 1, 1],
    after: [1, 1, 1],
  },
  {
    name: 'a page that is there already counts as moved',
    targets: [1, 0, 1],
    value: 0,
    status: [1, 0, 1],
    after: [1, 0, 1],
  },
  {
    name: 'a pinned page leaves its whole run without status, though the others move',
    targets: [1, 1, 1, 1, 1],
    pinned: 2,
    value: 1,
    status: [U, U, U, U, U],
    after: [1, 1, 0, 1, 1],
  },
  {
    name: 'a run that fails ends the call, and later pages count as not moved',
    targets: [2, 3, 2, 3, 2],
    pinned: 2,
    value: 3,
    status: [2, 3, U, U, U],
    after: [2, 3, 0, 0, 0],
  },
  {
    name: 'a page with an error of its own ends the run before it',
    targets: [1, 1, 1, 1, 1],
    pinned: 2,
    hole: 3,
    value: 2,
    status: [U, U, U, -EFAULT, U],
    after: [1, 1, 0, -EFAULT, 0],
  },
  {
    name: 'a hole does not stop the pages behind it',
    targets: [1, 1, 1, 1, 1, 1],
    hole: 2,
    value: 0,
    status: [1, 1, -EFAULT, 1, 1, 1],
    after: [1, 1, -EFAULT, 1, 1, 1],
  },
];

function declareRuns(declare: DeclareTest): void {
  for (const { name, targets, pinned, hole, value, status, after } of RUN_CASES) {
    const traits = [
      ...(pinned === undefined ? [] : (['references'] as const)),
      ...(hole === undefined ? [] : (['addresses'] as const)),
    ];
    declare(name, { needs: [nodesFromZero(4)], traits }, async (scene) => {
      const pages = await pagesOnFirst(scene, targets.length);
      if (pinned !== undefined) {
        expect(
          await scene.process.references.splice({ address: pages.at(pinned), pageCount: 1 }),
        ).toSucceed();
      }
      if (hole !== undefined) await pages.part(hole, hole + 1).unmap();
      const answer = await move(scene.process, pages, targets);
      expect(answer.result).toSucceed(value);
      expect(answer.status).toEqual(status);
      expect(await where(pages)).toResideOn(after);
    });
  }

  declare(
    'a page named again in one run is busy, in a later run it moves on',
    {
      needs: [nodesFromZero(4)],
    },
    async (scene) => {
      const { process } = scene;
      const page = await pagesOnFirst(scene, 1);
      const again = BigUint64Array.of(page.address, page.address, page.address);
      const sameNode = await move(process, again, 1);
      expect(sameNode.result).toSucceed(0);
      expect(sameNode.status).toEqual([1, -EBUSY, 1]);
      const twoNodes = await move(process, again.slice(0, 2), [2, 3]);
      expect(twoNodes.result).toSucceed(0);
      expect(twoNodes.status).toEqual([2, 3]);
      expect(await where(page)).toResideOn([3]);
    },
  );

  declare(
    'a released page moves',
    { needs: [memoryNodes(2)], traits: ['references'] },
    async (scene) => {
      const { process, machine } = scene;
      const target = machine.memoryNodes[1] as number;
      const pages = await pagesOnFirst(scene, 1);
      const pin = await process.references.splice({ address: pages.address, pageCount: 1 });
      expect((await move(process, pages, target)).result).toSucceed(1);
      if (pin.ok) expect(await process.references.close(pin.value)).toSucceed();
      expect((await move(process, pages, target)).result).toSucceed(0);
      expect(await where(pages)).toResideOn([target]);
    },
  );
}

function declareTargets(declare: DeclareTest): void {
  declare('a target that is no node with memory stops the call there', {}, async (scene) => {
    const { process, machine } = scene;
    const last = machine.memoryNodes.at(-1) as number;
    for (const bad of [-1, machine.nodesMax, machine.nodesMax - 1, 2 ** 31 - 1]) {
      const pages = await pagesOnFirst(scene, 3);
      const { result, status } = await move(process, pages, [last, bad, last]);
      expect(result, `target ${bad}`).toFailWith('move_pages', 'ENODEV');
      expect(status).toEqual([last, U, U]);
      expect(await where(pages)).toResideOn([last, scene.node, scene.node]);
    }
  });

  declare('moving to the node where it is, is a success', {}, async (scene) => {
    const { process, node } = scene;
    const pages = await pagesOnFirst(scene, 3);
    for (const flags of [0, MPOL_MF.MOVE]) {
      const { result, status } = await move(process, pages, node, flags);
      expect(result).toSucceed(0);
      expect(status).toEqual([node, node, node]);
    }
  });

  declare(
    'pages keep their contents on every node',
    {
      traits: ['contents'],
    },
    async ({ process, machine }) => {
      const pages = await mapPages(process, machine, 2);
      expect(await process.memory.store(pages.at(0), 7n)).toSucceed();
      expect(await process.memory.store(pages.at(1), 8n)).toSucceed();
      for (const node of machine.memoryNodes.toReversed()) {
        expect((await move(process, pages, node)).result).toSucceed(0);
        expect(await where(pages)).toResideOn([node, node]);
      }
      expect(await process.memory.load(pages.at(0))).toSucceed(7n);
      expect(await process.memory.load(pages.at(1))).toSucceed(8n);
    },
  );

  declare(
    "another process's pages move for a caller that may look into it",
    {
      traits: ['sharing', 'setuid'],
    },
    async (scene) => {
      const { process, machine, node, world } = scene;
      const target = machine.memoryNodes.at(-1) as number;
      const pages = await pagesOnFirst(scene, 2);
      const caller = await world.spawn();
      const request = {
        pid: process.pid,
        pages: { address: pages.address, pageCount: 2 },
        nodes: target,
        flags: MPOL_MF.MOVE,
      };
      const status = new Int32Array(2).fill(U);
      expect(await caller.numa.movePages({ ...request, status })).toSucceed(0);
      expect([...status]).toEqual([target, target]);
      expect(await where(pages)).toResideOn([target, target]);
      await caller.setuid(65534);
      const refused = await caller.numa.movePages({ ...request, nodes: node, status });
      expect(refused).toFailWith('move_pages', 'EPERM');
      await caller.exit();
    },
  );

  declare(
    'a full node ends the call with ENOMEM and leaves no status',
    {
      needs: [expendable, memoryNodes(3)],
      traits: ['sharing'],
    },
    async (scene) => {
      const { process, machine, world } = scene;
      const full = smallestNode(machine);
      const pages = await pagesOnFirst(scene, PAGES_BEYOND_FULL);
      const filler = await world.spawn();
      await fillNode(filler, machine, full);
      const { result, status } = await move(process, pages, full);
      await filler.exit();
      expect(result).toFailWith('move_pages', 'ENOMEM');
      expect(new Set(status)).toEqual(new Set([U]));
    },
  );
}

function declareArrays(declare: DeclareTest): void {
  const traits = ['pointers', 'contents', 'addresses'] as const;

  declare(
    'without a place for the status the page moves, and the call faults',
    {
      traits,
    },
    async (scene) => {
      const { process, machine } = scene;
      const target = machine.memoryNodes.at(-1) as number;
      const pages = await pagesOnFirst(scene, 1);
      const result = await process.numa.movePages({
        count: 1,
        pages: BigUint64Array.of(pages.address),
        nodes: target,
        status: 0n,
      });
      expect(result).toFailWith('move_pages', 'EFAULT');
      expect(await where(pages)).toResideOn([target]);
    },
  );

  declare(
    'an address array that ends early faults after moving what it named',
    {
      traits,
    },
    async (scene) => {
      const { process, machine, node } = scene;
      const target = machine.memoryNodes.at(-1) as number;
      const pages = await pagesOnFirst(scene, 5);
      const array = await mapPages(process, machine, 1, { address: FREE_ADDRESS });
      const first = array.at(1) - 32n;
      for (const index of [0, 1, 2, 3]) {
        expect(await process.memory.store(first + BigInt(index * 8), pages.at(index))).toSucceed();
      }
      const status = new Int32Array(8).fill(U);
      const result = await process.numa.movePages({
        count: 8,
        pages: first,
        nodes: target,
        status,
      });
      expect(result).toFailWith('move_pages', 'EFAULT');
      expect([...status]).toEqual([target, target, target, target, U, U, U, U]);
      expect(await where(pages)).toResideOn([target, target, target, target, node]);
    },
  );
}

export function movePagesContract(subject: OpenSubject): void {
  describe('moving pages', { tags: ['node-numbers'] }, () => {
    const declare = testsOf(subject);
    declareRuns(declare);
    declareTargets(declare);
    declareArrays(declare);
  });
}
