/**
 * How policies cut a mapping into memory areas, and which of them become one again. Areas are as
 * /proc/PID/numa_maps lists them; their policies are the effective ones.
 *
 * Source: mm/mempolicy.c, mbind_range() and __mpol_equal(), which compares the mask that the user
 * gave only where it is kept (static and relative nodes).
 */

import { expect } from 'vitest';
import { MADV, MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { memoryNodes, nodesFromZero } from '../support/needs.ts';
import { areasIn, familyFor } from './objects.ts';
import { FREE_ADDRESS, mapPages, maskOf, Pages, placeOn, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const PAGES = 6;
/** Possible nowhere, but below every kernel's limit. */
const ABSENT_NODE = 9;
const TRAITS: Conditions = { traits: ['areas', 'addresses'] };

/** Pages from, to (exclusive), and the policy for them: a name of `POLICIES`. */
type Step = readonly [start: number, end: number, policy: keyof typeof POLICIES];

const STATIC = MPOL_MODE_FLAG.STATIC_NODES;
const POLICIES = {
  default: { mode: MPOL.DEFAULT, nodemask: null },
  bind: { mode: MPOL.BIND, nodemask: maskOf(0) },
  interleave: { mode: MPOL.INTERLEAVE, nodemask: maskOf(0) },
  bindAbsent: { mode: MPOL.BIND, nodemask: maskOf(0, ABSENT_NODE) },
  bindStatic: { mode: MPOL.BIND | STATIC, nodemask: maskOf(0) },
  bindStaticAbsent: { mode: MPOL.BIND | STATIC, nodemask: maskOf(0, ABSENT_NODE) },
  prefer: { mode: MPOL.PREFERRED, nodemask: maskOf(0) },
  preferSecond: { mode: MPOL.PREFERRED, nodemask: maskOf(0, 1) },
  local: { mode: MPOL.LOCAL, nodemask: null },
} as const;

const ROWS: readonly (readonly [string, readonly Step[], readonly number[]])[] = [
  [
    'a policy taken back from a part leaves the part',
    [
      [0, 4, 'bind'],
      [2, 4, 'default'],
    ],
    [2, 4],
  ],
  [
    'equal policies of neighbours are one area',
    [
      [0, 2, 'bind'],
      [2, 4, 'bind'],
    ],
    [4, 2],
  ],
  [
    'a gap filled with the policy of both sides joins them',
    [
      [0, 2, 'bind'],
      [4, 6, 'bind'],
      [2, 4, 'bind'],
    ],
    [6],
  ],
  [
    'a gap joins the side before it',
    [
      [0, 2, 'bind'],
      [4, 6, 'interleave'],
      [2, 4, 'bind'],
    ],
    [4, 2],
  ],
  [
    'a gap joins the side behind it',
    [
      [0, 2, 'bind'],
      [4, 6, 'interleave'],
      [2, 4, 'interleave'],
    ],
    [2, 4],
  ],
  [
    'DEFAULT over all of it makes it whole',
    [
      [0, 6, 'bind'],
      [2, 4, 'default'],
      [0, 6, 'default'],
    ],
    [6],
  ],
  [
    'nodes that do not exist do not tell policies apart',
    [
      [0, 3, 'bind'],
      [3, 6, 'bindAbsent'],
    ],
    [6],
  ],
  [
    'static nodes are compared as they were given',
    [
      [0, 3, 'bindStatic'],
      [3, 6, 'bindStaticAbsent'],
    ],
    [3, 3],
  ],
  [
    'a flag tells policies apart',
    [
      [0, 3, 'bind'],
      [3, 6, 'bindStatic'],
    ],
    [3, 3],
  ],
  [
    'a mode tells policies apart',
    [
      [0, 3, 'local'],
      [3, 6, 'prefer'],
    ],
    [3, 3],
  ],
  ['LOCAL is not DEFAULT', [[0, 3, 'local']], [3, 3]],
  [
    'the middle of a policy becomes an area of its own',
    [
      [0, 6, 'bind'],
      [2, 4, 'interleave'],
    ],
    [2, 2, 2],
  ],
];

/** Six pages with nothing near them. */
function alone({ process, machine }: Scene): Promise<Pages> {
  return mapPages(process, machine, PAGES, { address: FREE_ADDRESS });
}

async function sizes(pages: Pages): Promise<number[]> {
  const areas = await areasIn(pages.process, pages.span);
  return areas.map(({ pageCount }) => pageCount);
}

async function policies(pages: Pages): Promise<[number, string][]> {
  const areas = await areasIn(pages.process, pages.span);
  return areas.map(({ pageCount, policy }) => [pageCount, policy]);
}

async function apply(pages: Pages, steps: readonly Step[]): Promise<void> {
  for (const [start, end, name] of steps) {
    const { mode, nodemask } = POLICIES[name];
    expect(await pages.part(start, end).mbind(mode, nodemask), name).toSucceed();
  }
}

function declareTable(declare: DeclareTest): void {
  for (const [sentence, steps, expected] of ROWS) {
    declare(sentence, { ...TRAITS, needs: [nodesFromZero(1)] }, async (scene) => {
      const pages = await alone(scene);
      await apply(pages, steps);
      expect(await sizes(pages)).toEqual(expected);
    });
  }

  const needs = [nodesFromZero(2)];
  declare('only the first node of PREFERRED counts', { ...TRAITS, needs }, async (scene) => {
    const pages = await alone(scene);
    await apply(pages, [
      [0, 3, 'prefer'],
      [3, 6, 'preferSecond'],
    ]);
    expect(await policies(pages)).toEqual([[6, 'prefer:0']]);
  });

  declare('touched pages are cut as untouched ones are', { ...TRAITS, needs }, async (scene) => {
    const pages = await alone(scene);
    await placeOn(pages, [0, 1, 0, 1, 0, 1]);
    await apply(pages, [[2, 4, 'bind']]);
    expect(await policies(pages)).toEqual([
      [2, 'default'],
      [2, 'bind:0'],
      [2, 'default'],
    ]);
    expect(await where(pages)).toResideOn([0, 1, 0, 1, 0, 1]);
    await apply(pages, [[2, 4, 'default']]);
    expect(await sizes(pages)).toEqual([6]);
  });
}

function declareKept(declare: DeclareTest): void {
  const conditions = { ...TRAITS, needs: [nodesFromZero(1)] };
  declare(
    'access rights cut an area, and both parts keep the policy',
    conditions,
    async (scene) => {
      const pages = await alone(scene);
      await apply(pages, [[0, 6, 'bind']]);
      expect(
        await scene.process.memory.mprotect({ address: pages.address, pageCount: 3 }, 'read'),
      ).toSucceed();
      expect(await policies(pages)).toEqual([
        [3, 'bind:0'],
        [3, 'bind:0'],
      ]);
      expect(
        await scene.process.memory.mprotect({ address: pages.address, pageCount: 3 }, 'write'),
      ).toSucceed();
      expect(await policies(pages)).toEqual([[6, 'bind:0']]);
    },
  );

  declare('dropped pages leave the policy', conditions, async (scene) => {
    const pages = await alone(scene);
    await apply(pages, [[0, 6, 'bind']]);
    await pages.touch();
    expect(
      await scene.process.areas.madvise({ address: pages.at(1), pageCount: 3 }, MADV.DONTNEED),
    ).toSucceed();
    expect(await policies(pages)).toEqual([[6, 'bind:0']]);
  });

  declare('a page unmapped and mapped again has no policy', conditions, async (scene) => {
    const pages = await alone(scene);
    await apply(pages, [[0, 6, 'bind']]);
    await pages.part(2, 3).unmap();
    await mapPages(scene.process, scene.machine, 1, { address: pages.at(2) });
    expect(await policies(pages)).toEqual([
      [2, 'bind:0'],
      [1, 'default'],
      [3, 'bind:0'],
    ]);
  });

  declare('a mapping does not inherit from the one before it', conditions, async (scene) => {
    const pages = await alone(scene);
    await apply(pages, [[0, 6, 'bind']]);
    await mapPages(scene.process, scene.machine, 2, { address: pages.at(PAGES) });
    const both = await areasIn(scene.process, { address: pages.address, pageCount: PAGES + 2 });
    expect(both.map(({ pageCount, policy }) => [pageCount, policy])).toEqual([
      [6, 'bind:0'],
      [2, 'default'],
    ]);
  });

  declare('a moved mapping takes its policies along', conditions, async (scene) => {
    const { process } = scene;
    const pages = await alone(scene);
    await apply(pages, [[0, 6, 'interleave']]);
    await pages.part(0, 2).touch();
    const target = FREE_ADDRESS + 0x1000_0000n;
    expect(
      await process.areas.mremap({ address: pages.address, pageCount: PAGES }, target),
    ).toSucceed();
    const areas = await areasIn(process, { address: target, pageCount: PAGES });
    expect(areas.map(({ pageCount, policy }) => [pageCount, policy])).toEqual([
      [6, 'interleave:0'],
    ]);
    expect(await areasIn(process, { address: pages.address, pageCount: PAGES })).toEqual([]);
  });
}

/** Where the pages of a moved interleaved mapping appear, by what was touched before. */
function declareMovedInterleave(declare: DeclareTest): void {
  for (const wasTouched of [true, false]) {
    const numbers = wasTouched ? 'keeps its page numbers' : 'is numbered anew';
    const sentence = `a moved ${wasTouched ? 'touched' : 'untouched'} mapping ${numbers}`;
    declare(sentence, { ...TRAITS, needs: [memoryNodes(2)] }, async (scene) => {
      const { process, machine } = scene;
      const pair = machine.memoryNodes.slice(0, 2) as [number, number];
      const pages = await alone(scene);
      expect(await pages.mbind(MPOL.INTERLEAVE, maskOf(...pair))).toSucceed();
      if (wasTouched) await pages.part(0, 1).touch();
      // One page off the even distance: the new numbers have the other parity.
      const target = FREE_ADDRESS + BigInt(0x101 * machine.pageSizeBytes);
      expect(
        await process.areas.mremap({ address: pages.address, pageCount: PAGES }, target),
      ).toSucceed();
      const moved = await new Pages(process, target, PAGES, machine.pageSizeBytes).touch();
      const [even, odd] = wasTouched ? pair : [pair[1], pair[0]];
      expect(await where(moved)).toResideOn([even, odd, even, odd, even, odd]);
    });
  }
}

export function vmaSplitContract(subject: OpenSubject): void {
  familyFor(subject, 'memory areas', ['areas'], (declare) => {
    declareTable(declare);
    declareKept(declare);
    declareMovedInterleave(declare);
  });
}
