/**
 * /proc/PID/smaps: what the pages of a mapping are, in kB by kind, and its attributes.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap() and smaps_account().
 */

import { expect } from 'vitest';
import { MADV } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, nodesFromZero } from '../support/needs.ts';
import { createObject, familyFor, filesOf, mapObject, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, mapPages, type Pages } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { Trait } from './world.ts';

const HUGE_KB = HUGE_BYTES / 1024;
const ADVICE = [
  ['DONTFORK', 10, 'rd wr mr mw me dc ac'],
  ['WIPEONFORK', MADV.WIPEONFORK, 'rd wr mr mw me ac wf'],
  ['MERGEABLE', 12, 'rd wr mr mw me ac mg'],
  ['HUGEPAGE', MADV.HUGEPAGE, 'rd wr mr mw me ac hg'],
  ['NOHUGEPAGE', 15, 'rd wr mr mw me ac nh'],
] as const;
/** What says how large a mapping is, not what is in it. */
const SHAPE = ['Size', 'KernelPageSize', 'MMUPageSize', 'Referenced'];

function withTraits(...more: readonly Trait[]): Conditions {
  return { traits: ['files', 'addresses', 'areas', ...more] };
}

interface Smaps {
  readonly head: string;
  readonly lines: readonly string[];
  /** In kB, but those that are 0. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The words behind a name. */
  value(name: string): string | undefined;
  /** Without `sd`, which not every kernel is built to track. */
  readonly flags: string;
}

async function smapsOf({ world }: Scene, { process, address }: Pages): Promise<Smaps> {
  const result = await filesOf(world).readText(`/proc/${process.pid}/smaps`);
  expect(result).toSucceed();
  const blocks = (result.ok ? result.value : '').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  const start = `${address.toString(16).padStart(8, '0')}-`;
  const [head = '', ...lines] = blocks.find((one) => one.startsWith(start))?.split('\n') ?? [];
  const values = new Map(lines.map((line) => [line.split(':')[0] ?? '', line.split(/: */)[1]]));
  const sizes = [...values].flatMap(([name, text]) => {
    const size = Number(/^(\d+) kB$/.exec(text ?? '')?.[1] ?? 0);
    return size === 0 || SHAPE.includes(name) ? [] : [[name, size] as const];
  });
  const words = (values.get('VmFlags') ?? '').split(' ');
  const flags = words.filter((word) => word !== '' && word !== 'sd').join(' ');
  const value = (name: string): string | undefined => values.get(name);
  return { head, lines, sizes: Object.fromEntries(sizes), value, flags };
}

/** Pages with nothing near them. */
function alone({ process, machine }: Scene, pageCount: number): Promise<Pages> {
  return mapPages(process, machine, pageCount, { address: FREE_ADDRESS });
}

/** Private pages, all written, that nobody else has. */
function written(kilobytes: number): Readonly<Record<string, number>> {
  const size = kilobytes;
  return { Rss: size, Pss: size, Pss_Dirty: size, Private_Dirty: size, Anonymous: size };
}

function declareSizes(declare: DeclareTest): void {
  declare('pages of private memory are resident once written', withTraits(), async (scene) => {
    const pages = await alone(scene, 4);
    await pages.part(0, 2).touch('read');
    const before = await smapsOf(scene, pages);
    expect(before.head).toBe('2aaa00000000-2aaa00004000 rw-p 00000000 00:00 0 ');
    expect(before.sizes).toEqual({});
    const { smapsTellsMerged } = scene.facts;
    expect(before.value('KSM')).toBe(smapsTellsMerged ? '0 kB' : undefined);
    expect(before.lines).toContain(`THPeligible:    ${'0'.padStart(smapsTellsMerged ? 8 : 1)}`);
    await pages.part(1, 4).touch('write');
    const after = await smapsOf(scene, pages);
    expect(after.sizes).toEqual(written(12));
    expect(['Size', 'KernelPageSize'].map(after.value)).toEqual(['16 kB', '4 kB']);
  });

  declare('a locked mapping says so', withTraits('mlock'), async (scene) => {
    const pages = await alone(scene, 2);
    const result = await scene.process.memory.mlock({ address: pages.address, pageCount: 2 });
    if (!result.ok) scene.skip('needs memory that may be locked');
    const smaps = await smapsOf(scene, pages);
    expect(smaps.sizes).toEqual({ ...written(8), Locked: 8 });
    expect(smaps.flags).toBe('rd wr mr mw me lo ac');
  });

  declare(
    'what a child has, too, is shared until one writes',
    withTraits('sharing'),
    async (scene) => {
      const pages = await alone(scene, 4);
      await pages.touch();
      const child = await scene.process.fork();
      const shared = { Rss: 16, Pss: 8, Pss_Dirty: 8, Shared_Dirty: 16, Anonymous: 16 };
      expect((await smapsOf(scene, pages)).sizes).toEqual(shared);
      await pages.part(0, 2).in(child).touch();
      const parted = { ...shared, Pss: 12, Pss_Dirty: 12, Shared_Dirty: 8, Private_Dirty: 8 };
      expect((await smapsOf(scene, pages)).sizes).toEqual(parted);
      expect((await smapsOf(scene, pages.in(child))).sizes).toEqual(parted);
    },
  );

  const ofObjects = withTraits('sharing', 'objects');
  declare('pages of shared memory are clean until they are written', ofObjects, async (scene) => {
    const object = await createObject(scene, 'memfd', 4);
    const pages = await mapObject(scene.process, scene.machine, object, { pageCount: 4 });
    await pages.part(0, 2).touch('read');
    await pages.part(1, 2).touch('write');
    const { sizes, flags } = await smapsOf(scene, pages);
    const expected = { Rss: 8, Pss: 8, Pss_Dirty: 4, Private_Clean: 4, Private_Dirty: 4 };
    expect(sizes).toEqual(expected);
    expect(flags).toBe('rd wr sh mr mw me ms');
  });
}

function declareWords(declare: DeclareTest): void {
  declare('advice shows as words of two letters', withTraits(), async (scene) => {
    const { process } = scene;
    for (const [index, [name, advice, words]] of ADVICE.entries()) {
      const address = FREE_ADDRESS + BigInt(2 * index * scene.machine.pageSizeBytes);
      const pages = await mapPages(process, scene.machine, 1, { address });
      const advised = await process.areas.madvise({ address, pageCount: 1 }, advice);
      if (!advised.ok) continue;
      expect((await smapsOf(scene, pages)).flags, name).toBe(words);
    }
  });

  declare(
    'memory that was written stays accounted without any right',
    withTraits(),
    async (scene) => {
      const pages = await alone(scene, 1);
      await pages.touch();
      expect(
        await scene.process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'none'),
      ).toSucceed();
      const smaps = await smapsOf(scene, pages);
      expect(smaps.flags).toBe('mr mw me ac');
      expect(smaps.head).toContain(' ---p ');
      expect(smaps.sizes).toEqual(written(4));
    },
  );
}

function declareHuge(declare: DeclareTest): void {
  const needs = [expendable, memoryNodes(2), nodesFromZero(2)];
  const transparent: Conditions = { ...withTraits('settings'), needs };
  declare('a transparent huge page is told by its kind', transparent, async (scene) => {
    const { process, machine, world } = scene;
    const count = HUGE_BYTES / machine.pageSizeBytes;
    await settingsOf(world).withTransparentHugePages(async () => {
      expect(await process.allowHugePages()).toSucceed();
      const pages = await alone(scene, 2 * count);
      expect((await smapsOf(scene, pages)).value('THPeligible')).toBe('0');
      const advised = await process.areas.madvise(
        { address: pages.address, pageCount: 2 * count },
        MADV.HUGEPAGE,
      );
      expect(advised).toSucceed();
      await pages.part(0, 1).touch();
      const smaps = await smapsOf(scene, pages);
      expect(smaps.value('THPeligible')).toBe('1');
      expect(smaps.sizes).toEqual({ ...written(HUGE_KB), AnonHugePages: HUGE_KB });
      // A cut through the middle leaves the page, mapped in parts.
      await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'read');
      expect((await smapsOf(scene, pages)).sizes).toEqual(written(4));
      const rest = await smapsOf(scene, pages.part(1, 2 * count));
      expect(rest.sizes).toEqual(written(HUGE_KB - 4));
    });
  });

  const pool: Conditions = { ...withTraits('sharing', 'objects', 'settings'), needs };
  declare('huge pages of a pool are counted apart', pool, async (scene) => {
    const { process, machine, world } = scene;
    const count = HUGE_BYTES / machine.pageSizeBytes;
    await settingsOf(world).withHugePool(4, async () => {
      const object = await createObject(scene, 'hugetlb', 2 * count);
      const pages = await mapObject(process, machine, object, { pageCount: 2 * count });
      await pages.part(0, 1).touch();
      const smaps = await smapsOf(scene, pages);
      expect(smaps.value('KernelPageSize')).toBe(`${HUGE_KB} kB`);
      expect(smaps.flags).toBe('rd wr sh mr mw me ms de ht');
      expect(smaps.sizes).toEqual({ Private_Hugetlb: HUGE_KB });
      const request = { pageCount: 2 * count, isShared: false };
      const copy = await mapObject(process, machine, object, request);
      await copy.part(0, 1).touch('read');
      expect((await smapsOf(scene, copy)).sizes).toEqual({ Shared_Hugetlb: HUGE_KB });
      await copy.part(0, 1).touch('write');
      expect((await smapsOf(scene, copy)).sizes).toEqual({ Private_Hugetlb: HUGE_KB });
      const status = await filesOf(world).readText(`/proc/${process.pid}/status`);
      expect(status.ok && status.value).toMatch(/^HugetlbPages:\t +4096 kB$/m);
      await process.exit();
    });
  });
}

export function smapsContract(subject: OpenSubject): void {
  familyFor(subject, 'smaps', ['areas'], (declare) => {
    declareSizes(declare);
    declareWords(declare);
    declareHuge(declare);
  });
}
