/**
 * /proc/PID/maps and pagemap, and that maps, smaps and numa_maps tell of the same mappings.
 *
 * Source: proc_pid_maps(5), proc_pid_pagemap(5); fs/proc/task_mmu.c, show_map_vma() and
 * pagemap_pmd_range().
 */

import { expect } from 'vitest';
import { PM_FILE, PM_MMAP_EXCLUSIVE, PM_PRESENT } from '../../lib/core/uapi.ts';
import type { ObjectKind } from '../../lib/machine/objects.ts';
import { parseMaps } from '../../lib/procfs/maps.ts';
import { parseNumaMaps } from '../../lib/procfs/numa-maps.ts';
import { parseSmaps } from '../../lib/procfs/smaps.ts';
import { createObject, familyFor, filesOf, mapObject } from './objects.ts';
import { FREE_ADDRESS, mapPages, type Pages, placeOn } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const NAME_COLUMN = 73;
const ODD_NAME = 'a b\tc\nd=e\\040f\\g';

const FILES: Conditions = { traits: ['files', 'addresses', 'areas'] };
const OF_OBJECTS: Conditions = { traits: ['files', 'addresses', 'areas', 'sharing', 'objects'] };

async function textOf({ world, process }: Scene, file: string): Promise<string> {
  const result = await filesOf(world).readText(`/proc/${process.pid}/${file}`);
  expect(result).toSucceed();
  return result.ok ? result.value : '';
}

/** The line of maps that starts there. */
async function lineOf(scene: Scene, { address }: Pages): Promise<string> {
  const start = `${address.toString(16).padStart(8, '0')}-`;
  const lines = (await textOf(scene, 'maps')).split('\n');
  return lines.find((line) => line.startsWith(start)) ?? '';
}

function declareNames(declare: DeclareTest): void {
  declare('a new line in a name is escaped, and nothing else', OF_OBJECTS, async (scene) => {
    const object = await createObject(scene, 'memfd', 3, ODD_NAME);
    const request = { pageCount: 2, firstPage: 1 };
    const pages = await mapObject(scene.process, scene.machine, object, request);
    const line = await lineOf(scene, pages);
    const head = line.slice(0, NAME_COLUMN);
    expect(head).toMatch(/^[0-9a-f]+-[0-9a-f]+ rw-s 00001000 00:[0-9a-f]{2} \d+ +$/);
    expect(line.slice(NAME_COLUMN)).toBe('/memfd:a b\tc\\012d=e\\040f\\g (deleted)');
    // The other file escapes blanks as well, and neither a backslash.
    const name = '/memfd:a\\040b\\011c\\012d\\075e\\040f\\g\\040(deleted)';
    const lines = (await textOf(scene, 'numa_maps')).split('\n');
    expect(lines).toContain(`${pages.address.toString(16)} default file=${name}`);
  });

  const kinds: readonly (readonly [ObjectKind, string])[] = [
    ['memfd', '/memfd:puppet (deleted)'],
    ['sysv', '/SYSV00000000 (deleted)'],
    ['tmpfs', '/object'],
    ['secret', '/secretmem (deleted)'],
  ];
  for (const [kind, name] of kinds) {
    declare(`an object of kind ${kind} has a name and a number`, OF_OBJECTS, async (scene) => {
      const object = await createObject(scene, kind, 2);
      const pages = await mapObject(scene.process, scene.machine, object, { pageCount: 2 });
      const line = await lineOf(scene, pages);
      expect(line.slice(NAME_COLUMN)).toBe(name);
      // A segment shows its number in the place of the inode.
      const shown = kind === 'sysv' ? object.id : object.inode;
      expect(Number(line.split(/ +/)[4])).toBe(shown);
    });
  }

  declare('what nobody has named is told by the kernel, or not at all', FILES, async (scene) => {
    const { process, machine } = scene;
    const request = { address: FREE_ADDRESS };
    const own = await mapPages(process, machine, 2, request);
    const shared = await mapPages(process, machine, 2, { isShared: true });
    expect(await lineOf(scene, own)).toBe('2aaa00000000-2aaa00002000 rw-p 00000000 00:00 0 ');
    expect((await lineOf(scene, shared)).slice(NAME_COLUMN)).toBe('/dev/zero (deleted)');
    const entries = parseMaps(await textOf(scene, 'maps'));
    const named = (name: string): number => entries.filter((one) => one.name === name).length;
    expect(['[heap]', '[stack]', '[vdso]'].map(named)).toEqual([1, 1, 1]);
  });
}

function declareAgreement(declare: DeclareTest): void {
  declare('three files tell of the same mappings, in the same order', FILES, async (scene) => {
    const { process, machine, node } = scene;
    const pages = await mapPages(process, machine, 8, { address: FREE_ADDRESS });
    await placeOn(pages.part(2, 5), [node, node, node]);
    const shared = await mapPages(process, machine, 3, { isShared: true });
    await shared.part(0, 2).touch();
    const maps = parseMaps(await textOf(scene, 'maps'));
    const numaMaps = parseNumaMaps(await textOf(scene, 'numa_maps'));
    const smaps = parseSmaps(await textOf(scene, 'smaps'));
    // One page of the kernel, in each process of some machines, has no line in numa_maps.
    for (const entries of [maps, smaps]) {
      if (entries.at(-1)?.name === '[vsyscall]') entries.pop();
    }
    const starts = maps.map(({ start }) => start);
    expect(starts).toEqual([...starts].sort((a, b) => (a < b ? -1 : 1)));
    expect(numaMaps.map(({ start }) => start)).toEqual(starts);
    expect(smaps.map(({ start }) => start)).toEqual(starts);
    for (const [index, { name }] of maps.entries()) {
      // Pages that the kernel lends are resident, and counted for no node.
      if (name === '[vdso]') continue;
      const counted = [...(numaMaps[index]?.pagesByNode.values() ?? [])];
      const bytes = counted.reduce((sum, count) => sum + count, 0) * machine.pageSizeBytes;
      expect(bytes, name ?? `mapping ${index}`).toBe(smaps[index]?.residentBytes);
    }
  });

  declare('pagemap tells which pages of another process are there', OF_OBJECTS, async (scene) => {
    const { process, machine, world } = scene;
    const reader = await world.spawn();
    const entries = async ({ span }: Pages): Promise<bigint[]> => {
      const result = await reader.files.pagemap(span, process.pid);
      expect(result).toSucceed();
      return result.ok ? Array.from(result.value, (entry) => entry & (PM_PRESENT | PM_FILE)) : [];
    };
    const pages = await mapPages(process, machine, 4);
    await pages.part(1, 3).touch();
    expect(await entries(pages)).toEqual([0n, PM_PRESENT, PM_PRESENT, 0n]);
    const object = await createObject(scene, 'memfd', 2);
    const shared = await mapObject(process, machine, object, { pageCount: 2 });
    await shared.part(0, 1).touch();
    expect(await entries(shared)).toEqual([PM_PRESENT | PM_FILE, 0n]);
    await reader.exit();
  });
}

function declareExclusive(declare: DeclareTest): void {
  declare('pagemap tells which pages are mapped once', OF_OBJECTS, async (scene) => {
    const { process, machine, world } = scene;
    const reader = await world.spawn();
    const mappedOnce = async ({ span }: Pages): Promise<boolean[]> => {
      const result = await reader.files.pagemap(span, process.pid);
      expect(result).toSucceed();
      const known = result.ok ? Array.from(result.value) : [];
      return known.map((entry) => (entry & PM_MMAP_EXCLUSIVE) !== 0n);
    };
    const pages = await mapPages(process, machine, 4);
    await pages.part(0, 2).touch();
    await pages.part(2, 3).touch('read');
    expect(await mappedOnce(pages)).toEqual([true, true, false, false]);
    const child = await process.fork();
    await pages.part(1, 2).touch();
    expect(await mappedOnce(pages)).toEqual([false, true, false, false]);
    await child.exit();
    expect(await mappedOnce(pages)).toEqual([true, true, false, false]);
    await reader.exit();
  });
}

export function mapsContract(subject: OpenSubject): void {
  familyFor(subject, 'maps', ['areas'], (declare) => {
    declareNames(declare);
    declareAgreement(declare);
    declareExclusive(declare);
  });
}
