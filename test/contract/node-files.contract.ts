/**
 * Files of the nodes and of the machine's memory below /sys and /proc.
 *
 * Source: Documentation/ABI/stable/sysfs-devices-node; Documentation/admin-guide/numastat.rst;
 * drivers/base/node.c; mm/vmstat.c; proc_meminfo(5).
 */

import { expect } from 'vitest';
import { formatIdList } from '../../lib/core/id-list.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import { KIB_BYTES } from '../../lib/core/units.ts';
import { NODES_FOLDER } from '../../lib/procfs/node-files.ts';
import { expendable, memoryNodes } from '../support/needs.ts';
import { accessTo, namesIn, read } from './node-access.ts';
import { createObject, familyFor, filesOf, mapObject, settingsOf } from './objects.ts';
import { mapPages, maskOf, placeOn } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const FILES: Conditions = { traits: ['files'] };
/** 8 MiB in pages of 4 KiB. */
const PAGES = 2048;
/** Others give pages back and take some. */
const OTHERS_PAGES = 512;
/** The lists of a CPU have up to an eighth of a node from 6.7 on, of a large one seldom more. */
const LISTED_PAGES_MAX = 4096;

/** `name number` in each line. */
async function countersIn(scene: Scene, path: string): Promise<Map<string, number>> {
  const lines = (await read(scene, path)).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}

/** Numbers by name; those in kB become bytes. */
async function meminfoOf(scene: Scene, node: number): Promise<Map<string, number>> {
  const lines = (await read(scene, `${NODES_FOLDER}/node${node}/meminfo`)).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [, name, value, unit] =
        /^Node \d+ ([\w()]+): +(\d+)( kB)?$/.exec(line) ?? expect.fail(`no line: ${line}`);
      return [name as string, Number(value) * (unit === undefined ? 1 : KIB_BYTES)];
    }),
  );
}

function declareShape(declare: DeclareTest): void {
  declare(
    'lists of nodes agree with the topology',
    { ...FILES, tags: ['nodes', 'shown-nodes'] },
    async (scene) => {
      const { nodes } = scene.machine.topology;
      const idsWhere = (is: (node: (typeof nodes)[number]) => boolean): string =>
        `${formatIdList(nodes.filter(is).map(({ id }) => id))}\n`;
      expect(await read(scene, `${NODES_FOLDER}/online`)).toBe(idsWhere(() => true));
      const possible = Array.from({ length: scene.machine.possibleNodeCount }, (_, id) => id);
      expect(await read(scene, `${NODES_FOLDER}/possible`)).toBe(`${formatIdList(possible)}\n`);
      expect(await read(scene, `${NODES_FOLDER}/has_cpu`)).toBe(
        idsWhere(({ cpus }) => cpus.length > 0),
      );
      const withMemory = idsWhere(({ memoryBytes }) => memoryBytes > 0);
      expect(await read(scene, `${NODES_FOLDER}/has_memory`)).toBe(withMemory);
      expect(await read(scene, `${NODES_FOLDER}/has_normal_memory`)).toBe(withMemory);
      const names = (await namesIn(scene, NODES_FOLDER)).filter((name) => /^node\d+$/.test(name));
      expect(names.sort()).toEqual(nodes.map(({ id }) => `node${id}`).sort());
    },
  );

  declare(
    'the files of a node agree with the topology',
    { ...FILES, tags: ['nodes', 'shown-nodes'] },
    async (scene) => {
      const { nodes, distances } = scene.machine.topology;
      for (const [index, { id, cpus, memoryBytes }] of nodes.entries()) {
        const folder = `${NODES_FOLDER}/node${id}`;
        expect(await read(scene, `${folder}/cpulist`)).toBe(`${formatIdList(cpus)}\n`);
        expect(await read(scene, `${folder}/distance`)).toBe(`${distances[index]?.join(' ')}\n`);
        const mask = (await read(scene, `${folder}/cpumap`)).trim().replaceAll(',', '');
        const expected = cpus.reduce((sum, cpu) => sum | (1n << BigInt(cpu)), 0n);
        expect(BigInt(`0x${mask}`), folder).toBe(expected);
        const meminfo = await meminfoOf(scene, id);
        expect(meminfo.get('MemTotal')).toBe(memoryBytes);
        const used = (meminfo.get('MemTotal') ?? 0) - (meminfo.get('MemFree') ?? 0);
        expect(meminfo.get('MemUsed')).toBe(used);
        // Also of nodes without memory.
        expect(await namesIn(scene, folder)).toContain('hugepages');
      }
    },
  );

  const firmware: Conditions = { ...FILES, tags: ['tiers'] };
  declare(
    'a class of access tells who reaches a node best, and how fast',
    firmware,
    async (scene) => {
      const { nodes } = scene.machine.topology;
      const told = await Promise.all(nodes.map(({ id }) => accessTo(scene, id)));
      if (told.every((access) => access === null))
        scene.skip('needs bandwidths of the firmware (HMAT)');
      const withCpus = nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id);
      for (const [index, access] of told.entries()) {
        const { initiators, ...speed } = access ?? expect.fail(`node ${nodes[index]?.id}`);
        expect(initiators.length).toBeGreaterThan(0);
        for (const initiator of initiators) expect(withCpus).toContain(initiator);
        expect(speed.write_latency).toBe(speed.read_latency);
        expect(speed.write_bandwidth).toBe(speed.read_bandwidth);
        for (const value of Object.values(speed)) expect(value).toBeGreaterThan(0);
        // A node with CPUs is the nearest to itself.
        if (nodes[index]?.cpus.length !== 0) expect(initiators).toEqual([nodes[index]?.id]);
      }
    },
  );

  // A container may have a meminfo of its own.
  const whole: Conditions = { ...FILES, needs: [expendable] };
  declare('the memory of the nodes is that of the machine', whole, async (scene) => {
    const meminfo = await read(scene, '/proc/meminfo');
    const total = Number(/^MemTotal: +(\d+) kB$/m.exec(meminfo)?.[1]) * KIB_BYTES;
    let sum = 0;
    for (const { id } of scene.machine.topology.nodes) {
      sum += (await meminfoOf(scene, id)).get('MemTotal') ?? 0;
    }
    expect(sum).toBe(total);
  });

  declare('settings of memory are there under the names of the kernel', FILES, async (scene) => {
    const { facts } = scene;
    expect(await read(scene, '/proc/sys/kernel/numa_balancing')).toMatch(/^[0-3]\n$/);
    expect(await read(scene, '/proc/sys/vm/max_map_count')).toMatch(/^\d+\n$/);
    const enabled = await read(scene, '/sys/kernel/mm/transparent_hugepage/enabled');
    expect(enabled.replaceAll(/[[\]]/g, '')).toBe('always madvise never\n');
    expect(enabled).toMatch(/\[\w+\]/);
    const weights = await filesOf(scene.world).readNames('/sys/kernel/mm/mempolicy');
    if (!facts.hasWeightedInterleave) {
      expect(weights).toFailWith('scandir', 'ENOENT');
      return;
    }
    const folder = '/sys/kernel/mm/mempolicy/weighted_interleave';
    const names = (await namesIn(scene, folder)).filter((name) => name.startsWith('node'));
    expect(names.sort()).toEqual(scene.machine.memoryNodes.map((node) => `node${node}`).sort());
    expect(await read(scene, `${folder}/${names[0]}`)).toMatch(/^\d+\n$/);
  });
}

function declareCounts(declare: DeclareTest): void {
  const counting: Conditions = { traits: ['files', 'sharing'], needs: [memoryNodes(2)] };
  declare('pages that a node gives are counted in its files', counting, async (scene) => {
    const { process, machine } = scene;
    const node = machine.memoryNodes.at(-1) as number;
    const [numastat, vmstat] = [
      `${NODES_FOLDER}/node${node}/numastat`,
      `${NODES_FOLDER}/node${node}/vmstat`,
    ];
    const takePages = async (count: number): Promise<void> => {
      const pages = await mapPages(process, machine, count);
      await placeOn(pages, new Array<number>(count).fill(node));
    };
    // Pages in the lists of the CPU count as given already: these are taken first.
    const { memoryBytes } = machine.topology.nodes.find(({ id }) => id === node) ?? {};
    const eighth = Math.floor((memoryBytes ?? 0) / machine.pageSizeBytes / 8);
    await takePages(Math.min(LISTED_PAGES_MAX, eighth));
    const before = await countersIn(scene, numastat);
    const stateBefore = await countersIn(scene, vmstat);
    await takePages(PAGES);
    const after = await countersIn(scene, numastat);
    const stateAfter = await countersIn(scene, vmstat);
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown('numa_hit')).toBeGreaterThanOrEqual(PAGES);
    const given = grown('numa_hit') + grown('numa_miss');
    expect(grown('local_node') + grown('other_node')).toBe(given);
    const change = (name: string): number =>
      (stateAfter.get(name) ?? 0) - (stateBefore.get(name) ?? 0);
    expect(change('nr_anon_pages')).toBeGreaterThan(PAGES - OTHERS_PAGES);
    expect(change('nr_free_pages')).toBeLessThan(OTHERS_PAGES - PAGES);
    const meminfo = await meminfoOf(scene, node);
    expect(meminfo.get('AnonPages')).toBeGreaterThan(
      (PAGES - OTHERS_PAGES) * machine.pageSizeBytes,
    );
  });

  declare('the counters of the machine are sums over its nodes', FILES, async (scene) => {
    const all = await countersIn(scene, '/proc/vmstat');
    const pairs = [
      ['numa_hit', 'numa_hit'],
      ['numa_miss', 'numa_miss'],
      ['numa_foreign', 'numa_foreign'],
      ['numa_interleave', 'interleave_hit'],
      ['numa_local', 'local_node'],
      ['numa_other', 'other_node'],
    ] as const;
    const sums = new Map<string, number>();
    for (const { id } of scene.machine.topology.nodes) {
      const counts = await countersIn(scene, `${NODES_FOLDER}/node${id}/numastat`);
      expect([...counts.keys()]).toEqual(NUMASTAT_NAMES);
      for (const [name, value] of counts) sums.set(name, (sums.get(name) ?? 0) + value);
    }
    // Pages are given out while the files are read.
    for (const [ofMachine, ofNode] of pairs) {
      const difference = (sums.get(ofNode) ?? 0) - (all.get(ofMachine) ?? Number.NaN);
      expect(Math.abs(difference), ofMachine).toBeLessThan(PAGES);
    }
    const known = [
      'pgmigrate_success',
      'pgmigrate_fail',
      'numa_pages_migrated',
      'numa_pte_updates',
    ];
    expect([...all.keys()]).toEqual(expect.arrayContaining(known));
  });
}

const NUMASTAT_NAMES = [
  'numa_hit',
  'numa_miss',
  'numa_foreign',
  'interleave_hit',
  'local_node',
  'other_node',
];

function declarePools(declare: DeclareTest): void {
  const traits = ['files', 'sharing', 'objects', 'settings'] as const;
  const conditions: Conditions = { traits, needs: [expendable, memoryNodes(2)] };
  declare("files of a node's pool count its huge pages", conditions, async (scene) => {
    const { process, machine, world } = scene;
    const node = machine.memoryNodes[1] as number;
    const countsOf = async (id: number, ...names: string[]): Promise<number[]> => {
      const folder = `${NODES_FOLDER}/node${id}/hugepages/hugepages-2048kB`;
      const files = names.map((name) => `${folder}/${name}_hugepages`);
      return (await Promise.all(files.map((file) => read(scene, file)))).map(Number);
    };
    const counts = () => countsOf(node, 'nr', 'free', 'surplus');
    await settingsOf(world).withHugePool(4, async () => {
      expect(await counts()).toEqual([4, 4, 0]);
      const object = await createObject(scene, 'hugetlb', 1024);
      const pages = await mapObject(process, machine, object, { pageCount: 1024 });
      const reserved = '/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages';
      expect(await read(scene, reserved)).toBe('2\n');
      expect(await pages.mbind(MPOL.BIND, maskOf(node))).toSucceed();
      await pages.part(0, 1).touch();
      expect(await counts()).toEqual([4, 3, 0]);
      expect(await read(scene, reserved)).toBe('1\n');
      const meminfo = await meminfoOf(scene, node);
      const names = ['HugePages_Total', 'HugePages_Free', 'HugePages_Surp'];
      expect(names.map((name) => meminfo.get(name))).toEqual([4, 3, 0]);
      // A small node has no room for its share.
      const each = await Promise.all(machine.memoryNodes.map((id) => countsOf(id, 'nr')));
      const all = each.flat().reduce((sum, count) => sum + count, 0);
      expect(await read(scene, '/proc/sys/vm/nr_hugepages')).toBe(`${all}\n`);
      const total = new RegExp(`^HugePages_Total: +${all}$`, 'm');
      expect(await read(scene, '/proc/meminfo')).toMatch(total);
      await process.exit();
    });
  });
}

export function nodeFilesContract(subject: OpenSubject): void {
  familyFor(subject, 'files of nodes', ['files'], (declare) => {
    declareShape(declare);
    declareCounts(declare);
    declarePools(declare);
  });
}
