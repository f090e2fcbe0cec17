/**
 * `nodes` and `stat` beside Debian's numactl and numastat on the same machine: the figures agree
 * wherever those are right; where they are not, the test says so.
 *
 * Memory changes between two looks. Each figure of ours is taken between two of theirs, and lies
 * between them, give or take what this process allocates meanwhile.
 */

import { describe, expect, test } from 'vitest';
import { NodeMask } from '../../lib/core/node-mask.ts';
import { nodemaskWords } from '../../lib/core/nodemask-words.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import { MIB_BYTES } from '../../lib/core/units.ts';
import { given, settingsOf } from '../contract/objects.ts';
import type { World, WorldProcess } from '../contract/world.ts';
import { puppetSubject } from '../puppet/native-world.ts';
import '../support/matchers.ts';
import { expendable, whenSupported } from '../support/needs.ts';
import { needDebianNumactl, numactlHardware, numastat, rowsOf } from './debian-numactl.ts';
import { runBuiltCommand } from './run-built-command.ts';

/** What a program of this kind allocates and frees meanwhile. */
const SLACK_MIB = 4;
/** Two digits behind the point: either rounds the last one in its own way. */
const ROUNDING = 0.011;
const LOOKS_MAX = 5;

interface NodesJson {
  readonly nodes: readonly {
    readonly id: number;
    readonly cpus: string;
    readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
    readonly distances: Readonly<Record<string, number>>;
  }[];
}

async function printed(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runBuiltCommand(words);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return stdout;
}

describe('nodes shows what numactl --hardware shows', { tags: ['shown-nodes'] }, () => {
  test('nodes, CPUs, sizes, distances', async (context) => {
    needDebianNumactl(context);
    const { nodes } = JSON.parse(await printed('nodes', '--json')) as NodesJson;
    const theirs = numactlHardware();
    expect(nodes.map(({ id }) => id)).toEqual(theirs.map(({ id }) => id));
    for (const [at, { cpus, memory, distances }] of nodes.entries()) {
      expect(cpus).toBe(`${NodeMask.from(theirs[at]?.cpus ?? [])}`);
      expect(Math.floor(memory.totalBytes / MIB_BYTES)).toBe(theirs[at]?.sizeMiB);
      expect(nodes.map(({ id }) => distances[id])).toEqual(theirs[at]?.distances);
    }
  });

  test('the text has the same rows', async (context) => {
    needDebianNumactl(context);
    const text = await printed('nodes');
    const [, table = '', map = ''] = text.split('\n\n');
    const theirs = numactlHardware();
    const rows = table.split('\n').slice(1);
    expect(rows.length).toBe(theirs.length);
    for (const [at, { id, cpus, sizeMiB }] of theirs.entries()) {
      const cpuText = cpus.length === 0 ? 'no CPUs' : `${NodeMask.from(cpus)}`;
      const start = new RegExp(`^ *${id}  ${cpuText} +${sizeMiB === 0 ? 'no memory$' : '\\d'}`);
      expect(rows[at]).toMatch(start);
    }
    const distances = map.split('\n').slice(1);
    expect(distances.map((row) => row.trim().split(/ +/).slice(1).map(Number))).toEqual(
      theirs.map((node) => node.distances),
    );
  });

  test('free memory', async (context) => {
    needDebianNumactl(context);
    const before = numactlHardware();
    const { nodes } = JSON.parse(await printed('nodes', '--json')) as NodesJson;
    const after = numactlHardware();
    for (const [at, { memory }] of nodes.entries()) {
      const around = [before[at]?.freeMiB ?? 0, after[at]?.freeMiB ?? 0];
      const free = memory.freeBytes / MIB_BYTES;
      expect(free).toBeGreaterThan(Math.min(...around) - SLACK_MIB);
      expect(free).toBeLessThan(Math.max(...around) + 1 + SLACK_MIB);
    }
  });
});

describe('stat shows what numastat shows', { tags: ['shown-nodes'] }, () => {
  test('six counters of each node', async (context) => {
    needDebianNumactl(context);
    const before = numastat();
    const ours = rowsOf(await printed('stat'));
    const after = numastat();
    expect(before.size).toBe(6);
    expect([...ours.keys()]).toEqual([...before.keys()]);
    for (const [name, counts] of ours) {
      expect(counts.length).toBe(before.get(name)?.length);
      for (const [at, count] of counts.entries()) {
        expect(count, name).toBeGreaterThanOrEqual(before.get(name)?.[at] ?? 0);
        expect(count, name).toBeLessThanOrEqual(after.get(name)?.[at] ?? 0);
      }
    }
  });

  test('with --memory what numastat -m shows', async (context) => {
    needDebianNumactl(context);
    const world = await puppetSubject.open();
    try {
      const look = async (): Promise<void> => {
        for (let looks = 1; ; looks += 1) {
          const wrong = await wrongMemoryRows();
          if (looks === LOOKS_MAX || wrong.length === 0) return expect(wrong).toEqual([]);
        }
      };
      if (expendable(world.machine) !== null) return await look();
      // Pools are what numastat has had wrong most often.
      await settingsOf(world).withHugePool(1, look);
    } finally {
      await world.close();
    }
  });

  test('with process ids what numastat -p shows', async (context) => {
    needDebianNumactl(context);
    const world = await puppetSubject.open();
    whenSupported(context, world.machine, [expendable]);
    try {
      await settingsOf(world).withHugePool(1, async () => {
        const process = await world.spawn();
        await fill(process, world);
        const theirs = numastat('-p', `${process.pid}`);
        const ours = rowsOf(await printed('stat', `${process.pid}`));
        expect([...theirs.keys()]).toEqual(['Huge', 'Heap', 'Stack', 'Private', 'Total']);
        expect([...ours.keys()]).toEqual([...theirs.keys()]);
        for (const [name, amounts] of ours) {
          expect(amounts.length).toBe(theirs.get(name)?.length);
          expect(amounts.at(-1), name).toBeGreaterThan(0);
          for (const [at, amount] of amounts.entries()) {
            expect(Math.abs(amount - (theirs.get(name)?.[at] ?? 0)), name).toBeLessThan(ROUNDING);
          }
        }
        await process.exit();
      });
    } finally {
      await world.close();
    }
  });
});

/** Rows of ours that are not between two of theirs, with all three. */
async function wrongMemoryRows(): Promise<string[]> {
  const before = numastat('-m');
  const ours = rowsOf(await printed('stat', '--memory'));
  const after = numastat('-m');
  expect(before.size).toBeGreaterThan(20);
  const shown = new Set([...before.keys()].map((name) => POOL_ROWS[name] ?? name));
  const more = [...ours.keys()].filter((name) => !shown.has(name) && !NOT_SHOWN.test(name));
  expect(more).toEqual([]);
  return [...before].flatMap(([name, first]) => {
    const own = ours.get(POOL_ROWS[name] ?? name);
    if (own?.length !== first.length) return [`${name}: ${own?.length} columns`];
    const second = after.get(name) as number[];
    return own.flatMap((amount, at) => {
      const around = [first[at] as number, second[at] as number];
      const isFixed = /^(MemTotal|HugePages_)/.test(name);
      const slack = isFixed ? ROUNDING : SLACK_MIB;
      const isRight =
        amount >= Math.min(...around) - slack && amount <= Math.max(...around) + slack;
      return isRight ? [] : [`${name}: ${amount} is not within ${around.join(' to ')}`];
    });
  });
}

/** It shows the pool of the default size alone. */
const POOL_ROWS: Readonly<Record<string, string>> = {
  HugePages_Total: '2 MiB pages, total',
  HugePages_Free: '2 MiB pages, free',
  HugePages_Surp: '2 MiB pages, surplus',
};

/** Fields that came into meminfo after its list was written, and pools of other sizes. */
const NOT_SHOWN = new RegExp(
  '^(SwapCached|SecPageTables|FileHugePages|FilePmdMapped|Unaccepted|Balloon|GPUActive|' +
    'GPUReclaim|1 GiB pages, (total|free|surplus))$',
);

/** Anonymous memory on the first node, shared memory on the last, a huge page on each. */
async function fill(process: WorldProcess, { machine }: World): Promise<void> {
  const { memoryNodes, pageSizeBytes } = machine;
  const hugePages = (2 * MIB_BYTES) / pageSizeBytes;
  const on = async (address: bigint, pageCount: number, node: number): Promise<void> => {
    const nodemask = nodemaskWords(NodeMask.from([node]));
    const lengthBytes = pageCount * pageSizeBytes;
    expect(
      await process.numa.mbind({ address, lengthBytes, mode: MPOL.BIND, nodemask, flags: 0 }),
    ).toSucceed();
    expect(await process.memory.touch({ address, pageCount }, 'write')).toSucceed();
  };
  await on(given(await process.memory.mmap({ pageCount: 300 })), 300, memoryNodes[0] as number);
  const objects = process.objects;
  const shared = given(await objects.create('memfd', 200, 'shared'));
  const mapped = given(await objects.map(shared, { pageCount: 200, isShared: true }));
  await on(mapped, 200, memoryNodes.at(-1) as number);
  for (const node of memoryNodes) {
    const pool = given(await objects.create('hugetlb', hugePages));
    await on(given(await objects.map(pool, { pageCount: hugePages })), hugePages, node);
  }
}
