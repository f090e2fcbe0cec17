/**
 * Where mappings of objects end, and what calls do there: gaps that are populated, the end of a
 * file, huge pages of a pool that are named in part.
 *
 * Source: madvise(2), mremap(2), mmap(2); mm/madvise.c, madvise_populate() and
 * madvise_dontneed_free_valid_vma(); mm/memory.c, do_cow_fault(); mm/hugetlb.c, hugetlb_vm_ops,
 * which have no set_policy().
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MADV, MPOL } from '../../lib/core/uapi.ts';
import { expendable, privileged } from '../support/needs.ts';
import { areasIn, createObject, familyFor, lineAt, mapObject, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, mapPages, maskOf, type Pages, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject } from './scene.ts';

/** Which of the pages are in memory. */
async function present(pages: Pages): Promise<boolean[]> {
  return (await where(pages)).map((node) => node >= 0);
}

function declareGaps(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['areas', 'addresses'] };
  declare('populating ends at a gap where this kernel lets it', conditions, async (scene) => {
    const { process, machine, facts } = scene;
    const pages = await mapPages(process, machine, 4, { address: FREE_ADDRESS });
    await pages.part(1, 2).unmap();
    const populated = await process.areas.madvise(pages.span, MADV.POPULATE_WRITE);
    expect(populated).toFailWith('madvise', 'ENOMEM');
    const behind = !facts.populatesUpToGap;
    expect(await present(pages)).toEqual([true, false, behind, behind]);
  });

  declare(
    'a target that overlaps is EINVAL, or EFAULT where nothing is',
    conditions,
    async (on) => {
      const { process, machine, facts } = on;
      const pages = await mapPages(process, machine, 2, { address: FREE_ADDRESS });
      const { mremap } = process.areas;
      expect(await mremap(pages.span, pages.at(1))).toFailWith('mremap', 'EINVAL');
      await pages.unmap();
      const errno = facts.mremapLooksAtOverlapFirst ? 'EINVAL' : 'EFAULT';
      expect(await mremap(pages.span, pages.at(1))).toFailWith('mremap', errno);
    },
  );

  declare('locked memory that grows has its new pages at once', conditions, async (scene) => {
    const { process, machine } = scene;
    const pages = await mapPages(process, machine, 3, { address: FREE_ADDRESS });
    await pages.part(2, 3).unmap();
    expect(await process.memory.mlock(pages.part(0, 2).span)).toSucceed();
    const grown = await process.areas.resize(pages.part(0, 2).span, 3);
    expect(grown).toSucceed(pages.address);
    expect(await present(pages)).toEqual([true, true, true]);
  });
}

function declareEnds(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['objects', 'addresses'] };
  declare('a private mapping ends where its object does', conditions, async (scene) => {
    const { process, machine } = scene;
    const object = await createObject(scene, 'memfd', 1);
    const request = { pageCount: 2, isShared: false };
    const pages = await mapObject(process, machine, object, request);
    const behind = { address: pages.at(1), pageCount: 1 };
    for (const access of ['read', 'write'] as const) {
      const touched = await process.memory.touch(behind, access);
      expect(touched).toFailWith('touch', 'EFAULT');
    }
    expect(await process.objects.write(object, { firstPage: 1, pageCount: 1 })).toSucceed();
    await pages.touch();
    expect(await present(pages)).toEqual([true, true]);
  });

  declare('a read behind the end maps what there is before it', conditions, async (scene) => {
    const { process, machine } = scene;
    const object = await createObject(scene, 'memfd', 2);
    await (await mapObject(process, machine, object, { pageCount: 2 })).touch();
    const request = { pageCount: 3, address: FREE_ADDRESS };
    const pages = await mapObject(process, machine, object, request);
    const touched = await process.memory.touch({ address: pages.at(2), pageCount: 1 }, 'read');
    expect(touched).toFailWith('touch', 'EFAULT');
    expect(await present(pages)).toEqual([true, true, false]);
  });
}

function declareOfPool(declare: DeclareTest): void {
  const conditions: Conditions = {
    needs: [expendable, privileged],
    traits: ['settings', 'objects', 'areas', 'addresses'],
  };
  declare('a mapping of shared pages of a pool has its own policy', conditions, async (scene) => {
    const { process, machine, world, node } = scene;
    await settingsOf(world).withHugePool(2, async () => {
      const pageCount = HUGE_BYTES / machine.pageSizeBytes;
      const object = await createObject(scene, 'hugetlb', pageCount);
      const bound = await mapObject(process, machine, object, { pageCount });
      const other = await mapObject(process, machine, object, { pageCount });
      expect(await bound.mbind(MPOL.BIND, maskOf(node))).toSucceed();
      expect(await lineAt(process, bound.address)).toMatch(new RegExp(`^bind:${node} `));
      expect(await lineAt(process, other.address)).toMatch(/^default /);
      await process.exit();
    });
  });

  declare('of a pool whole huge pages are dropped, moved and cut', conditions, async (scene) => {
    const { process, machine, world } = scene;
    await settingsOf(world).withHugePool(2, async () => {
      const step = HUGE_BYTES / machine.pageSizeBytes;
      const object = await createObject(scene, 'hugetlb', 2 * step);
      const request = { pageCount: 2 * step, address: FREE_ADDRESS };
      const pages = await mapObject(process, machine, object, request);
      await pages.part(0, 1).touch();
      const { madvise, mremap } = process.areas;
      expect(await madvise(pages.part(0, 3).span, MADV.DONTNEED)).toSucceed();
      expect(await present(pages.part(0, 1))).toEqual([true]);
      const inside = await madvise(pages.part(1, 3).span, MADV.DONTNEED);
      expect(inside).toFailWith('madvise', 'EINVAL');
      const small = await mapPages(process, machine, 2);
      const over = await mremap(small.span, pages.at(1));
      expect(over).toFailWith('mremap', 'EINVAL');
      // The cut at the beginning was made before the one at the end was refused.
      const cut = await process.memory.munmap(pages.part(step, step + 1).span);
      expect(cut).toFailWith('munmap', 'EINVAL');
      const areas = await areasIn(process, pages.span);
      expect(areas.map(({ pageCount }) => pageCount)).toEqual([step, step]);
      const target = FREE_ADDRESS + BigInt(8 * HUGE_BYTES);
      expect(await mremap(pages.part(0, 4).span, target)).toSucceed();
      const gone = await where(pages.part(0, 1));
      expect(gone).toEqual([-ERRNO.EFAULT]);
      await process.exit();
    });
  });
}

export function objectEdgesContract(subject: OpenSubject): void {
  familyFor(subject, 'edges of objects', ['areas', 'objects'], (declare) => {
    declareGaps(declare);
    declareEnds(declare);
    declareOfPool(declare);
  });
}
