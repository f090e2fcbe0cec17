/**
 * Processes that are no ordinary target or caller: threads of the kernel, processes that have
 * ended, the root of a user namespace; and one that writes while its pages move.
 *
 * Source: move_pages(2) and migrate_pages(2), which name EINVAL for none of them; mm/migrate.c,
 * find_mm_struct(); mm/mempolicy.c, kernel_migrate_pages(); user_namespaces(7).
 */

import { expect } from 'vitest';
import { errnoName } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { memoryNodes, privileged } from '../support/needs.ts';
import { familyFor } from './objects.ts';
import { mapPages, maskOf, move, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { MOVE, MOVE_ALL } = MPOL_MF;
const COUNTING_MS = 1500;
const MOVES = 200;

function declareTargets(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [privileged], traits: ['states'] };
  const targets = [
    [
      'a thread of the kernel',
      async ({ world, skip }: Scene): Promise<number> =>
        world.kernelThread ?? skip('needs to see a thread of the kernel'),
    ],
    [
      'a process that has ended',
      async ({ process, skip }: Scene): Promise<number> => {
        const result = await process.forkEnded();
        return result.ok ? result.value : skip(`needs a child: ${errnoName(result.errno)}`);
      },
    ],
  ] as const;
  for (const [name, find] of targets) {
    declare(`${name} has no pages to ask for or to move`, conditions, async (scene) => {
      const { process, machine, node } = scene;
      const pid = await find(scene);
      const { address } = await mapPages(process, machine, 1);
      for (const nodes of [null, node]) {
        const pages = { address, pageCount: 1 };
        const status = new Int32Array(1);
        const result = await process.numa.movePages({ pid, pages, nodes, flags: MOVE, status });
        expect(result).toFailWith('move_pages', 'EINVAL');
      }
      const request = { pid, from: maskOf(node), to: maskOf(node) };
      expect(await process.numa.migratePages(request)).toFailWith('migrate_pages', 'EINVAL');
    });
  }
}

function declareNamespaces(declare: DeclareTest): void {
  declare(
    'the root of a user namespace may not move what others share',
    { needs: [privileged], traits: ['states'] },
    async ({ process, machine, node, skip }) => {
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [node]);
      expect((await move(process, pages, node, MOVE_ALL)).result).toSucceed(0);
      const result = await process.unshareUser();
      if (!result.ok) skip(`needs user namespaces: ${errnoName(result.errno)}`);
      const all = await move(process, pages, node, MOVE_ALL);
      expect(all.result).toFailWith('move_pages', 'EPERM');
      const bound = await pages.mbind(MPOL.BIND, maskOf(node), MOVE_ALL);
      expect(bound).toFailWith('mbind', 'EPERM');
      expect((await move(process, pages, node, MOVE)).result).toSucceed(0);
      expect(await pages.mbind(MPOL.BIND, maskOf(node), MOVE)).toSucceed();
    },
  );
}

function declareDropped(declare: DeclareTest): void {
  declare(
    'who gave up CAP_SYS_NICE may move his own pages, and not what others share',
    { needs: [privileged], traits: ['states'] },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [node]);
      expect(await process.dropCapability('CAP_SYS_NICE')).toSucceed();
      const all = await move(process, pages, node, MOVE_ALL);
      expect(all.result).toFailWith('move_pages', 'EPERM');
      const bound = await pages.mbind(MPOL.BIND, maskOf(node), MOVE_ALL);
      expect(bound).toFailWith('mbind', 'EPERM');
      expect((await move(process, pages, node, MOVE)).result).toSucceed(0);
    },
  );

  declare(
    'who gave up one privilege keeps the others',
    { needs: [privileged], traits: ['states', 'sharing', 'setuid'] },
    async ({ process, node }) => {
      const child = await process.fork();
      expect(await process.dropCapability('CAP_SYS_NICE')).toSucceed();
      const request = { pid: child.pid, from: maskOf(node), to: maskOf(node) };
      // The child has a privilege that its parent has not, but who may trace may look into it.
      expect(await process.numa.migratePages(request)).toSucceed();
      expect(await process.dropCapability('CAP_SYS_PTRACE')).toSucceed();
      expect(await process.numa.migratePages(request)).toFailWith('migrate_pages', 'EPERM');
      expect(await process.setuid(1000)).toSucceed();
      expect(await child.dropCapability('CAP_SETUID')).toSucceed();
      expect(await child.setuid(1000)).toFailWith('setuid', 'EPERM');
    },
  );
}

function declareWriters(declare: DeclareTest): void {
  declare(
    'nothing is lost of what a process writes while its page moves',
    { needs: [memoryNodes(2)], traits: ['states', 'contents', 'sharing'] },
    async ({ process, machine, world }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      // Each page counts the rounds; only one of them moves.
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      const caller = await world.spawn();
      const { pid } = process;
      const span = { address: pages.address, pageCount: 1 };
      expect(
        await process.memory.keepTouching(
          { address: pages.address, pageCount: 2 },
          'count',
          COUNTING_MS,
        ),
      ).toSucceed();
      const seen = new Set<number>();
      for (let count = 0; count < MOVES; count++) {
        const status = new Int32Array(1);
        const nodes = count % 2 === 0 ? second : first;
        await caller.numa.movePages({ pid, pages: span, nodes, flags: MOVE, status });
        seen.add(status[0] as number);
      }
      const moved = await process.memory.load(pages.at(0));
      expect(seen).toContain(second);
      expect(moved.ok && moved.value > 0n).toBe(true);
      expect(await process.memory.load(pages.at(1))).toEqual(moved);
      expect((await where(pages))[1]).toBe(first);
      await caller.exit();
    },
  );
}

export function processStatesContract(subject: OpenSubject): void {
  familyFor(subject, 'states of processes', ['states'], (declare) => {
    declareTargets(declare);
    declareNamespaces(declare);
    declareDropped(declare);
    declareWriters(declare);
  });
}
