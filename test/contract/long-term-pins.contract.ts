/**
 * What the kernel does before and after a pin that may last: the page of zeros becomes a real one,
 * a child gets copies at once, and files that are written back are refused.
 *
 * Source: io_uring_register(2), which tells only what may be registered; mm/gup.c,
 * writable_file_mapping_allowed(); mm/memory.c, copy_present_page().
 */

import { expect } from 'vitest';
import { ERRNO, errnoName } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import {
  createObject,
  dirtyIn,
  familyFor,
  given,
  mapObject,
  settingsOf,
  vmCountersOf,
} from './objects.ts';
import { mapPages, maskOf, move, type Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EACCES, EFAULT } = ERRNO;
const PAGE_COUNT = 8;

async function register({ process, skip }: Scene, { span }: Pages): Promise<void> {
  const ring = await process.references.registerBuffer(span);
  if (!ring.ok) skip(`needs io_uring: ${errnoName(ring.errno)}`);
}

function declarePrivate(declare: DeclareTest): void {
  const conditions: Conditions = {
    needs: [memoryNodes(2), privileged],
    traits: ['references', 'contents', 'sharing'],
  };

  declare('the page of zeros becomes a real page, by policy', conditions, async (scene) => {
    const { process, machine } = scene;
    const second = machine.memoryNodes[1] as number;
    const pages = await mapPages(process, machine, 2);
    await pages.touch('read');
    expect(await where(pages)).toResideOn([-EFAULT, -EFAULT]);
    expect(await pages.mbind(MPOL.BIND, maskOf(second))).toSucceed();
    await register(scene, pages.part(0, 1));
    expect(await where(pages)).toResideOn([second, -EFAULT]);
    expect(await process.memory.load(pages.at(0))).toSucceed(0n);
  });

  declare('a child has a copy of a pinned page at once', conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = machine.memoryNodes as [number, number];
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [first, first]);
    expect(await process.memory.store(pages.at(0), 21n)).toSucceed();
    await register(scene, pages.part(0, 1));
    const child = await process.fork();
    // What parent and child share may not move, and what is the child's alone may.
    const copy = await move(child, pages.in(child), second, MPOL_MF.MOVE);
    expect(copy.status).toEqual([second, -EACCES]);
    expect(await where(pages)).toResideOn([first, first]);
    expect(await process.memory.store(pages.at(0), 22n)).toSucceed();
    expect(await where(pages)).toResideOn([first, first]);
    expect(await child.memory.load(pages.at(0))).toSucceed(21n);
  });
}

/** How many pages the machine moves meanwhile. */
async function movedBy({ world }: Scene, body: () => Promise<unknown>): Promise<number> {
  const { pgmigrateSuccess } = await vmCountersOf(world);
  await body();
  return (await vmCountersOf(world)).pgmigrateSuccess - pgmigrateSuccess;
}

function declareMovable(declare: DeclareTest): void {
  const conditions: Conditions = {
    needs: [expendable, memoryNodes(2), privileged],
    traits: ['references', 'settings', 'counters', 'contents'],
  };
  declare('pages leave a movable zone, and not their node', conditions, async (scene) => {
    const { process, machine, world, skip } = scene;
    const done = await settingsOf(world).withMovableMemory(async (node) => {
      const pages = await mapPages(process, machine, PAGE_COUNT);
      await placeOn(pages, new Array<number>(PAGE_COUNT).fill(node));
      expect(await process.memory.store(pages.address, 24n)).toSucceed();
      // A pipe is not said to last, and has its pages where they are.
      const pipe = async (): Promise<unknown> =>
        process.references.close(
          given(await process.references.splice({ address: pages.address, pageCount: PAGE_COUNT })),
        );
      expect(await movedBy(scene, pipe)).toBe(0);
      expect(await movedBy(scene, () => register(scene, pages))).toBe(PAGE_COUNT);
      expect(await where(pages)).toResideOn(new Array<number>(PAGE_COUNT).fill(node));
      expect(await process.memory.load(pages.address)).toSucceed(24n);
      // They are in another zone by now.
      expect(await movedBy(scene, () => register(scene, pages))).toBe(0);
      await process.exit();
      return true;
    });
    if (done === null) skip('needs memory that can be taken offline');
  });
}

function declareFiles(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [privileged], traits: ['references', 'objects'] };
  declare('a file that is written back is taken as this kernel does', conditions, async (scene) => {
    const { process, machine, skip, facts } = scene;
    const { references } = process;
    const memory = await (await mapPages(process, machine, 1)).touch();
    const own = await references.registerPackets({ address: memory.address, pageCount: 1 });
    if (!own.ok) skip(`needs XDP sockets: ${errnoName(own.errno)}`);
    const object = await createObject(scene, 'disk', 1);
    const file = await mapObject(process, machine, object, { pageCount: 1 });
    await file.touch();
    const result = await references.registerPackets({ address: file.address, pageCount: 1 });
    if (facts.filesCanBePinned) expect(result).toSucceed();
    else expect(result).toFailWith('register_packets', 'EFAULT');
    const copied = await mapObject(process, machine, object, { pageCount: 1, isShared: false });
    expect(await references.registerPackets({ address: copied.address, pageCount: 1 })).toSucceed();
  });

  declare('a file of ramfs is registered as this kernel lets it', conditions, async (scene) => {
    const { process, machine, facts } = scene;
    const { references } = process;
    await register(scene, await (await mapPages(process, machine, 1)).touch());
    const object = await createObject(scene, 'ramfs', 1);
    const file = await mapObject(process, machine, object, { pageCount: 1 });
    await file.touch();
    const shared = await references.registerBuffer({ address: file.address, pageCount: 1 });
    if (!facts.ringsTakeFiles) expect(shared).toFailWith('register_buffer', 'EOPNOTSUPP');
    else expect(shared).toFailWith('register_buffer', 'EFAULT');
    const own = await mapObject(process, machine, object, { pageCount: 1, isShared: false });
    const copied = await references.registerBuffer({ address: own.address, pageCount: 1 });
    if (!facts.ringsTakeFiles) expect(copied).toFailWith('register_buffer', 'EOPNOTSUPP');
    else expect(copied).toSucceed();
    const memory = await createObject(scene, 'memfd', 1);
    const mapped = await mapObject(process, machine, memory, { pageCount: 1 });
    expect(await references.registerBuffer({ address: mapped.address, pageCount: 1 })).toSucceed();
  });

  declare('a file of ramfs is pinned as this kernel does', conditions, async (scene) => {
    const { process, machine, skip, facts } = scene;
    const { references } = process;
    const memory = await (await mapPages(process, machine, 1)).touch();
    const own = await references.registerPackets({ address: memory.address, pageCount: 1 });
    if (!own.ok) skip(`needs XDP sockets: ${errnoName(own.errno)}`);
    const object = await createObject(scene, 'ramfs', 1);
    const file = await mapObject(process, machine, object, { pageCount: 1 });
    await file.touch();
    const result = await references.registerPackets({ address: file.address, pageCount: 1 });
    if (facts.filesCanBePinned) expect(result).toSucceed();
    else expect(result).toFailWith('register_packets', 'EFAULT');
  });

  const mapped: Conditions = {
    ...conditions,
    traits: ['references', 'objects', 'areas', 'addresses'],
  };
  declare('a pin of a file writes what was only read', mapped, async (scene) => {
    const { process, machine, skip, facts } = scene;
    const { references } = process;
    const memory = await (await mapPages(process, machine, 1)).touch();
    const own = await references.registerPackets({ address: memory.address, pageCount: 1 });
    if (!own.ok) skip(`needs XDP sockets: ${errnoName(own.errno)}`);
    const object = await createObject(scene, 'ramfs', 3);
    const file = await mapObject(process, machine, object, { pageCount: 3 });
    await file.part(0, 2).touch('read');
    expect(await dirtyIn(file)).toEqual([0]);
    const result = await references.registerPackets({ address: file.address, pageCount: 2 });
    expect(result.ok).toBe(facts.filesCanBePinned);
    expect(await dirtyIn(file)).toEqual([facts.filesCanBePinned ? 2 : 0]);
  });

  declare('shared memory is no such file', conditions, async (scene) => {
    const { process, machine, skip } = scene;
    const object = await createObject(scene, 'memfd', 1);
    const pages = await mapObject(process, machine, object, { pageCount: 1 });
    await pages.touch();
    const result = await process.references.registerPackets({
      address: pages.address,
      pageCount: 1,
    });
    if (!result.ok && result.errno !== EFAULT) skip(`needs XDP: ${errnoName(result.errno)}`);
    expect(result).toSucceed();
  });
}

export function longTermPinsContract(subject: OpenSubject): void {
  familyFor(subject, 'long-term pins', ['references'], (declare) => {
    declarePrivate(declare);
    declareMovable(declare);
    declareFiles(declare);
  });
}
