/**
 * Memory with an object behind it. Shared memory keeps its policy in the object, where every
 * mapping finds it; the page cache of an ordinary file knows no policy but the thread's.
 *
 * Source: mbind(2), which tells of MAP_SHARED mappings only that a policy is ignored there, which
 * has not been so for shared memory since 2.6; mm/shmem.c, shmem_set_policy() and
 * shmem_get_pgoff_policy(); mm/filemap.c, filemap_alloc_folio().
 */

import { expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import type { ObjectKind } from '../../lib/machine/objects.ts';
import { memoryNodes, privileged } from '../support/needs.ts';
import { createObject, familyFor, mapObject } from './objects.ts';
import { maskOf, move, type Pages, placeOn, rangePolicy, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject } from './scene.ts';
import type { WorldMachine, WorldProcess } from './world.ts';

const { EACCES, ENOENT } = ERRNO;
const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
const KINDS: readonly ObjectKind[] = ['memfd', 'sysv', 'tmpfs'];
const PAGES = 4;
const ON_TWO_NODES: Conditions = { needs: [memoryNodes(2)], traits: ['sharing', 'objects'] };

function nodesOf({ memoryNodes: nodes }: WorldMachine): [number, number] {
  return nodes as [number, number];
}

/** A thread's pages go there unless something else says otherwise. */
async function bindThread(process: WorldProcess, node: number): Promise<void> {
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) })).toSucceed();
}

async function bindTo(pages: Pages, node: number, flags = 0): Promise<void> {
  expect(await pages.mbind(MPOL.BIND, maskOf(node), flags)).toSucceed();
}

function declarePolicyOf(kind: ObjectKind, declare: DeclareTest): void {
  declare(`${kind}: the policy is the object's, for every mapping`, ON_TWO_NODES, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    await bindThread(process, first);
    const object = await createObject(scene, kind, PAGES);
    const bound = await mapObject(process, machine, object, { pageCount: PAGES });
    const other = await mapObject(process, machine, object, { pageCount: PAGES });
    await bindTo(bound, second);
    expect(await rangePolicy(other, machine)).toEqual({ mode: MPOL.BIND, nodes: [second] });
    expect(await where(await other.part(0, 2).touch())).toResideOn([second, second]);
    const child = await process.fork();
    const far = await mapObject(child, machine, object, { pageCount: PAGES });
    expect(await where(await far.part(2, 4).touch())).toResideOn([second, second]);
  });

  declare(
    `${kind}: the policy outlives the mapping it was made by`,
    ON_TWO_NODES,
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = nodesOf(machine);
      await bindThread(process, first);
      const object = await createObject(scene, kind, PAGES);
      const kept = await mapObject(process, machine, object, { pageCount: PAGES });
      const bound = await mapObject(process, machine, object, { pageCount: PAGES });
      await bindTo(bound.part(1, 3), second);
      await bound.unmap();
      const expected = [first, second, second, first];
      expect(await where(await kept.touch())).toResideOn(expected);
    },
  );

  for (const owner of ['object', 'thread'] as const) {
    const subject = `${kind}: interleaving by the ${owner}'s policy`;
    const sentence = `${subject} counts from the inode's number`;
    declare(sentence, { ...ON_TWO_NODES, tags: ['nodes'] }, async (scene) => {
      const { process, machine, facts } = scene;
      const nodes = machine.memoryNodes;
      const policy = { mode: MPOL.INTERLEAVE, nodemask: maskOf(...nodes) };
      const object = await createObject(scene, kind, 8);
      const pages = await mapObject(process, machine, object, { pageCount: 8 });
      if (owner === 'thread') expect(await process.numa.setMempolicy(policy)).toSucceed();
      else expect(await pages.mbind(policy.mode, policy.nodemask)).toSucceed();
      const expected = Array.from({ length: 8 }, (_, page) => {
        const index = BigInt.asUintN(facts.interleaveIndexBits, BigInt(object.inode + page));
        return nodes[Number(index % BigInt(nodes.length))] as number;
      });
      expect(await where(await pages.touch())).toResideOn(expected);
    });
  }
}

/** mm/mempolicy.c, mbind_range(): nothing is done for an area that has an equal policy. */
function declareUnchangedMapping(declare: DeclareTest): void {
  const sentence = 'a mapping told the policy that it has does not tell the object again';
  declare(sentence, ON_TWO_NODES, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    const object = await createObject(scene, 'memfd', PAGES);
    const one = await mapObject(process, machine, object, { pageCount: PAGES });
    const other = await mapObject(process, machine, object, { pageCount: PAGES });
    await bindTo(one, second);
    expect(await other.mbind(MPOL.DEFAULT, null)).toSucceed();
    expect((await rangePolicy(other, machine)).nodes).toEqual([second]);
    await bindTo(other, first);
    await bindTo(one, second);
    expect((await rangePolicy(one, machine)).nodes).toEqual([first]);
    expect(await one.mbind(MPOL.DEFAULT, null)).toSucceed();
    expect((await rangePolicy(other, machine)).mode).toBe(MPOL.DEFAULT);
  });
}

function declareOffsets(declare: DeclareTest): void {
  declare(
    'a policy belongs to pages of the object, not to addresses',
    ON_TWO_NODES,
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = nodesOf(machine);
      await bindThread(process, first);
      const object = await createObject(scene, 'memfd', PAGES);
      const tail = await mapObject(process, machine, object, { pageCount: 2, firstPage: 2 });
      await bindTo(tail, second);
      const whole = await mapObject(process, machine, object, { pageCount: PAGES });
      expect(await where(await whole.touch())).toResideOn([first, first, second, second]);
    },
  );

  // The mapping has the policy given already: nothing is told to the object.
  declare(
    'pages move by a policy that an object keeps as this kernel does',
    ON_TWO_NODES,
    async (scene) => {
      const { process, machine, facts } = scene;
      const [first, second] = nodesOf(machine);
      await bindThread(process, first);
      const object = await createObject(scene, 'memfd', PAGES);
      const bound = await mapObject(process, machine, object, { pageCount: PAGES });
      const pages = await mapObject(process, machine, object, { pageCount: PAGES });
      await pages.touch();
      await bindTo(bound, second);
      expect(await pages.mbind(MPOL.DEFAULT, null, MOVE)).toSucceed();
      expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.BIND, nodes: [second] });
      const node = facts.movesByGivenPolicy ? first : second;
      expect(await where(pages)).toResideOn(new Array<number>(PAGES).fill(node));
    },
  );

  declare('pages that write(2) makes follow the policy too', ON_TWO_NODES, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    await bindThread(process, first);
    const object = await createObject(scene, 'memfd', PAGES);
    const pages = await mapObject(process, machine, object, { pageCount: PAGES });
    await bindTo(pages.part(0, 2), second);
    expect(await process.objects.write(object, { firstPage: 0, pageCount: PAGES })).toSucceed();
    expect(await where(pages)).toResideOn(new Array<number>(PAGES).fill(-ENOENT));
    expect(await where(await pages.touch('read'))).toResideOn([second, second, first, first]);
  });

  declare('a private mapping binds its copies and the object', ON_TWO_NODES, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    await bindThread(process, first);
    const object = await createObject(scene, 'memfd', PAGES);
    const copy = await mapObject(process, machine, object, { pageCount: PAGES, isShared: false });
    await bindTo(copy.part(0, 2), second);
    const shared = await mapObject(process, machine, object, { pageCount: PAGES });
    expect(await where(await shared.touch())).toResideOn([second, second, first, first]);
    expect(await where(await copy.touch('write'))).toResideOn([second, second, first, first]);
  });
}

function declareFiles(declare: DeclareTest): void {
  const conditions = ON_TWO_NODES;
  declare('a shared file takes a policy and does not follow it', conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    await bindThread(process, first);
    const object = await createObject(scene, 'ramfs', PAGES);
    const pages = await mapObject(process, machine, object, { pageCount: PAGES });
    await bindTo(pages, second);
    expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.BIND, nodes: [second] });
    expect(await where(await pages.touch())).toResideOn(new Array<number>(PAGES).fill(first));
  });

  declare(
    'a private file: reads follow the thread, copies the range',
    conditions,
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = nodesOf(machine);
      await bindThread(process, first);
      const object = await createObject(scene, 'ramfs', 2);
      expect(await process.objects.write(object, { firstPage: 0, pageCount: 2 })).toSucceed();
      const pages = await mapObject(process, machine, object, { pageCount: 2, isShared: false });
      await bindTo(pages, second);
      expect(await where(await pages.touch('read'))).toResideOn([first, first]);
      await pages.part(1, 2).touch('write');
      expect(await where(pages)).toResideOn([first, second]);
    },
  );

  declare('the page cache follows the thread that writes', conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    const object = await createObject(scene, 'ramfs', 2);
    await bindThread(process, second);
    expect(await process.objects.write(object, { firstPage: 0, pageCount: 1 })).toSucceed();
    await bindThread(process, first);
    expect(await process.objects.write(object, { firstPage: 1, pageCount: 1 })).toSucceed();
    const pages = await mapObject(process, machine, object, { pageCount: 2 });
    expect(await where(await pages.touch('read'))).toResideOn([second, first]);
  });

  declare('written pages of ramfs cannot move', conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    await bindThread(process, first);
    const object = await createObject(scene, 'ramfs', 2);
    const pages = await mapObject(process, machine, object, { pageCount: 2 });
    await pages.touch('write');
    const result = await pages.mbind(MPOL.BIND, maskOf(second), MOVE | STRICT);
    expect(result).toFailWith('mbind', 'EIO');
    expect(await where(pages)).toResideOn([first, first]);
    expect((await move(process, pages, second)).result).toSucceed(2);
  });
}

function declareMoves(declare: DeclareTest): void {
  declare('a page of one mapping moves like any other', ON_TWO_NODES, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = nodesOf(machine);
    for (const kind of KINDS) {
      const object = await createObject(scene, kind, 2);
      const pages = await mapObject(process, machine, object, { pageCount: 2 });
      await placeOn(pages, [first, first]);
      expect((await move(process, pages.part(0, 1), second)).status).toEqual([second]);
      await bindTo(pages, second, MOVE | STRICT);
      expect(await where(pages)).toResideOn([second, second]);
    }
  });

  const twice: Conditions = { ...ON_TWO_NODES, needs: [memoryNodes(2), privileged] };
  for (const place of ['process', 'child'] as const) {
    const who = place === 'process' ? 'twice by one process' : 'by two processes';
    declare(`a page mapped ${who} moves only with MOVE_ALL`, twice, async (scene) => {
      const { process, machine } = scene;
      const [first, second] = nodesOf(machine);
      const object = await createObject(scene, 'memfd', 1);
      const pages = await mapObject(process, machine, object, { pageCount: 1 });
      await placeOn(pages, [first]);
      const partner = place === 'process' ? process : await process.fork();
      const other = await mapObject(partner, machine, object, { pageCount: 1 });
      expect(await where(await other.touch('read'))).toResideOn([first]);
      const strict = await pages.mbind(MPOL.BIND, maskOf(second), STRICT);
      expect(strict).toFailWith('mbind', 'EIO');
      await bindTo(pages, second, MOVE);
      await bindTo(pages, second, MOVE | STRICT);
      expect(await move(process, pages, second)).toEqual({
        result: { ok: true, value: 0 },
        status: [-EACCES],
      });
      expect(await where(other)).toResideOn([first]);
      expect((await move(process, pages, second, MOVE_ALL)).status).toEqual([second]);
      expect(await where(other)).toResideOn([second]);
      await bindTo(pages, first, MOVE_ALL | STRICT);
      expect(await where(other)).toResideOn([first]);
    });
  }
}

export function sharedMemoryContract(subject: OpenSubject): void {
  familyFor(subject, 'shared memory', ['objects'], (declare) => {
    for (const kind of KINDS) declarePolicyOf(kind, declare);
    declareUnchangedMapping(declare);
    declareOffsets(declare);
    declareFiles(declare);
    declareMoves(declare);
  });
}
