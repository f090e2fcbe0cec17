/**
 * Mappings unlike others: what the kernel maps into each process, memory of devices, memory that
 * the kernel itself cannot read; and pages that a mapping has had, but has no more.
 *
 * Source: move_pages(2), mbind(2) and memfd_secret(2), which say nothing of them; mm/mempolicy.c,
 * queue_pages_test_walk() and vma_migratable(); mm/migrate.c, do_pages_stat_array();
 * mm/secretmem.c, secretmem_migrate_folio().
 */

import { expect } from 'vitest';
import { ERRNO, errnoName } from '../../lib/core/errno.ts';
import { MADV, MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { kernelWith, memoryNodes, type Need, privileged } from '../support/needs.ts';
import { createObject, familyFor, mapObject } from './objects.ts';
import { mapPages, maskOf, move, Pages, placeOn, rangePolicy, UNWRITTEN, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EACCES, EFAULT, ENOENT } = ERRNO;
const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
const TRIES_MAX = 5;

const ON_TWO_NODES: Conditions = { needs: [memoryNodes(2), privileged], traits: ['areas'] };
const ALL_FLAGS = [0, STRICT, MOVE, MOVE | STRICT, MOVE_ALL, MOVE_ALL | STRICT];

function twoNodes({ machine }: Scene): [number, number] {
  return machine.memoryNodes as [number, number];
}

/** Pages that are gone from their mapping, though something is left of them. */
interface Gone {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly advice: number;
}

const GONE: readonly Gone[] = [
  { name: 'swapped out', needs: [], advice: MADV.PAGEOUT },
  { name: 'in a guard region', needs: [kernelWith('hasGuardRegions')], advice: MADV.GUARD_INSTALL },
];

function declareGone(declare: DeclareTest): void {
  for (const { name, needs, advice } of GONE) {
    const conditions: Conditions = {
      needs: [...needs, memoryNodes(2), privileged],
      traits: ['areas'],
    };
    const pagesGone = async (scene: Scene): Promise<Pages> => {
      const { process, machine, node } = scene;
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [node, node]);
      let residence = await where(pages);
      // Pages that were just touched may still wait for the lists from which they are taken.
      for (let tries = 0; tries < TRIES_MAX && residence.includes(node); tries++) {
        const result = await process.areas.madvise(
          { address: pages.address, pageCount: 2 },
          advice,
        );
        if (!result.ok) scene.skip(`needs pages ${name}: ${errnoName(result.errno)}`);
        residence = await where(pages);
      }
      if (advice === MADV.PAGEOUT && residence.includes(node)) scene.skip('needs a swap area');
      expect(residence).toResideOn([-ENOENT, -ENOENT]);
      return pages;
    };

    declare(`a page ${name} is not present, asked or moved`, conditions, async (scene) => {
      const pages = await pagesGone(scene);
      const [, second] = twoNodes(scene);
      for (const flags of [MOVE, MOVE_ALL]) {
        const { result, status } = await move(scene.process, pages, second, flags);
        expect(result).toSucceed(0);
        expect(status).toEqual([-ENOENT, -ENOENT]);
      }
      expect(await where(pages)).toResideOn([-ENOENT, -ENOENT]);
    });

    declare(`a page ${name} is never misplaced`, conditions, async (scene) => {
      const [, second] = twoNodes(scene);
      const pages = await pagesGone(scene);
      for (const flags of ALL_FLAGS) {
        expect(await pages.mbind(MPOL.BIND, maskOf(second), flags), `${flags}`).toSucceed();
      }
      expect(await where(pages)).toResideOn([-ENOENT, -ENOENT]);
    });
  }
}

/** What the kernel maps into the process under that name. */
async function special({ process, machine, skip }: Scene, name: 'vdso' | 'vvar'): Promise<Pages> {
  const area = await process.areas.special(name);
  if (!area.ok || area.value.pageCount < 2) return skip(`needs two pages of ${name}`);
  return new Pages(process, area.value.address, area.value.pageCount, machine.pageSizeBytes);
}

async function device({ process, machine, skip }: Scene): Promise<Pages> {
  const result = await process.areas.mapDevice({ pageCount: 4 });
  if (!result.ok) return skip(`needs a device's memory: ${errnoName(result.errno)}`);
  return new Pages(process, result.value, 4, machine.pageSizeBytes);
}

function declareOfTheKernel(declare: DeclareTest): void {
  for (const name of ['vdso', 'vvar'] as const) {
    const sentence = `part of the ${name} cannot have a policy of its own`;
    declare(sentence, { traits: ['areas'] }, async (scene) => {
      const pages = await special(scene, name);
      for (const part of [pages.part(0, 1), pages.part(1, pages.count)]) {
        expect(await part.mbind(MPOL.BIND, maskOf(scene.node))).toFailWith('mbind', 'EINVAL');
      }
      expect((await rangePolicy(pages, scene.machine)).mode).toBe(MPOL.DEFAULT);
    });
  }

  declare('the vvar is seen as this kernel has it', { traits: ['areas'] }, async (scene) => {
    const { process, machine, node, facts } = scene;
    const page = await (await special(scene, 'vvar')).part(0, 1).touch('read');
    const [status] = await where(page);
    if (facts.vvarHasPages) expect(machine.memoryNodes).toContain(status);
    else expect(status).toBe(-facts.devicePageErrno);
    const answer = await move(process, page, node);
    expect(answer.result).toSucceed(0);
    expect(answer.status).toEqual([-EFAULT]);
    expect(await where(page)).toEqual([status]);
  });

  declare('only STRICT looks into the vvar', ON_TWO_NODES, async (scene) => {
    const { machine, facts } = scene;
    const pages = await special(scene, 'vvar');
    const [status] = await where(await pages.part(0, 1).touch('read'));
    const elsewhere = machine.memoryNodes.find((node) => node !== status) as number;
    for (const flags of ALL_FLAGS) {
      const result = await pages.mbind(MPOL.BIND, maskOf(elsewhere), flags);
      const fails = facts.vvarHasPages && (flags & STRICT) !== 0;
      if (fails) expect(result, `${flags}`).toFailWith('mbind', 'EIO');
      else expect(result, `${flags}`).toSucceed();
    }
    expect(await where(pages.part(0, 1))).toEqual([status]);
    expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.BIND, nodes: [elsewhere] });
  });
}

function declareDevice(declare: DeclareTest): void {
  declare("a device's memory has no node, asked or moved", ON_TWO_NODES, async (scene) => {
    const pages = await (await device(scene)).touch('read');
    const nowhere = new Array<number>(pages.count).fill(-scene.facts.devicePageErrno);
    expect(await where(pages)).toResideOn(nowhere);
    const { result, status } = await move(scene.process, pages, scene.node);
    expect(result).toSucceed(0);
    expect(status).toEqual(new Array<number>(pages.count).fill(-EFAULT));
  });

  declare("nothing of a device's memory is misplaced", ON_TWO_NODES, async (scene) => {
    const { machine } = scene;
    const pages = await (await device(scene)).touch('read');
    for (const node of twoNodes(scene)) {
      for (const flags of ALL_FLAGS) {
        expect(await pages.mbind(MPOL.BIND, maskOf(node), flags), `${flags}`).toSucceed();
      }
      expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
    }
  });
}

function declareSecret(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [memoryNodes(2), privileged], traits: ['objects'] };
  const secretOn = async (scene: Scene, node: number): Promise<Pages> => {
    const object = await createObject(scene, 'secret', 2);
    const pages = await mapObject(scene.process, scene.machine, object, { pageCount: 2 });
    await placeOn(pages, [node, node]);
    return pages;
  };

  declare('secret memory is seen as this kernel sees it', conditions, async (scene) => {
    const [, second] = twoNodes(scene);
    const pages = await secretOn(scene, second);
    const seen = scene.facts.secretPagesAreVisible ? second : -ENOENT;
    expect(await where(pages)).toResideOn([seen, seen]);
  });

  declare('secret memory stays, whatever is tried', conditions, async (scene) => {
    const { process, facts } = scene;
    const [first, second] = twoNodes(scene);
    const pages = await secretOn(scene, second);
    const before = await where(pages);
    const isVisible = facts.secretPagesAreVisible;
    for (const flags of [MOVE, MOVE_ALL]) {
      const { result, status } = await move(process, pages, first, flags);
      expect(result).toSucceed(isVisible ? 2 : 0);
      const left = isVisible ? UNWRITTEN : -ENOENT;
      expect(status).toEqual([left, left]);
      const strict = await pages.mbind(MPOL.BIND, maskOf(first), flags | STRICT);
      expect(strict).toFailWith('mbind', 'EIO');
    }
    expect(await where(pages)).toResideOn(before);
  });
}

function declareAdvised(declare: DeclareTest): void {
  declare(
    'pages that no child shall have move like others',
    { needs: [memoryNodes(2)], traits: ['areas'] },
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = twoNodes(scene);
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      expect(
        await process.areas.madvise({ address: pages.address, pageCount: 2 }, MADV.DONTFORK),
      ).toSucceed();
      expect((await move(process, pages, second)).status).toEqual([second, second]);
      expect(await pages.mbind(MPOL.BIND, maskOf(first), MOVE | STRICT)).toSucceed();
      expect(await where(pages)).toResideOn([first, first]);
    },
  );

  const ofForks: Conditions = { needs: [memoryNodes(2)], traits: ['areas', 'sharing'] };
  declare("pages that a child finds wiped stay the parent's own", ofForks, async (scene) => {
    const { process, machine, facts } = scene;
    const [first, second] = twoNodes(scene);
    const { madvise } = process.areas;
    const pages = await mapPages(process, machine, 3);
    await placeOn(pages, [first, first, first]);
    expect(await pages.mbind(MPOL.BIND, maskOf(second))).toSucceed();
    expect(await madvise(pages.part(0, 2).span, MADV.WIPEONFORK)).toSucceed();
    expect(await madvise(pages.part(1, 2).span, MADV.KEEPONFORK)).toSucceed();
    const child = pages.in(await process.fork());
    expect(await where(child)).toResideOn([-facts.untouchedAnonymousErrno, first, first]);
    const { status } = await move(process, pages, second);
    expect(status).toEqual([second, -EACCES, -EACCES]);
    // It has the policy, and its own children find nothing either.
    await child.touch();
    expect(await where(child)).toResideOn([second, second, second]);
    const grandchild = pages.in(await child.process.fork());
    expect((await where(grandchild))[0]).toBe(-facts.untouchedAnonymousErrno);
  });

  const ofObjects: Conditions = { traits: ['areas', 'objects'] };
  declare('only what is private and of no object can be wiped', ofObjects, async (scene) => {
    const { process, machine } = scene;
    const { madvise } = process.areas;
    const object = await createObject(scene, 'memfd', 1);
    const others = [
      await mapPages(process, machine, 1, { isShared: true }),
      await mapObject(process, machine, object, { pageCount: 1 }),
      await mapObject(process, machine, object, { pageCount: 1, isShared: false }),
    ];
    for (const { span } of others) {
      expect(await madvise(span, MADV.WIPEONFORK)).toFailWith('madvise', 'EINVAL');
      expect(await madvise(span, MADV.KEEPONFORK)).toSucceed();
    }
  });
}

export function specialMappingsContract(subject: OpenSubject): void {
  familyFor(subject, 'special mappings', ['areas', 'objects'], (declare) => {
    declareGone(declare);
    declareOfTheKernel(declare);
    declareDevice(declare);
    declareSecret(declare);
    declareAdvised(declare);
  });
}
