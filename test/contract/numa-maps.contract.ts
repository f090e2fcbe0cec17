/**
 * The lines of /proc/PID/numa_maps: one for each mapping, with its policy and its pages.
 *
 * Source: numa(7), which knows neither the flags of a policy nor `mapped` as it is;
 * fs/proc/task_mmu.c, show_numa_map() and gather_stats(); mm/mempolicy.c, mpol_to_str().
 */

import { expect } from 'vitest';
import { MADV, MPOL, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, nodesFromZero, privileged } from '../support/needs.ts';
import {
  createObject,
  dirtyIn,
  familyFor,
  given,
  lineAt,
  mapObject,
  settingsOf,
} from './objects.ts';
import {
  FREE_ADDRESS,
  HUGE_BYTES,
  mapPages,
  maskOf,
  move,
  type Pages,
  placeOn,
  where,
} from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { Trait } from './world.ts';

const { STATIC_NODES: STATIC, RELATIVE_NODES: RELATIVE, NUMA_BALANCING } = MPOL_MODE_FLAG;
const LINES: Conditions = { traits: ['areas', 'addresses'], needs: [nodesFromZero(2)] };
const OF_OBJECTS: Conditions = { ...LINES, ...sharing(['objects']) };

function sharing(more: readonly Trait[]): Conditions {
  return { traits: ['areas', 'addresses', 'sharing', ...more] };
}

function line(pages: Pages): Promise<string> {
  return lineAt(pages.process, pages.address);
}

/** An object's pages in a process and in its child. */
async function mappedTwice(scene: Scene, pageCount: number): Promise<[Pages, Pages]> {
  const object = await createObject(scene, 'memfd', pageCount);
  const pages = await mapObject(scene.process, scene.machine, object, { pageCount });
  return [pages, pages.in(await scene.process.fork())];
}

/** Pages with nothing near them. */
function alone({ process, machine }: Scene, pageCount: number): Promise<Pages> {
  return mapPages(process, machine, pageCount, { address: FREE_ADDRESS });
}

function declareLines(declare: DeclareTest): void {
  declare('what has no page has a policy only', LINES, async (scene) => {
    const pages = await alone(scene, 4);
    expect(await line(pages)).toBe('default');
    await pages.touch('read');
    expect(await line(pages)).toBe('default');
    await pages.touch('write');
    expect(
      await scene.process.areas.madvise({ address: pages.address, pageCount: 4 }, MADV.DONTNEED),
    ).toSucceed();
    expect(await line(pages)).toBe('default');
  });

  declare('pages are counted by kind and by node', LINES, async (scene) => {
    const pages = await alone(scene, 6);
    await placeOn(pages.part(0, 4), [1, 0, 1, 1]);
    expect(await line(pages)).toBe('default anon=4 dirty=4 N0=1 N1=3 kernelpagesize_kB=4');
  });

  declare('each mapping has its line, in the order of addresses', LINES, async (scene) => {
    const pages = await alone(scene, 6);
    await placeOn(pages, [0, 0, 1, 1, 0, 0]);
    expect(await pages.part(2, 4).mbind(MPOL.BIND, maskOf(1))).toSucceed();
    const counts = (count: number, node: number): string =>
      `anon=${count} dirty=${count} N${node}=${count} kernelpagesize_kB=4`;
    expect(await lineAt(scene.process, pages.at(0))).toBe(`default ${counts(2, 0)}`);
    expect(await lineAt(scene.process, pages.at(2))).toBe(`bind:1 ${counts(2, 1)}`);
    expect(await lineAt(scene.process, pages.at(4))).toBe(`default ${counts(2, 0)}`);
    const lines = given(await scene.process.areas.numaMaps('self'));
    const addresses = lines.map((text) => BigInt(`0x${text.split(' ')[0]}`));
    expect(addresses).toEqual([...addresses].sort((a, b) => (a < b ? -1 : 1)));
  });

  declare('the heap and the stack are named', LINES, async ({ process }) => {
    const lines = given(await process.areas.numaMaps('self'));
    for (const name of ['heap', 'stack']) {
      const named = lines.filter((text) => text.split(' ').includes(name));
      expect(named, name).toHaveLength(1);
      expect(named[0]).toMatch(new RegExp(`^[0-9a-f]{8,} default ${name} anon=\\d+ dirty=\\d+ `));
    }
  });
}

function declarePolicies(declare: DeclareTest): void {
  declare('LOCAL and two flags have words of their own', LINES, async (scene) => {
    const pages = await alone(scene, 1);
    const rows = [
      [MPOL.LOCAL, null, 'local'],
      [MPOL.BIND | STATIC | NUMA_BALANCING, maskOf(0), 'bind=static|balancing:0'],
      [MPOL.BIND | RELATIVE | NUMA_BALANCING, maskOf(0, 1), 'bind=relative|balancing:0-1'],
      [MPOL.PREFERRED | STATIC, maskOf(1), 'prefer=static:1'],
      [MPOL.PREFERRED_MANY | RELATIVE, maskOf(1), 'prefer (many)=relative:1'],
    ] as const;
    for (const [mode, nodemask, words] of rows) {
      expect(await pages.mbind(mode, nodemask), words).toSucceed();
      expect(await line(pages)).toBe(words);
    }
    if (!scene.facts.hasWeightedInterleave) return;
    expect(await pages.mbind(MPOL.WEIGHTED_INTERLEAVE, maskOf(0, 1))).toSucceed();
    expect(await line(pages)).toBe('weighted interleave:0-1');
  });

  declare(
    "without a policy of its own a mapping shows that of the file's thread",
    { ...LINES, traits: ['areas', 'addresses', 'threads'] },
    async (scene) => {
      const { process } = scene;
      const pages = await alone(scene, 2);
      await pages.part(1, 2).mbind(MPOL.PREFERRED, maskOf(0));
      const other = await process.thread();
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(0) });
      await other.numa.setMempolicy({ mode: MPOL.INTERLEAVE, nodemask: maskOf(1) });
      const seen: string[] = [];
      for (const thread of [process, other]) {
        for (const folder of ['self', 'thread-self'] as const) {
          seen.push(await lineAt(thread, pages.address, folder));
          expect(await lineAt(thread, pages.at(1), folder)).toBe('prefer:0');
        }
      }
      expect(seen).toEqual(['bind:0', 'bind:0', 'bind:0', 'interleave:1']);
    },
  );
}

function declareCounts(declare: DeclareTest): void {
  declare('a file is named, with its blanks as octal numbers', OF_OBJECTS, async (scene) => {
    const { process, machine } = scene;
    const object = await createObject(scene, 'memfd', 1, 'a b\tc\nd=e');
    const pages = await mapObject(process, machine, object, { pageCount: 1 });
    expect(await line(pages)).toBe('default file=/memfd:a\\040b\\011c\\012d\\075e\\040(deleted)');
  });

  declare('what is neither private nor written is mapped', OF_OBJECTS, async (scene) => {
    const { process, machine } = scene;
    const object = await createObject(scene, 'memfd', 4);
    const pages = await mapObject(process, machine, object, { pageCount: 4 });
    await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(1) });
    const start = 'bind:1 file=/memfd:puppet\\040(deleted)';
    await pages.part(0, 2).touch('read');
    expect(await line(pages)).toBe(`${start} mapped=2 N1=2 kernelpagesize_kB=4`);
    await pages.part(1, 2).touch('write');
    expect(await line(pages)).toBe(`${start} dirty=1 mapped=2 N1=2 kernelpagesize_kB=4`);
    await pages.part(0, 2).touch('write');
    expect(await line(pages)).toBe(`${start} dirty=2 N1=2 kernelpagesize_kB=4`);
  });

  const needs = [nodesFromZero(2), privileged];
  const ofTwo: Conditions = { ...OF_OBJECTS, needs };
  declare("a write that needs no fault is its mapping's own", ofTwo, async (scene) => {
    const [pages, theirs] = await mappedTwice(scene, 3);
    // Written where it was not mapped yet: that is a fault, and all know.
    await pages.part(0, 1).touch('write');
    for (const part of [pages, theirs]) await part.touch('read');
    expect(await dirtyIn(pages, theirs)).toEqual([1, 1]);
    await pages.part(1, 3).touch('write');
    expect(await dirtyIn(pages, theirs)).toEqual([3, 1]);
    // What moves or unmaps the page tells it on.
    const [node] = await where(pages.part(1, 2));
    await move(scene.process, pages.part(1, 2), node === 0 ? 1 : 0, MPOL_MF.MOVE_ALL);
    expect(await dirtyIn(pages, theirs)).toEqual([3, 2]);
    expect(await scene.process.memory.munmap({ address: pages.at(2), pageCount: 1 })).toSucceed();
    expect(await dirtyIn(theirs)).toEqual([3]);
  });

  const ofRings: Conditions = { ...sharing(['objects', 'references']), needs };
  declare(
    'a pin makes no page dirty that is mapped, MADV_POPULATE_WRITE to all',
    ofRings,
    async (scene) => {
      const { process } = scene;
      const [pages, theirs] = await mappedTwice(scene, 2);
      for (const part of [pages, theirs]) await part.touch('read');
      expect(
        await process.references.registerBuffer({ address: pages.address, pageCount: 1 }),
      ).toSucceed();
      expect(await dirtyIn(pages, theirs)).toEqual([0, 0]);
      const populated = process.areas.madvise(pages.part(1, 2).span, MADV.POPULATE_WRITE);
      expect(await populated).toSucceed();
      expect(await dirtyIn(pages, theirs)).toEqual([1, 1]);
    },
  );

  declare('a registered buffer is dirty behind its first fault', ofRings, async (scene) => {
    const { process, facts } = scene;
    const [pages, theirs] = await mappedTwice(scene, 4);
    for (const at of [0, 2, 3]) await pages.part(at, at + 1).touch('read');
    // In its own entry alone.
    await pages.part(3, 4).touch('write');
    expect(await process.references.registerBuffer(pages.span)).toSucceed();
    await theirs.touch('read');
    expect(await dirtyIn(pages, theirs)).toEqual(facts.ringsDirtyBehindFaults ? [3, 2] : [2, 1]);
  });

  declare('copies of a private file are private', OF_OBJECTS, async (scene) => {
    const { process, machine } = scene;
    const object = await createObject(scene, 'memfd', 3);
    const shared = await mapObject(process, machine, object, { pageCount: 3 });
    await placeOn(shared, [0, 0, 0]);
    const pages = await mapObject(process, machine, object, { pageCount: 3, isShared: false });
    await pages.touch('read');
    await placeOn(pages.part(1, 2), [1]);
    expect(await where(pages)).toResideOn([0, 1, 0]);
    const words = (await line(pages)).split(' ');
    expect(words).toEqual(expect.arrayContaining(['anon=1', 'N0=2', 'N1=1']));
  });

  const withChildren: Conditions = { ...LINES, ...sharing([]) };
  declare('mapmax counts the mappings of a page, from two on', withChildren, async (scene) => {
    const { process } = scene;
    const pages = await alone(scene, 3);
    await placeOn(pages, [0, 0, 1]);
    const counts = 'N0=2 N1=1 kernelpagesize_kB=4';
    await process.fork();
    expect(await line(pages)).toBe(`default anon=3 dirty=3 mapmax=2 ${counts}`);
    const child = await process.fork();
    expect(await line(pages)).toBe(`default anon=3 dirty=3 mapmax=3 ${counts}`);
    expect(await line(pages.in(child))).toBe(`default anon=3 dirty=3 mapmax=3 ${counts}`);
  });
}

function declareHuge(declare: DeclareTest): void {
  const needs = [expendable, memoryNodes(2), nodesFromZero(2)];
  const transparent: Conditions = { ...sharing(['settings']), needs };
  declare('a transparent huge page counts as its pages', transparent, async (scene) => {
    const { process, machine, world } = scene;
    const count = HUGE_BYTES / machine.pageSizeBytes;
    await settingsOf(world).withTransparentHugePages(async () => {
      expect(await process.allowHugePages()).toSucceed();
      const pages = await alone(scene, count);
      expect(
        await process.areas.madvise({ address: pages.address, pageCount: count }, MADV.HUGEPAGE),
      ).toSucceed();
      expect(await pages.mbind(MPOL.BIND, maskOf(1))).toSucceed();
      await pages.part(0, 1).touch();
      const counts = `anon=${count} dirty=${count} N1=${count}`;
      expect(await line(pages)).toBe(`bind:1 ${counts} kernelpagesize_kB=4`);
    });
  });

  const pool: Conditions = { ...sharing(['settings', 'objects']), needs };
  declare('a huge page of a pool counts as one', pool, async (scene) => {
    const { process, machine, world } = scene;
    const count = HUGE_BYTES / machine.pageSizeBytes;
    await settingsOf(world).withHugePool(4, async () => {
      const object = await createObject(scene, 'hugetlb', 2 * count);
      const pages = await mapObject(process, machine, object, { pageCount: 2 * count });
      expect(await pages.mbind(MPOL.BIND, maskOf(1))).toSucceed();
      const start = 'bind:1 file=/memfd:puppet\\040(deleted) huge';
      expect(await line(pages)).toBe(start);
      await pages.part(0, 1).touch();
      await pages.part(count, count + 1).touch();
      expect(await line(pages)).toBe(`${start} dirty=2 N1=2 kernelpagesize_kB=2048`);
      await process.exit();
    });
  });

  declare('a huge page of a pool is dirty once others may have it', pool, async (scene) => {
    const { process, machine, world } = scene;
    const pageCount = HUGE_BYTES / machine.pageSizeBytes;
    const mapped = async (isShared: boolean): Promise<Pages> => {
      const object = await createObject(scene, 'hugetlb', pageCount);
      return mapObject(process, machine, object, { pageCount, isShared });
    };
    await settingsOf(world).withHugePool(4, async () => {
      const [shared, own] = [await mapped(true), await mapped(false)];
      expect(await process.memory.mprotect(shared.span, 'read')).toSucceed();
      for (const pages of [shared, own]) await pages.part(0, 1).touch('read');
      expect(await dirtyIn(shared, own)).toEqual([1, 0]);
      await own.part(0, 1).touch('write');
      expect(await dirtyIn(own)).toEqual([1]);
      await process.exit();
    });
  });
}

export function numaMapsContract(subject: OpenSubject): void {
  familyFor(subject, 'numa_maps', ['areas'], (declare) => {
    declareLines(declare);
    declarePolicies(declare);
    declareCounts(declare);
    declareHuge(declare);
  });
}
