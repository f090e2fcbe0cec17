/**
 * Mappings that move, grow and shrink, and pages that mappings give back: what may, and what is
 * there afterwards.
 *
 * Source: mremap(2), which since Linux 6.17 tells of several areas; madvise(2), which tells neither
 * of a packet ring nor of secret memory; mm/mremap.c, check_mremap_params(); mm/madvise.c,
 * madvise_dontneed_free_valid_vma().
 */

import { expect } from 'vitest';
import { ERRNO, errnoName } from '../../lib/core/errno.ts';
import { MADV, MPOL } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, nodesFromZero, privileged } from '../support/needs.ts';
import { areasIn, createObject, familyFor, mapObject, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, mapPages, maskOf, Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject } from './scene.ts';

const { EFAULT, ENOENT } = ERRNO;
const TARGET = FREE_ADDRESS + 0x1000_0000n;

function declareMoves(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [nodesFromZero(2)], traits: ['areas', 'addresses'] };
  declare('several areas move together as this kernel lets them', conditions, async (scene) => {
    const { process, machine, facts } = scene;
    const areas = process.areas;
    const pages = await mapPages(process, machine, 4, { address: FREE_ADDRESS });
    await placeOn(pages, [0, 1, 0, 1]);
    expect(await pages.part(1, 3).mbind(MPOL.BIND, maskOf(0))).toSucceed();
    const result = await areas.mremap({ address: pages.address, pageCount: 4 }, TARGET);
    if (facts.mremapTakesSeveral) expect(result).toSucceed();
    else expect(result).toFailWith('mremap', 'EFAULT');
    const address = facts.mremapTakesSeveral ? TARGET : pages.address;
    const moved = new Pages(process, address, 4, machine.pageSizeBytes);
    expect(await where(moved)).toResideOn([0, 1, 0, 1]);
    const policies = (await areasIn(process, { address, pageCount: 4 })).map(
      ({ policy }) => policy,
    );
    expect(policies).toEqual(['default', 'bind:0', 'default']);
  });

  declare('a gap moves along as this kernel lets it', conditions, async (scene) => {
    const { process, machine, facts } = scene;
    const pages = await mapPages(process, machine, 4, { address: FREE_ADDRESS });
    await placeOn(pages, [0, 1, 0, 1]);
    await pages.part(1, 2).unmap();
    await pages.part(3, 4).unmap();
    const before = await mapPages(process, machine, 4, { address: TARGET });
    await placeOn(before, [1, 1, 1, 1]);
    const result = await process.areas.mremap({ address: pages.address, pageCount: 4 }, TARGET);
    const isMoved = facts.mremapTakesSeveral;
    if (isMoved) expect(result).toSucceed();
    else expect(result).toFailWith('mremap', 'EFAULT');
    const left = isMoved ? -EFAULT : 0;
    expect(await where(pages)).toResideOn([left, -EFAULT, left, -EFAULT]);
    // What is mapped where a gap comes to lie stays; a call that fails has unmapped all of it.
    const gone = [-EFAULT, -EFAULT, -EFAULT, -EFAULT];
    expect(await where(before)).toResideOn(isMoved ? [0, 1, 0, 1] : gone);
  });

  declare('a range that begins in a gap does not move', conditions, async (scene) => {
    const { process, machine } = scene;
    const pages = await mapPages(process, machine, 3, { address: FREE_ADDRESS });
    await placeOn(pages, [0, 1, 0]);
    await pages.part(0, 1).unmap();
    const before = await mapPages(process, machine, 3, { address: TARGET });
    await placeOn(before, [1, 1, 1]);
    const result = await process.areas.mremap({ address: pages.address, pageCount: 3 }, TARGET);
    expect(result).toFailWith('mremap', 'EFAULT');
    expect(await where(pages)).toResideOn([-EFAULT, 1, 0]);
    expect(await where(before)).toResideOn([1, 1, 1]);
  });
}

function declareOfPool(declare: DeclareTest): void {
  const conditions: Conditions = {
    needs: [expendable, privileged],
    traits: ['settings', 'objects', 'areas'],
  };
  declare('huge pages of the pool become fewer, and not more', conditions, async (scene) => {
    const { process, machine, world } = scene;
    await settingsOf(world).withHugePool(2, async () => {
      const step = HUGE_BYTES / machine.pageSizeBytes;
      const object = await createObject(scene, 'hugetlb', 4 * step);
      const pages = await mapObject(process, machine, object, { pageCount: 2 * step });
      const areas = process.areas;
      const grown = await areas.resize({ address: pages.address, pageCount: 2 * step }, 3 * step);
      expect(grown).toFailWith('mremap', 'EINVAL');
      expect(await areas.resize({ address: pages.address, pageCount: 2 * step }, step)).toSucceed(
        pages.address,
      );
      const left = await areasIn(process, { address: pages.address, pageCount: 2 * step });
      expect(left.map(({ pageCount }) => pageCount)).toEqual([step]);
      await process.exit();
    });
  });

  declare('several areas of the pool move as this kernel lets them', conditions, async (scene) => {
    const { process, machine, world, facts } = scene;
    await settingsOf(world).withHugePool(2, async () => {
      const step = HUGE_BYTES / machine.pageSizeBytes;
      const object = await createObject(scene, 'hugetlb', 2 * step);
      const pages = await mapObject(process, machine, object, { pageCount: 2 * step });
      expect(await pages.part(0, step).mbind(MPOL.BIND, maskOf(scene.node))).toSucceed();
      await pages.part(0, 1).touch();
      const { mremap } = process.areas;
      const beside = TARGET + BigInt(machine.pageSizeBytes);
      const unaligned = await mremap({ address: pages.address, pageCount: step }, beside);
      expect(unaligned).toFailWith('mremap', 'EINVAL');
      const result = await mremap({ address: pages.address, pageCount: 2 * step }, TARGET);
      if (facts.mremapTakesSeveral) expect(result).toSucceed();
      else expect(result).toFailWith('mremap', 'EFAULT');
      const address = facts.mremapTakesSeveral ? TARGET : pages.address;
      const head = new Pages(process, address, 1, machine.pageSizeBytes);
      expect(await where(head)).toResideOn([scene.node]);
      await process.exit();
    });
  });
}

function declareDropped(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [memoryNodes(2), privileged], traits: ['areas'] };
  declare(
    'a packet ring does not come back when its pages are dropped',
    { ...conditions, traits: ['areas', 'references'] },
    async ({ process, machine, facts, skip, node }) => {
      expect(
        await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) }),
      ).toSucceed();
      const mapped = await process.references.packetRing({ blockPages: 4, blockCount: 2 });
      if (!mapped.ok) return skip(`needs a ring of packets: ${errnoName(mapped.errno)}`);
      const ring = new Pages(process, mapped.value, 8, machine.pageSizeBytes);
      expect(
        await process.areas.madvise({ address: ring.at(1), pageCount: 2 }, MADV.DONTNEED),
      ).toSucceed();
      // Nothing can bring them back, as nothing was ever there: the status is that of such memory.
      const gone = -facts.untouchedAnonymousErrno;
      const left = [node, gone, gone, node, node, node, node, node];
      expect(await where(ring)).toResideOn(left);
      for (const access of ['read', 'write'] as const) {
        expect(
          await process.memory.touch({ address: ring.at(1), pageCount: 1 }, access),
        ).toFailWith('touch', 'EFAULT');
      }
      expect(await where(ring)).toResideOn(left);
    },
  );

  declare('guards are put up where this kernel has them', conditions, async (scene) => {
    const { process, machine, facts, node } = scene;
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [node, node]);
    const { madvise } = process.areas;
    const put = await madvise({ address: pages.address, pageCount: 1 }, MADV.GUARD_INSTALL);
    if (!facts.hasGuardRegions) {
      expect(put).toFailWith('madvise', 'EINVAL');
      return;
    }
    expect(put).toSucceed();
    expect(await where(pages)).toResideOn([-ENOENT, node]);
    expect(await process.memory.touch({ address: pages.address, pageCount: 1 }, 'read')).toFailWith(
      'touch',
      'EFAULT',
    );
    expect(await madvise({ address: pages.address, pageCount: 2 }, MADV.GUARD_REMOVE)).toSucceed();
    await pages.part(0, 1).touch();
  });

  declare(
    'secret memory is dropped as this kernel lets it',
    {
      // Stable releases changed it: known of those that guests have been seen with.
      needs: [expendable, memoryNodes(2), privileged],
      traits: ['areas', 'objects', 'contents'],
    },
    async (scene) => {
      const { process, machine, facts, node } = scene;
      const object = await createObject(scene, 'secret', 2);
      const pages = await mapObject(process, machine, object, { pageCount: 2 });
      await placeOn(pages, [node, node]);
      expect(await process.memory.store(pages.address, 23n)).toSucceed();
      const before = await where(pages);
      const { madvise } = process.areas;
      const result = await madvise({ address: pages.address, pageCount: 2 }, MADV.DONTNEED);
      if (facts.secretPagesAreLocked) expect(result).toFailWith('madvise', 'EINVAL');
      else expect(result).toSucceed();
      const gone = [-ENOENT, -ENOENT];
      expect(await where(pages)).toResideOn(facts.secretPagesAreLocked ? before : gone);
      // The memory is the object's, and is still there.
      expect(await process.memory.load(pages.address)).toSucceed(23n);
      expect(await where(pages.part(0, 1))).toResideOn(before.slice(0, 1));
    },
  );
}

/** Pages of an object that a hole is made in, or that a lock is taken off. */
function declareRemoved(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['areas', 'sharing', 'mlock'], needs: [memoryNodes(2)] };
  declare('removed pages are gone for all who share them', conditions, async (scene) => {
    const { process, machine } = scene;
    const [near, far] = machine.memoryNodes as [number, number];
    const pages = await mapPages(process, machine, 4, { isShared: true });
    await placeOn(pages, [near, near, near, near]);
    const inChild = pages.in(await process.fork());
    await inChild.touch('read');
    expect(await pages.part(1, 2).mbind(MPOL.BIND, maskOf(far))).toSucceed();
    expect(
      await process.areas.madvise({ address: pages.at(1), pageCount: 2 }, MADV.REMOVE),
    ).toSucceed();
    const left = [near, -ENOENT, -ENOENT, near];
    expect(await where(pages)).toResideOn(left);
    expect(await where(inChild)).toResideOn(left);
    // The object still has its policy.
    await inChild.touch();
    expect((await where(inChild))[1]).toBe(far);
  });

  declare('what cannot be removed', conditions, async ({ process, machine }) => {
    const { madvise } = process.areas;
    const own = await (await mapPages(process, machine, 1)).touch();
    expect(await madvise({ address: own.address, pageCount: 1 }, MADV.REMOVE)).toFailWith(
      'madvise',
      'EINVAL',
    );
    const shared = await (await mapPages(process, machine, 1, { isShared: true })).touch();
    expect(await process.memory.mlock({ address: shared.address, pageCount: 1 })).toSucceed();
    expect(await madvise({ address: shared.address, pageCount: 1 }, MADV.REMOVE)).toFailWith(
      'madvise',
      'EINVAL',
    );
    expect(await process.memory.munlock({ address: shared.address, pageCount: 1 })).toSucceed();
    // Not even a right to read is needed.
    expect(
      await process.memory.mprotect({ address: shared.address, pageCount: 1 }, 'none'),
    ).toSucceed();
    expect(await madvise({ address: shared.address, pageCount: 1 }, MADV.REMOVE)).toSucceed();
  });

  declare('unlocked pages stay, and their mapping is whole again', conditions, async (scene) => {
    const { process, machine, node } = scene;
    const pages = await mapPages(process, machine, 4, { address: FREE_ADDRESS });
    await placeOn(pages, [node, node, node, node]);
    const sizes = async (): Promise<number[]> =>
      (await areasIn(process, { address: pages.address, pageCount: 4 })).map(
        ({ pageCount }) => pageCount,
      );
    expect(await process.memory.mlock({ address: pages.at(1), pageCount: 2 })).toSucceed();
    expect(await sizes()).toEqual([1, 2, 1]);
    expect(await process.memory.munlock({ address: pages.address, pageCount: 4 })).toSucceed();
    expect(await sizes()).toEqual([4]);
    expect(await where(pages)).toResideOn([node, node, node, node]);
    expect(await process.memory.munlock({ address: pages.address, pageCount: 6 })).toFailWith(
      'munlock',
      'ENOMEM',
    );
  });

  declare(
    'locked memory that becomes writable gets its pages at once',
    conditions,
    async (scene) => {
      const { process, machine } = scene;
      const pages = await mapPages(process, machine, 2);
      expect(
        await process.memory.mprotect({ address: pages.address, pageCount: 2 }, 'none'),
      ).toSucceed();
      // Nothing can be faulted in, and the lock stays.
      expect(await process.memory.mlock({ address: pages.address, pageCount: 2 })).toFailWith(
        'mlock',
        'ENOMEM',
      );
      expect(
        await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'write'),
      ).toSucceed();
      expect((await where(pages.part(0, 1)))[0]).toBeGreaterThanOrEqual(0);
      expect(
        await process.memory.mprotect({ address: pages.at(1), pageCount: 1 }, 'read'),
      ).toSucceed();
      expect((await where(pages.part(1, 2)))[0]).toBeLessThan(0);
    },
  );
}

export function remappingContract(subject: OpenSubject): void {
  familyFor(subject, 'mappings that change', ['areas'], (declare) => {
    declareMoves(declare);
    declareOfPool(declare);
    declareDropped(declare);
    declareRemoved(declare);
  });
}
