/** Answers of real kernels about cpusets and weights that the contract does not ask for. */

import { describe, expect, test } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { type KernelLine, kernelLines, newestKernelLine } from '../../lib/core/kernels.ts';
import { MPOL, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { given } from '../contract/objects.ts';
import { mapPages, maskOf, placeOn, rangePolicy, UNWRITTEN, where } from '../contract/pages.ts';
import type { World, WorldSettings } from '../contract/world.ts';
import type { Later } from '../support/later.ts';
import { worldOf } from './simulated-world.ts';
import '../support/matchers.ts';

const { STATIC_NODES } = MPOL_MODE_FLAG;

function openWorld(kernel: KernelLine = newestKernelLine): World & { settings: WorldSettings } {
  return worldOf(new Machine(presets.fourNodes, { kernel }));
}

async function groupOn(
  nodes: string,
  create: () => Promise<Later<CpusetCalls>>,
): Promise<Later<CpusetCalls>> {
  const group = await create();
  expect(await group.setMems(nodes)).toSucceed();
  return group;
}

describe('cpusets', () => {
  // Measured on 6.1, 6.18 and 7.2.
  test('pages of others can only be moved to memory that the caller may use', async () => {
    const world = openWorld();
    await world.settings.withCpusets(async (create) => {
      const process = await world.spawn();
      const pages = await mapPages(process, world.machine, 2);
      await placeOn(pages, [0, 0]);
      const caller = await world.spawn();
      expect(await (await groupOn('0-1', create)).attach(caller.pid)).toSucceed();
      const status = new Int32Array(2).fill(UNWRITTEN);
      const result = await caller.numa.movePages({
        pid: process.pid,
        pages: { address: pages.address, pageCount: 2 },
        nodes: 3,
        flags: MPOL_MF.MOVE,
        status,
      });
      expect(result).toFailWith('move_pages', 'ENOMEM');
      expect([...status]).toEqual([UNWRITTEN, UNWRITTEN]);
      expect(await where(pages)).toResideOn([0, 0]);
    });
  });

  // Measured on 7.2.
  test('a group that was emptied binds ranges to the nodes of its parent', async () => {
    const world = openWorld();
    await world.settings.withCpusets(async (create) => {
      const process = await world.spawn();
      const group = await groupOn('1-2', create);
      expect(await group.attach(process.pid)).toSucceed();
      const pages = await mapPages(process, world.machine, 2);
      expect(await pages.part(0, 1).mbind(MPOL.BIND, maskOf(1, 2))).toSucceed();
      expect(await pages.part(1, 2).mbind(MPOL.BIND | STATIC_NODES, maskOf(1))).toSucceed();
      expect(await group.setMems('')).toSucceed();
      expect((await rangePolicy(pages, world.machine)).nodes).toEqual([0, 1]);
      expect(await where(await pages.part(1, 2).touch())).toResideOn([1]);
    });
  });

  // Measured on 6.1 and 7.2.
  test.each([
    ['1-', ERRNO.EINVAL],
    ['3-1', ERRNO.EINVAL],
    ['0-N', ERRNO.EINVAL],
    ['5000', ERRNO.ERANGE],
    ['0-3:1/2', 0],
    [' 1', 0],
    ['1,,2', 0],
    ['1 2', 0],
    [',', 0],
  ])('a list of nodes is read as kernels read it: "%s"', async (text, errno) => {
    const { settings } = openWorld();
    await settings.withCpusets(async (create) => {
      const result = await (await create()).setMems(text);
      expect(result.ok ? 0 : result.errno).toBe(errno);
    });
  });
});

// Measured on 6.18 and 7.2.
test('weights are automatic from the start where the kernel can choose them', async () => {
  const before = kernelLines.findLast((line) => kernelFacts(line).automaticWeightsFile === null);
  const [automatic, plain] = [openWorld(), openWorld(before)].map(({ settings }) =>
    settings.withInterleaveWeights((_, { names, read }) =>
      names().then((all) => Promise.all(all.map(async (name) => given(await read(name))))),
    ),
  );
  expect(await automatic).toEqual(['1', '1', '1', '1', 'true']);
  expect(await plain).toEqual(['1', '1', '1', '1']);
});
