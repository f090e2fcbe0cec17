/**
 * A backend that moves the pages of a process while that process gives them up: nothing is lost,
 * and what is no longer there is told as such.
 *
 * Source: move_pages(2); mm/migrate.c, add_folio_for_migration(), which takes its reference under
 * the lock of the page table (since 4.0; before, a freed huge page could be taken).
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged, whenSupported } from '../support/needs.ts';
import type { BackendSubject } from './backend-world.ts';
import { createObject, mapObject, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, UNWRITTEN } from './pages.ts';
import type { Scene } from './scene.ts';
import type { World, WorldMachine, WorldSubject } from './world.ts';

const HUGE_PAGES = 2;
const WORD = 0x7261_6365n;
const MADV_SOFT_OFFLINE = 101;

/** What can be told of a page that comes and goes. */
const TOLD = [ERRNO.ENOENT, ERRNO.EFAULT, ERRNO.EBUSY, ERRNO.EACCES, ERRNO.ENOMEM].map(
  (one) => -one,
);

interface Race {
  readonly sentence: string;
  readonly rounds: number;
  /** Pages of the pool on each node; each one taken out of use is one less. */
  readonly poolPages: number;
  readonly takesOut: boolean;
}

const RACES: readonly Race[] = [
  {
    sentence: 'huge pages of a pool move while they come and go',
    rounds: 60,
    poolPages: HUGE_PAGES,
    takesOut: false,
  },
  {
    sentence: 'huge pages of a pool move while their memory is taken out of use',
    rounds: 8,
    poolPages: 12,
    takesOut: true,
  },
];

/** Sends the pages from node to node until told to stop; the number of calls. */
async function keepMoving(
  backend: Backend,
  pid: number,
  machine: WorldMachine,
  nodes: readonly [number, number],
  signal: AbortSignal,
): Promise<number> {
  const pageCount = (HUGE_PAGES * HUGE_BYTES) / machine.pageSizeBytes;
  const known = [...nodes, ...TOLD, UNWRITTEN];
  let calls = 0;
  for (; !signal.aborted; calls += 1) {
    const status = new Int32Array(pageCount).fill(UNWRITTEN);
    const pages = { address: FREE_ADDRESS, pageCount };
    const request = { pid, pages, nodes: nodes[calls % 2] as number, status };
    expect(await backend.movePages({ ...request, flags: MPOL_MF.MOVE_ALL })).toSucceed();
    expect([...new Set(status)].filter((one) => !known.includes(one))).toEqual([]);
  }
  return calls;
}

type ComeAndGo = Pick<Scene, 'process' | 'machine' | 'skip'>;

/** Maps huge pages at one address, writes them, and gives them up, again and again. */
async function comeAndGo(scene: ComeAndGo, { rounds, takesOut }: Race): Promise<void> {
  const { process, machine, skip } = scene;
  const pageCount = (HUGE_PAGES * HUGE_BYTES) / machine.pageSizeBytes;
  const object = await createObject(scene, 'hugetlb', pageCount);
  const request = { pageCount, isShared: false, address: FREE_ADDRESS };
  for (let round = 0; round < rounds; round += 1) {
    // A page that was lost to the pool would be missed after a few rounds.
    const pages = await mapObject(process, machine, object, request);
    const heads = [0, pageCount / HUGE_PAGES];
    for (const head of heads) expect(await process.memory.store(pages.at(head), WORD)).toSucceed();
    if (takesOut) {
      const { madvise } = process.areas;
      const result = await madvise({ address: pages.address, pageCount }, MADV_SOFT_OFFLINE);
      if (!result.ok && result.errno === ERRNO.EINVAL) skip('needs CONFIG_MEMORY_FAILURE');
      if (!result.ok) expect(result).toFailWith('madvise', 'EBUSY');
    }
    for (const head of heads) expect(await process.memory.load(pages.at(head))).toSucceed(WORD);
    await pages.unmap();
  }
}

/** `neighbours` gives the processes, on the machine that the backend answers for. */
export function racingProcessContract(subject: BackendSubject, neighbours: WorldSubject): void {
  describe(`${subject.name}, racing another process`, () => {
    let world: World;
    beforeAll(async () => {
      world = await neighbours.open();
    });
    afterAll(() => world?.close());

    for (const race of RACES) {
      test(race.sentence, async (context) => {
        whenSupported(context, world.machine, [expendable, memoryNodes(2), privileged]);
        const { backend, machine } = subject.open();
        const nodes = machine.memoryNodes.slice(0, 2) as [number, number];
        await settingsOf(world).withHugePool(race.poolPages, async () => {
          const process = await world.spawn();
          const scene: ComeAndGo = { process, machine, skip: (reason) => context.skip(reason) };
          const runner = new AbortController();
          const calls = keepMoving(backend, process.pid, machine, nodes, runner.signal);
          try {
            await comeAndGo(scene, race);
          } finally {
            runner.abort();
            expect(await calls).toBeGreaterThan(race.rounds / 10);
            await process.exit();
          }
        });
      });
    }
  });
}
