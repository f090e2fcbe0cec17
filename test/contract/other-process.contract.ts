/** A backend that looks into another process and moves its pages. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, NodemaskArgument } from '../../lib/backend/backend.ts';
import { nodemaskPair } from '../../lib/core/nodemask-words.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import { memoryNodes, nodesFromZero, privileged, whenSupported } from '../support/needs.ts';
import type { BackendSubject } from './backend-world.ts';
import { mapPages, maskOf, type Pages, placeOn, UNWRITTEN, where } from './pages.ts';
import type { World, WorldSubject } from './world.ts';

function nodemask(...nodes: number[]): NodemaskArgument {
  return maskOf(...nodes) as NodemaskArgument;
}

async function statusOf(
  backend: Backend,
  { process, address, count }: Pages,
  nodes: number | null,
): Promise<number[]> {
  const status = new Int32Array(count).fill(UNWRITTEN);
  const pages = { address, pageCount: count };
  const flags = MPOL_MF.MOVE;
  expect(await backend.movePages({ pid: process.pid, pages, nodes, flags, status })).toSucceed(0);
  return [...status];
}

/** `neighbours` gives the processes, on the machine that the backend answers for. */
export function otherProcessContract(subject: BackendSubject, neighbours: WorldSubject): void {
  describe(`${subject.name}, of another process`, () => {
    let world: World;
    beforeAll(async () => {
      world = await neighbours.open();
    });
    afterAll(() => world?.close());

    test('pages are located', async (context) => {
      whenSupported(context, world.machine, [privileged]);
      const { backend, machine } = subject.open();
      const process = await world.spawn();
      const pages = await mapPages(process, machine, machine.memoryNodes.length);
      await placeOn(pages, machine.memoryNodes);
      expect(await statusOf(backend, pages, null)).toResideOn(machine.memoryNodes);
      await process.exit();
    });

    test('pages are moved', async (context) => {
      whenSupported(context, world.machine, [memoryNodes(2), privileged]);
      const { backend, machine } = subject.open();
      const [first, second] = machine.memoryNodes as [number, number];
      const process = await world.spawn();
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      expect(await statusOf(backend, pages, second)).toEqual([second, second]);
      expect(await where(pages)).toResideOn([second, second]);
      await process.exit();
    });

    test('node sets of different widths map as sets', async (context) => {
      whenSupported(context, world.machine, [nodesFromZero(4), privileged]);
      const { backend, machine } = subject.open();
      const process = await world.spawn();
      const pages = await mapPages(process, machine, 4);
      await placeOn(pages, [0, 1, 2, 3]);
      const { pid } = process;
      // Node 70 is in no machine's first word, and takes part in the map all the same.
      const from = nodemask(0, 1, 70);
      expect(
        await backend.migratePages({ pid, ...nodemaskPair(from, nodemask(2, 3)) }),
      ).toSucceed();
      expect(await where(pages)).toResideOn([2, 3, 2, 3]);
      expect(
        await backend.migratePages({ pid, ...nodemaskPair(nodemask(3), nodemask(0)) }),
      ).toSucceed();
      expect(await where(pages)).toResideOn([2, 0, 2, 0]);
      await process.exit();
    });

    test('a process that has gone is not found', async () => {
      const { backend, machine } = subject.open();
      const process = await world.spawn();
      await process.exit();
      const { pid } = process;
      const to = nodemask(machine.memoryNodes[0] as number);
      expect(await backend.migratePages({ pid, ...nodemaskPair(to, to) })).toFailWith(
        'migrate_pages',
        'ESRCH',
      );
      const pages = { address: 0n, pageCount: 1 };
      const status = new Int32Array(1);
      const request = { pid, pages, nodes: null, flags: MPOL_MF.MOVE, status };
      expect(await backend.movePages(request)).toFailWith('move_pages', 'ESRCH');
      expect(backend.movePagesSync(request)).toFailWith('move_pages', 'ESRCH');
    });
  });
}
