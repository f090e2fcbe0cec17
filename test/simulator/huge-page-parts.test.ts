/**
 * Transparent huge pages that are mapped page by page, as four kernels were seen to treat them.
 */

import { describe, expect, test } from 'vitest';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { type KernelLine, kernelLines } from '../../lib/core/kernels.ts';
import { MADV, MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { presets } from '../../lib/simulator/presets.ts';
import { settingsOf } from '../contract/objects.ts';
import { FREE_ADDRESS, mapPages, maskOf, move, type Pages, where } from '../contract/pages.ts';
import type { World, WorldProcess } from '../contract/world.ts';
import '../support/matchers.ts';
import { openSimulatedWorld } from './simulated-world.ts';

const HUGE_PAGES = 512;
const ZEROS = -14;

/** Equal statuses in a row, each with their number. */
async function runs(pages: Pages): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for (const status of await where(pages)) {
    const last = found.at(-1);
    if (last?.[0] === status) last[1] += 1;
    else found.push([status, 1]);
  }
  return found;
}

async function bindThread(process: WorldProcess, node: number): Promise<void> {
  expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) })).toSucceed();
}

async function withHugePage(
  line: KernelLine,
  body: (pages: Pages, process: WorldProcess) => Promise<void>,
  access: 'read' | 'write' = 'write',
): Promise<void> {
  const world: World = openSimulatedWorld(presets.fourNodes, { kernel: line });
  await settingsOf(world).withTransparentHugePages(async () => {
    const process = await world.spawn();
    const areas = process.areas;
    await process.allowHugePages();
    await bindThread(process, 0);
    const pages = await mapPages(process, world.machine, HUGE_PAGES, { address: FREE_ADDRESS });
    await areas.madvise({ address: pages.address, pageCount: HUGE_PAGES }, MADV.HUGEPAGE);
    await pages.part(5, 6).touch(access);
    await body(pages, process);
  });
}

describe('huge pages in parts', () => {
  for (const line of kernelLines) {
    const facts = kernelFacts(line);

    test(`Linux ${line}: a write to the huge page of zeros`, () =>
      withHugePage(
        line,
        async (pages) => {
          await pages.part(7, 8).touch();
          const small = [
            [ZEROS, 7],
            [0, 1],
            [ZEROS, 504],
          ];
          expect(await runs(pages)).toEqual(facts.replacesHugeZeroPage ? [[0, HUGE_PAGES]] : small);
        },
        'read',
      ));

    test(`Linux ${line}: a part is unmapped, and the rest moves`, () =>
      withHugePage(line, async (pages, process) => {
        await pages.part(100, 101).unmap();
        expect((await move(process, pages.part(0, 1), 1)).status).toEqual([1]);
        const whole = [
          [1, 100],
          [ZEROS, 1],
          [1, 411],
        ];
        expect(await runs(pages)).toEqual(
          facts.splittingDropsZeros ? [[ZEROS, HUGE_PAGES]] : whole,
        );
      }));

    test(`Linux ${line}: cut by access rights, it moves whole, once`, () =>
      withHugePage(line, async (pages, process) => {
        await process.memory.mprotect({ address: pages.at(8), pageCount: 8 }, 'read');
        await process.memory.mprotect({ address: pages.at(8), pageCount: 8 }, 'write');
        await move(process, pages.part(3, 4), 1);
        expect(await runs(pages)).toEqual([[1, HUGE_PAGES]]);
        const { MOVE, STRICT } = MPOL_MF;
        const result = await pages.mbind(MPOL.BIND, maskOf(0), MOVE | STRICT);
        if (facts.countsPartsOfHuge) expect(result).toFailWith('mbind', 'EIO');
        else expect(result).toSucceed();
        const place = facts.movingMapsPartly ? ZEROS : 0;
        expect(await runs(pages)).toEqual([[place, HUGE_PAGES]]);
      }));

    test(`Linux ${line}: a child's write copies one page`, () =>
      withHugePage(line, async (pages, process) => {
        const child = await process.fork();
        await bindThread(child, 1);
        await pages.in(child).part(3, 4).touch();
        expect(await runs(pages.in(child))).toEqual([
          [0, 3],
          [1, 1],
          [0, 508],
        ]);
        expect(await runs(pages)).toEqual([[0, HUGE_PAGES]]);
      }));
  }
});
