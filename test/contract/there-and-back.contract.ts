/**
 * Pages on journeys: round the nodes, there and back, by several processes, with everything that
 * they hold. And who may send them.
 *
 * Source: move_pages(2), migrate_pages(2), mbind(2); ptrace(2), "Ptrace access mode checking".
 */

import { describe, expect } from 'vitest';
import { MADV, MPOL, MPOL_MF, PID_MAX } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import { settingsOf } from './objects.ts';
import { mapPages, maskOf, move, type Pages, placeOn, rangePolicy, where } from './pages.ts';
import { type Conditions, type DeclareTest, NOBODY, type OpenSubject, testsOf } from './scene.ts';

const { STRICT, MOVE } = MPOL_MF;
const TWO_NODES: Conditions = { needs: [memoryNodes(2)], traits: ['contents'] };

/** Writes its own number into each page but those left out. */
async function fill(pages: Pages, leftOut: readonly number[] = []): Promise<void> {
  for (let index = 0; index < pages.count; index += 1) {
    if (leftOut.includes(index)) continue;
    expect(await pages.process.memory.store(pages.at(index), BigInt(index) + 1n)).toSucceed();
  }
}

async function expectFilled(pages: Pages, leftOut: readonly number[] = []): Promise<void> {
  for (let index = 0; index < pages.count; index += 1) {
    if (leftOut.includes(index)) continue;
    expect(await pages.process.memory.load(pages.at(index))).toSucceed(BigInt(index) + 1n);
  }
}

function declareMoves(declare: DeclareTest): void {
  declare(
    'pages go round the nodes by move_pages, around one that was never touched',
    TWO_NODES,
    async ({ process, machine, facts }) => {
      const { memoryNodes: nodes } = machine;
      const pages = await mapPages(process, machine, 32);
      await fill(pages, [2]);
      const wanted = Array.from(
        { length: 32 },
        (_, index) => nodes[index % nodes.length] as number,
      );
      const { result, status } = await move(process, pages, wanted);
      const told = wanted.map((node, index) =>
        index === 2 ? -facts.untouchedAnonymousErrno : node,
      );
      expect(result).toSucceed(0);
      expect(status).toEqual(told);
      expect(await where(pages)).toResideOn(told);
      await expectFilled(pages, [2]);
    },
  );

  declare(
    'mbind with MOVE and STRICT leaves pages in place, then takes them to another node',
    TWO_NODES,
    async ({ process, machine, facts }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 32);
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(first) });
      await fill(pages, [2]);
      for (const node of [first, second]) {
        expect(await pages.mbind(MPOL.BIND, maskOf(node), MOVE | STRICT)).toSucceed();
        const wanted = Array.from({ length: 32 }, () => node);
        wanted[2] = -facts.untouchedAnonymousErrno;
        expect(await where(pages)).toResideOn(wanted);
        await expectFilled(pages, [2]);
      }
    },
  );

  declare(
    'children that touch stripes of shared memory interleave it as one would',
    { needs: [memoryNodes(2)], traits: ['sharing'] },
    async ({ process, machine }) => {
      const { memoryNodes: nodes } = machine;
      const stripe = 100;
      const children = 10;
      const pages = await mapPages(process, machine, children * stripe, { isShared: true });
      expect(await pages.mbind(MPOL.INTERLEAVE, maskOf(...nodes))).toSucceed();
      for (let child = 0; child < children; child += 1) {
        const toucher = await process.fork();
        await pages
          .in(toucher)
          .part(child * stripe, (child + 1) * stripe)
          .touch();
        await toucher.exit();
      }
      const residence = await where(await pages.touch('read'));
      const first = nodes.indexOf(residence[0] as number);
      const wanted = residence.map((_, index) => nodes[(first + index) % nodes.length] as number);
      expect(residence).toResideOn(wanted);
    },
  );
}

function declareProcesses(declare: DeclareTest): void {
  declare('no process has the number -1, or one too large', {}, async ({ process, node }) => {
    for (const pid of [-1, PID_MAX + 1]) {
      const request = { pid, from: maskOf(node), to: maskOf(node) };
      expect(await process.numa.migratePages(request)).toFailWith('migrate_pages', 'ESRCH');
      const pages = { address: 0n, pageCount: 1 };
      const query = { pid, pages, nodes: null, flags: MOVE, status: new Int32Array(1) };
      expect(await process.numa.movePages(query)).toFailWith('move_pages', 'ESRCH');
    }
  });

  declare(
    'an equal moves the private pages of a process that lets itself be looked into',
    { needs: [memoryNodes(2)], traits: ['sharing', 'setuid'] },
    async ({ process, machine, world }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 3);
      const shared = await mapPages(process, machine, 1, { isShared: true });
      await placeOn(pages, [first, first, first]);
      await placeOn(shared, [first]);
      // Copies of its own come here, too, whatever CPU it runs on.
      const home = { mode: MPOL.PREFERRED, nodemask: maskOf(first) };
      expect(await process.numa.setMempolicy(home)).toSucceed();
      const partner = await process.fork();
      await shared.in(partner).touch();
      await pages.touch();
      await pages.in(partner).touch();
      await process.setuid(NOBODY);
      const equal = await world.spawn();
      await equal.setuid(NOBODY);
      const request = { pid: process.pid, from: maskOf(first), to: maskOf(second) };
      expect(await equal.numa.migratePages(request)).toFailWith('migrate_pages', 'EPERM');
      expect(await process.setDumpable()).toSucceed();
      expect(await equal.numa.migratePages(request)).toSucceed();
      expect(await where(shared)).toResideOn([first]);
      const [, ...others] = await where(pages);
      expect(others).toEqual([second, second]);
      await equal.exit();
    },
  );
}

function declareMerged(declare: DeclareTest): void {
  for (const who of ['a privileged', 'an ordinary'] as const) {
    const conditions: Conditions = {
      needs: [expendable, memoryNodes(2), privileged],
      traits: ['settings', 'areas', 'contents', 'setuid'],
    };
    const sentence = `merged pages survive many journeys of their process, sent by ${who} user`;
    declare(sentence, conditions, (scene) =>
      settingsOf(scene.world).withMerging(async (merged) => {
        const { process, machine, skip } = scene;
        const nodes = machine.memoryNodes.slice(0, 2) as [number, number];
        const pages = await mapPages(process, machine, 20);
        expect(await pages.mbind(MPOL.BIND, maskOf(nodes[0]))).toSucceed();
        for (let index = 0; index < pages.count; index += 1) {
          expect(await process.memory.store(pages.at(index), 0x6a6fn)).toSucceed();
        }
        await process.areas.madvise(pages.span, MADV.MERGEABLE);
        if (!(await merged(process.pid, pages.count))) skip('needs pages merged in time');
        if (who === 'an ordinary') await process.setuid(NOBODY);
        const send = async (from: number, to: number): Promise<number[]> => {
          const request = { pid: 0, from: maskOf(from), to: maskOf(to) };
          expect(await process.numa.migratePages(request)).toSucceed();
          return [...new Set(await where(pages))];
        };
        const [first, second] = nodes;
        let residence: number[] = [];
        for (let journey = 0; journey < 20; journey += 1) {
          for (const [from, to] of [nodes, [second, first] as const]) {
            residence = await send(from, to);
            expect(residence).toHaveLength(1);
            expect(nodes).toContain(residence[0]);
          }
        }
        // The kernel's thread that merges holds the page now and then, and then it stays behind.
        for (let again = 0; again < 20 && residence[0] !== first; again += 1) {
          residence = await send(second, first);
        }
        expect(residence).toEqual([first]);
        for (let index = 0; index < pages.count; index += 1) {
          expect(await process.memory.load(pages.at(index))).toSucceed(0x6a6fn);
        }
        expect((await rangePolicy(pages, machine)).nodes).toEqual([first]);
      }),
    );
  }
}

export function thereAndBackContract(subject: OpenSubject): void {
  describe('there and back', () => {
    const declare = testsOf(subject);
    declareMoves(declare);
    declareProcesses(declare);
    declareMerged(declare);
  });
}
