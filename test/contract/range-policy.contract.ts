/**
 * Policies of ranges: which ranges take one, and what becomes of the pages that are there already.
 *
 * Source: mbind(2); mm/mempolicy.c, do_mbind() and queue_pages_range().
 */

import { describe, expect } from 'vitest';
import { MPOL, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { memoryNodes, type Need } from '../support/needs.ts';
import {
  FREE_ADDRESS,
  mapPages,
  maskOf,
  type Pages,
  placeOn,
  rangePolicy,
  where,
} from './pages.ts';
import { type DeclareTest, type OpenSubject, type Scene, testsOf } from './scene.ts';

const { STRICT, MOVE } = MPOL_MF;
const NO_POLICY = { mode: MPOL.DEFAULT, nodes: [] };
const FAULTS = ['mbind', 'EFAULT'] as const;
const FAILS_STRICT = ['mbind', 'EIO'] as const;

/** The node that a relative number stands for. */
function meantBy(nodes: readonly number[], number: number): number {
  return nodes[number % nodes.length] as number;
}

/** Met where the numbers of the nodes with memory have gaps. */
const relativeNumberOfAnother: Need = ({ memoryNodes: nodes }) =>
  nodes.some((node) => meantBy(nodes, node) !== node)
    ? null
    : 'needs a gap in the numbers of the nodes with memory';

/** Five touched pages with nothing mapped around them, less one. */
async function withHole({ process, machine, node }: Scene, hole: number): Promise<Pages> {
  const pages = await mapPages(process, machine, 5, { address: FREE_ADDRESS });
  await placeOn(pages, new Array<number>(5).fill(node));
  await pages.part(hole, hole + 1).unmap();
  return pages;
}

function declareHoles(declare: DeclareTest): void {
  const traits = ['addresses'] as const;

  declare('a hole anywhere in the range changes nothing', { traits }, async (scene) => {
    const { machine, node } = scene;
    const target = machine.memoryNodes.at(-1) as number;
    for (const hole of [0, 2, 4]) {
      const pages = await withHole(scene, hole);
      const rest = [0, 1, 2, 3, 4].filter((index) => index !== hole);
      for (const flags of [0, MOVE]) {
        const label = `hole at ${hole}, flags ${flags}`;
        expect(await pages.mbind(MPOL.BIND, maskOf(target), flags), label).toFailWith(...FAULTS);
        expect(await pages.mbind(MPOL.LOCAL, null, flags), label).toFailWith(...FAULTS);
      }
      for (const index of rest) {
        const page = pages.part(index, index + 1);
        expect(await rangePolicy(page, machine)).toEqual(NO_POLICY);
        expect(await where(page)).toResideOn([node]);
        await page.unmap();
      }
    }
  });

  declare(
    'DEFAULT takes ranges with holes, but not one without a mapping',
    { traits },
    async (scene) => {
      const { machine, node } = scene;
      const pages = await withHole(scene, 2);
      for (const index of [0, 1, 3, 4]) {
        await pages.part(index, index + 1).mbind(MPOL.BIND, maskOf(node));
      }
      expect(await pages.mbind(MPOL.DEFAULT, null)).toSucceed();
      for (const index of [0, 1, 3, 4]) {
        expect(await rangePolicy(pages.part(index, index + 1), machine)).toEqual(NO_POLICY);
      }
      expect(await pages.part(2, 3).mbind(MPOL.DEFAULT, null)).toFailWith(...FAULTS);
    },
  );

  declare(
    'of a hole and a misplaced page the one met first decides',
    {
      traits,
      needs: [memoryNodes(2)],
    },
    async (scene) => {
      const { process, machine } = scene;
      const [first, second] = machine.memoryNodes as [number, number];
      // The gap after a mapping is seen before the mapping's pages are looked at.
      const cases = [
        { misplaced: 0, errno: 'EIO' },
        { misplaced: 2, errno: 'EFAULT' },
      ];
      for (const { misplaced, errno } of cases) {
        const pages = await mapPages(process, machine, 6, { address: FREE_ADDRESS });
        await placeOn(pages.part(misplaced, misplaced + 1), [first]);
        await pages.part(0, 2).mbind(MPOL.PREFERRED, maskOf(second));
        await pages.part(4, 5).unmap();
        const result = await pages.mbind(MPOL.BIND, maskOf(second), STRICT);
        expect(result).toFailWith('mbind', errno);
        await pages.unmap();
      }
    },
  );
}

function declareLengths(declare: DeclareTest): void {
  declare('a length is rounded up to pages', {}, async ({ process, machine, node }) => {
    const pages = await mapPages(process, machine, 2);
    const request = { address: pages.address, mode: MPOL.BIND, nodemask: maskOf(node), flags: 0 };
    expect(await process.numa.mbind({ ...request, lengthBytes: 1 })).toSucceed();
    expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
    expect(await rangePolicy(pages.part(1, 2), machine)).toEqual(NO_POLICY);
  });

  declare(
    'length 0 succeeds anywhere, and needs no nodes',
    { traits: ['addresses'] },
    async ({ process, node }) => {
      const request = { address: FREE_ADDRESS, lengthBytes: 0, mode: MPOL.BIND, flags: 0 };
      expect(await process.numa.mbind({ ...request, nodemask: maskOf(node) })).toSucceed();
      expect(await process.numa.mbind({ ...request, nodemask: null })).toSucceed();
    },
  );

  declare(
    'a length that wraps is refused, unless it rounds up to nothing',
    {
      traits: ['pointers'],
    },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      const request = { address: pages.address, mode: MPOL.BIND, nodemask: maskOf(node), flags: 0 };
      const tooLong = 2n ** 64n - BigInt(machine.pageSizeBytes);
      expect(await process.numa.mbind({ ...request, lengthBytes: tooLong })).toFailWith(
        'mbind',
        'EINVAL',
      );
      expect(await process.numa.mbind({ ...request, lengthBytes: 2n ** 64n - 1n })).toSucceed();
      expect(await rangePolicy(pages, machine)).toEqual(NO_POLICY);
    },
  );
}

function declareStrict(declare: DeclareTest): void {
  declare('STRICT with LOCAL fails wherever a page is present', {}, async (scene) => {
    const { process, machine } = scene;
    const pages = await mapPages(process, machine, 2);
    expect(await pages.mbind(MPOL.LOCAL, null, STRICT)).toSucceed();
    await pages.mbind(MPOL.DEFAULT, null);
    await pages.part(1, 2).touch();
    // The list of wanted nodes is empty, so no page can be on one of them.
    expect(await pages.mbind(MPOL.LOCAL, null, STRICT)).toFailWith(...FAILS_STRICT);
    expect(await pages.mbind(MPOL.PREFERRED, null, STRICT)).toFailWith(...FAILS_STRICT);
    expect(await rangePolicy(pages, machine)).toEqual(NO_POLICY);
  });

  declare('STRICT with relative nodes compares with the numbers as given', {}, async (scene) => {
    const { process, machine, node } = scene;
    const pages = await mapPages(process, machine, 1);
    await placeOn(pages, [node]);
    const mode = MPOL.BIND | MPOL_MODE_FLAG.RELATIVE_NODES;
    // Stands for the lowest node, but does not name it.
    const nodemask = maskOf(machine.memoryNodes.length + node);
    expect(await pages.mbind(mode, nodemask, STRICT)).toFailWith(...FAILS_STRICT);
    expect(await pages.mbind(mode, nodemask)).toSucceed();
  });

  declare(
    'STRICT with PREFERRED is met on any of the nodes given',
    {
      needs: [memoryNodes(3)],
    },
    async ({ process, machine }) => {
      const [, second, third] = machine.memoryNodes as [number, number, number];
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [third]);
      const nodemask = maskOf(second, third);
      expect(await pages.mbind(MPOL.PREFERRED, nodemask, MOVE | STRICT)).toSucceed();
      expect(await where(pages)).toResideOn([third]);
    },
  );
}

function declareDestinations(declare: DeclareTest): void {
  const needs = [memoryNodes(2)];

  declare(
    "DEFAULT moves every page to where the thread's policy says, and ignores STRICT",
    {
      needs,
    },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 4);
      await placeOn(pages, [first, second, first, second]);
      expect(await pages.mbind(MPOL.DEFAULT, null, STRICT)).toSucceed();
      expect(await where(pages)).toResideOn([first, second, first, second]);
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(second) });
      expect(await pages.mbind(MPOL.DEFAULT, null, MOVE | STRICT)).toSucceed();
      expect(await where(pages)).toResideOn([second, second, second, second]);
    },
  );

  declare(
    'pages move with their contents, to any node',
    { needs, traits: ['contents'] },
    async ({ process, machine }) => {
      const pages = await mapPages(process, machine, 2);
      expect(await process.memory.store(pages.at(1), 0x1234_5678n)).toSucceed();
      await pages.touch();
      for (const node of machine.memoryNodes.toReversed()) {
        expect(await pages.mbind(MPOL.BIND, maskOf(node), MOVE)).toSucceed();
        expect(await where(pages)).toResideOn([node, node]);
        expect(await process.memory.load(pages.at(1))).toSucceed(0x1234_5678n);
      }
    },
  );

  declare(
    'relative nodes move to the nodes that they stand for',
    { needs },
    async ({ process, machine }) => {
      const { memoryNodes: nodes } = machine;
      const [first, second] = nodes as [number, number];
      const pages = await mapPages(process, machine, 1);
      await placeOn(pages, [second]);
      const mode = MPOL.BIND | MPOL_MODE_FLAG.RELATIVE_NODES;
      // A multiple of the count of nodes stands for the first; this one is no node's number.
      const beyond = (Math.floor((nodes.at(-1) as number) / nodes.length) + 1) * nodes.length;
      expect(await pages.mbind(mode, maskOf(beyond), MOVE)).toSucceed();
      expect(await where(pages)).toResideOn([first]);
    },
  );

  declare(
    'a page on the node that a relative number names stays, though another is meant',
    { needs: [relativeNumberOfAnother] },
    async ({ process, machine }) => {
      const { memoryNodes: nodes } = machine;
      const named = nodes.find((node) => meantBy(nodes, node) !== node) as number;
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages.part(0, 1), [named]);
      const mode = MPOL.BIND | MPOL_MODE_FLAG.RELATIVE_NODES;
      expect(await pages.mbind(mode, maskOf(named), MOVE | STRICT)).toSucceed();
      expect(await where(await pages.touch())).toResideOn([named, meantBy(nodes, named)]);
    },
  );

  declare(
    'without MOVE pages stay, and only new ones follow',
    { needs },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages.part(0, 1), [first]);
      expect(await pages.mbind(MPOL.BIND, maskOf(second))).toSucceed();
      expect(await where(await pages.touch())).toResideOn([first, second]);
    },
  );
}

export function rangePolicyContract(subject: OpenSubject): void {
  describe('range policy', { tags: ['node-numbers'] }, () => {
    const declare = testsOf(subject);
    declareHoles(declare);
    declareLengths(declare);
    declareStrict(declare);
    declareDestinations(declare);
  });
}
