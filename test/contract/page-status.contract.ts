/**
 * The status of each kind of page, when asked and when moved.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_stat_array() and add_page_for_migration().
 */

import { describe, expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import { memoryNodes, privileged } from '../support/needs.ts';
import { FREE_ADDRESS, mapPages, move, Pages, placeOn, UNWRITTEN, where } from './pages.ts';
import { type Conditions, type DeclareTest, type OpenSubject, testsOf } from './scene.ts';

const { EACCES, EFAULT, ENOENT } = ERRNO;
/** In the kernel's half of the address space. */
const KERNEL_ADDRESS = 0xffff_8000_0000_0000n;

function declareAbsent(declare: DeclareTest): void {
  declare('an address without a mapping faults', {}, async ({ process, machine, node }) => {
    for (const address of [0n, KERNEL_ADDRESS]) {
      const page = new Pages(process, address, 1, machine.pageSizeBytes);
      expect(await where(page)).toResideOn([-EFAULT]);
      const { result, status } = await move(process, page, node);
      expect(result).toSucceed(0);
      expect(status).toEqual([-EFAULT]);
    }
  });

  declare(
    'an untouched page has no node, asked or moved',
    {},
    async ({ process, machine, node, facts }) => {
      const pages = await mapPages(process, machine, 2);
      const nowhere = -facts.untouchedAnonymousErrno;
      expect(await where(pages)).toResideOn([nowhere, nowhere]);
      const { result, status } = await move(process, pages, node);
      expect(result).toSucceed(0);
      expect(status).toEqual([nowhere, nowhere]);
      expect(await where(pages)).toResideOn([nowhere, nowhere]);
    },
  );

  declare('the zero page faults, asked or moved', {}, async ({ process, machine, node }) => {
    const pages = await mapPages(process, machine, 2);
    await pages.touch('read');
    expect(await where(pages)).toResideOn([-EFAULT, -EFAULT]);
    const { result, status } = await move(process, pages, node);
    expect(result).toSucceed(0);
    expect(status).toEqual([-EFAULT, -EFAULT]);
  });

  declare(
    'shared memory is not present until this process touches it',
    {
      traits: ['sharing'],
    },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1, { isShared: true });
      const child = await process.fork();
      await placeOn(pages.in(child), [node]);
      expect(await where(pages.in(child))).toResideOn([node]);
      // Resident in the object, but not in this page table.
      expect(await where(pages)).toResideOn([-ENOENT]);
      expect((await move(process, pages, node)).status).toEqual([-ENOENT]);
      expect(await where(await pages.touch('read'))).toResideOn([node]);
    },
  );
}

function declareChunks(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['pointers', 'contents', 'addresses'] };

  declare(
    'a question whose addresses end early is answered by sixteens',
    conditions,
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 18);
      await placeOn(pages, new Array<number>(18).fill(node));
      const array = await mapPages(process, machine, 1, { address: FREE_ADDRESS });
      const first = array.at(1) - 18n * 8n;
      for (let index = 0; index < 18; index++) {
        expect(await process.memory.store(first + BigInt(index * 8), pages.at(index))).toSucceed();
      }
      const status = new Int32Array(20).fill(UNWRITTEN);
      const question = { count: 20, pages: first, nodes: null, status };
      expect(await process.numa.movePages(question)).toFailWith('move_pages', 'EFAULT');
      // Of the second sixteen two addresses could be read, and not one status is written.
      const answered = new Array<number>(16).fill(node);
      expect([...status]).toEqual([...answered, ...new Array<number>(4).fill(UNWRITTEN)]);
    },
  );

  declare(
    'a question whose answers find no place has stored those before',
    conditions,
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 20);
      await placeOn(pages, new Array<number>(20).fill(node));
      const array = await mapPages(process, machine, 1, { address: FREE_ADDRESS });
      const place = array.at(1) - 64n;
      for (let index = 0; index < 8; index++) {
        expect(await process.memory.store(place + BigInt(index * 8), -1n)).toSucceed();
      }
      const addresses = BigUint64Array.from({ length: 20 }, (_, index) => pages.at(index));
      const question = { count: 20, pages: addresses, nodes: null, status: place };
      expect(await process.numa.movePages(question)).toFailWith('move_pages', 'EFAULT');
      const pair = BigInt(node) | (BigInt(node) << 32n);
      for (let index = 0; index < 8; index++) {
        expect(await process.memory.load(place + BigInt(index * 8))).toSucceed(pair);
      }
    },
  );
}

function declarePresent(declare: DeclareTest): void {
  declare(
    'a present page is on its node, by any address inside it',
    {},
    async ({ process, machine }) => {
      const nodes = machine.memoryNodes;
      const pages = await mapPages(process, machine, nodes.length);
      await placeOn(pages, nodes);
      expect(await where(pages)).toResideOn(nodes);
      const inside = new Pages(process, pages.address + 123n, nodes.length, pages.pageSizeBytes);
      expect(await where(inside)).toResideOn(nodes);
      const last = nodes.at(-1) as number;
      expect((await move(process, inside, last)).result).toSucceed(0);
      expect(await where(pages)).toResideOn(nodes.map(() => last));
    },
  );

  declare(
    'a long question is answered to its end',
    {},
    async ({ process, machine, node, facts }) => {
      const pages = await mapPages(process, machine, 40);
      await placeOn(pages.part(0, 20), new Array<number>(20).fill(node));
      const expected = [
        ...new Array<number>(20).fill(node),
        ...new Array<number>(20).fill(-facts.untouchedAnonymousErrno),
      ];
      expect(await where(pages)).toResideOn(expected);
    },
  );

  declare(
    'a page without access rights is seen as this kernel sees it',
    {
      traits: ['addresses'],
    },
    async ({ process, machine, node, facts }) => {
      const target = machine.memoryNodes.at(-1) as number;
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [node]);
      expect(
        await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'none'),
      ).toSucceed();
      const isVisible = facts.protNonePagesAreVisible;
      expect(await where(pages)).toResideOn([isVisible ? node : -ENOENT]);
      const { result, status } = await move(process, pages, target);
      expect(result).toSucceed(0);
      expect(status).toEqual([isVisible ? target : -ENOENT]);
      await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'write');
      expect(await where(pages)).toResideOn([isVisible ? target : node]);
    },
  );
}

function declareShared(declare: DeclareTest): void {
  declare(
    'a page shared with a child stays unless all mappings may be moved',
    {
      needs: [memoryNodes(2), privileged],
      traits: ['sharing'],
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      const child = await process.fork();
      await pages.in(child).part(1, 2).touch('write');
      const own = await move(process, pages, second);
      expect(own.result).toSucceed(0);
      expect(own.status).toEqual([-EACCES, second]);
      const all = await move(process, pages, second, MPOL_MF.MOVE_ALL);
      expect(all.result).toSucceed(0);
      expect(all.status).toEqual([second, second]);
      expect(await where(pages.in(child).part(0, 1))).toResideOn([second]);
    },
  );

  declare(
    'a shared page that is on its target already is no failure',
    {
      traits: ['sharing'],
    },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [node]);
      await process.fork();
      const { result, status } = await move(process, pages, node);
      expect(result).toSucceed(0);
      expect(status).toEqual([node]);
    },
  );

  declare(
    'a page is its own again when the child has gone',
    {
      needs: [memoryNodes(2)],
      traits: ['sharing'],
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [first]);
      const child = await process.fork();
      expect((await move(process, pages, second)).status).toEqual([-EACCES]);
      await child.exit();
      expect((await move(process, pages, second)).status).toEqual([second]);
    },
  );

  declare(
    'a locked page moves',
    { needs: [memoryNodes(2)], traits: ['mlock'] },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [first]);
      expect(await process.memory.mlock({ address: pages.address, pageCount: 1 })).toSucceed();
      expect((await move(process, pages, second)).status).toEqual([second]);
      expect(await where(pages)).toResideOn([second]);
    },
  );
}

export function pageStatusContract(subject: OpenSubject): void {
  describe('page status', () => {
    const declare = testsOf(subject);
    declareAbsent(declare);
    declareChunks(declare);
    declarePresent(declare);
    declareShared(declare);
  });
}
