/**
 * A mapping of huge pages of a pool is promised its pages when it is made: as many as are free on
 * the nodes that the thread may take them from, and not promised to others anywhere.
 *
 * Source: mmap(2), which tells ENOMEM alone; mm/hugetlb.c, hugetlb_acct_memory() and
 * allowed_mems_nr(); Documentation/mm/hugetlbfs_reserv.rst.
 */

import { expect } from 'vitest';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import { confine, cpusetTests } from './cpuset-scene.ts';
import { createObject, familyFor, given, settingsOf } from './objects.ts';
import { HUGE_BYTES, maskOf, Pages, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const CONDITIONS: Conditions = {
  needs: [expendable, memoryNodes(2), privileged],
  traits: ['settings', 'objects', 'areas'],
};
const PAGES_PER_NODE = 2;
const REFUSED = { ok: false, errno: ERRNO.ENOMEM };

type Body = (scene: Scene, first: number) => Promise<void>;

function basePages({ machine }: Scene, hugePages: number): number {
  return (hugePages * HUGE_BYTES) / machine.pageSizeBytes;
}

/** A private mapping of so many huge pages, of an object of its own. */
async function map(scene: Scene, hugePages: number): Promise<SyscallResult<bigint>> {
  const pageCount = basePages(scene, hugePages);
  const object = await createObject(scene, 'hugetlb', pageCount);
  return scene.process.objects.map(object, { pageCount });
}

/** Gives the pages of a mapping back, and what it was promised. */
async function unmap(scene: Scene, address: bigint, hugePages: number): Promise<void> {
  expect(
    await scene.process.memory.munmap({ address, pageCount: basePages(scene, hugePages) }),
  ).toSucceed();
}

async function setPolicy({ process }: Scene, mode: number, node: number): Promise<void> {
  expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(node) })).toSucceed();
}

/** The first base page of each huge page. */
function heads({ process, machine }: Scene, address: bigint, hugePages: number): Pages[] {
  return Array.from({ length: hugePages }, (_, index) => {
    const at = address + BigInt(index * HUGE_BYTES);
    return new Pages(process, at, 1, machine.pageSizeBytes);
  });
}

function declareCounting(declare: (sentence: string, body: Body) => void): void {
  declare("a thread's BIND counts the free pages of its nodes", async (scene, first) => {
    await setPolicy(scene, MPOL.BIND, first);
    expect(await map(scene, PAGES_PER_NODE + 1)).toMatchObject(REFUSED);
    expect(await map(scene, PAGES_PER_NODE)).toSucceed();
  });

  declare('other modes count those of all nodes', async (scene, first) => {
    for (const mode of [MPOL.PREFERRED, MPOL.INTERLEAVE, MPOL.PREFERRED_MANY]) {
      await setPolicy(scene, mode, first);
      const address = given(await map(scene, PAGES_PER_NODE + 1));
      await unmap(scene, address, PAGES_PER_NODE + 1);
    }
  });

  declare('a page is promised once', async (scene) => {
    const all = PAGES_PER_NODE * scene.machine.memoryNodes.length;
    const address = given(await map(scene, all));
    expect(await map(scene, 1)).toMatchObject(REFUSED);
    await unmap(scene, address, all);
    expect(await map(scene, 1)).toSucceed();
  });

  declare('a node is promised more than it has', async (scene, first) => {
    await setPolicy(scene, MPOL.BIND, first);
    const taken = heads(scene, given(await map(scene, PAGES_PER_NODE)), PAGES_PER_NODE);
    const late = heads(scene, given(await map(scene, PAGES_PER_NODE)), PAGES_PER_NODE);
    for (const page of taken) expect(await where(await page.touch())).toResideOn([first]);
    const [page] = late as [Pages];
    expect(
      await scene.process.memory.touch({ address: page.address, pageCount: 1 }, 'write'),
    ).toFailWith('touch', 'EFAULT');
    expect(await map(scene, 1)).toMatchObject(REFUSED);
  });
}

export function poolPromisesContract(subject: OpenSubject): void {
  familyFor(subject, 'promises of a pool', ['settings'], (declare: DeclareTest) => {
    const withPool = (scene: Scene, body: Body): Promise<void> =>
      settingsOf(scene.world).withHugePool(PAGES_PER_NODE, async () => {
        await body(scene, scene.machine.memoryNodes[0] as number);
        // The pool shrinks only by pages that nobody has.
        await scene.process.exit();
      });
    declareCounting((sentence, body) =>
      declare(sentence, CONDITIONS, (scene) => withPool(scene, body)),
    );
    cpusetTests(declare)(
      'a cpuset counts the free pages of its nodes',
      (scene, create) =>
        withPool(scene, async () => {
          await confine(scene, create, '1-2');
          expect(await map(scene, 2 * PAGES_PER_NODE + 1)).toMatchObject(REFUSED);
          expect(await map(scene, 2 * PAGES_PER_NODE)).toSucceed();
        }),
      ['objects'],
    );
  });
}
