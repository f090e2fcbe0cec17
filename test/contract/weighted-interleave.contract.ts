/**
 * Weighted interleaving: nodes take as many pages in a row as their weight in sysfs says.
 *
 * Source: mm/mempolicy.c, weighted_interleave_nid() and node_store();
 * Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-interleave.
 */

import { expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import { expendable, kernelWith, memoryNodes } from '../support/needs.ts';
import { familyFor, settingsOf } from './objects.ts';
import { mapPages, maskOf, type Pages, where } from './pages.ts';
import type { DeclareTest, OpenSubject } from './scene.ts';
import type { WriteWeight } from './world.ts';

const CONDITIONS = {
  traits: ['settings'],
  needs: [expendable, kernelWith('hasWeightedInterleave'), memoryNodes(3)],
} as const;

/** The nodes of these pages by their virtual page numbers, under weights in the nodes' order. */
function patternOf(pages: Pages, nodes: readonly number[], weights: readonly number[]): number[] {
  const turn = nodes.flatMap((node, index) => new Array<number>(weights[index] ?? 1).fill(node));
  return Array.from({ length: pages.count }, (_, index) => {
    const pageNumber = pages.at(index) / BigInt(pages.pageSizeBytes);
    return turn[Number(pageNumber % BigInt(turn.length))] as number;
  });
}

async function writeWeights(
  write: WriteWeight,
  nodes: readonly number[],
  weights: readonly number[],
): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    expect(await write(node, `${weights[index]}\n`)).toSucceed();
  }
}

function declarePatterns(declare: DeclareTest): void {
  declare('each node takes as many pages in turn as its weight', CONDITIONS, async (scene) => {
    const { process, machine, world } = scene;
    const nodes = machine.memoryNodes.slice(0, 3);
    await settingsOf(world).withInterleaveWeights(async (write) => {
      for (const weights of [
        [3, 2, 1],
        [1, 1, 4],
        [2, 5, 1],
      ]) {
        await writeWeights(write, nodes, weights);
        const pages = await mapPages(process, machine, 20);
        expect(await pages.mbind(MPOL.WEIGHTED_INTERLEAVE, maskOf(...nodes))).toSucceed();
        expect(await where(await pages.touch())).toResideOn(patternOf(pages, nodes, weights));
      }
    });
  });

  declare("a thread's policy has the same pattern", CONDITIONS, async (scene) => {
    const { process, machine, world } = scene;
    const nodes = machine.memoryNodes.slice(0, 3);
    await settingsOf(world).withInterleaveWeights(async (write) => {
      await writeWeights(write, nodes, [3, 2, 1]);
      const nodemask = maskOf(...nodes);
      expect(
        await process.numa.setMempolicy({ mode: MPOL.WEIGHTED_INTERLEAVE, nodemask }),
      ).toSucceed();
      const pages = await mapPages(process, machine, 12);
      expect(await where(await pages.touch())).toResideOn(patternOf(pages, nodes, [3, 2, 1]));
    });
  });

  declare('a weight is read when the page is touched', CONDITIONS, async (scene) => {
    const { process, machine, world } = scene;
    const nodes = machine.memoryNodes.slice(0, 3);
    await settingsOf(world).withInterleaveWeights(async (write) => {
      await writeWeights(write, nodes, [3, 2, 1]);
      const pages = await mapPages(process, machine, 24);
      await pages.mbind(MPOL.WEIGHTED_INTERLEAVE, maskOf(...nodes));
      await pages.part(0, 12).touch();
      await writeWeights(write, nodes, [1, 4, 2]);
      const before = patternOf(pages, nodes, [3, 2, 1]).slice(0, 12);
      const after = patternOf(pages, nodes, [1, 4, 2]).slice(12);
      expect(await where(await pages.touch())).toResideOn([...before, ...after]);
    });
  });

  declare('nodes that the policy does not name have no part', CONDITIONS, async (scene) => {
    const { process, machine, world } = scene;
    const [first, second, third] = machine.memoryNodes as [number, number, number];
    await settingsOf(world).withInterleaveWeights(async (write) => {
      await writeWeights(write, [first, second, third], [3, 200, 2]);
      const pages = await mapPages(process, machine, 15);
      await pages.mbind(MPOL.WEIGHTED_INTERLEAVE, maskOf(first, third));
      const expected = patternOf(pages, [first, third], [3, 2]);
      expect(await where(await pages.touch())).toResideOn(expected);
    });
  });
}

function declareWeights(declare: DeclareTest): void {
  declare('a weight is a number from 1 to 255', CONDITIONS, async ({ machine, world, node }) => {
    expect(machine.memoryNodes).toContain(node);
    await settingsOf(world).withInterleaveWeights(async (write) => {
      for (const text of ['1', '255', '0x10', '7\n']) expect(await write(node, text)).toSucceed();
      for (const text of ['256', '-1', '1000', 'x', '1.5', '1 2']) {
        expect(await write(node, text), text).toFailWith('write', 'EINVAL');
      }
    });
  });

  for (const [name, text] of [
    ['0', '0\n'],
    ['an empty line', '\n'],
  ] as const) {
    declare(`${name} is weight 1, or none at all`, CONDITIONS, async (scene) => {
      const { process, machine, world, facts } = scene;
      const nodes = machine.memoryNodes.slice(0, 3);
      await settingsOf(world).withInterleaveWeights(async (write) => {
        await writeWeights(write, nodes, [3, 2, 1]);
        const result = await write(nodes[0] as number, text);
        if (facts.emptyWeightIsOne) expect(result).toSucceed();
        else expect(result).toFailWith('write', 'EINVAL');
        const pages = await mapPages(process, machine, 12);
        await pages.mbind(MPOL.WEIGHTED_INTERLEAVE, maskOf(...nodes));
        const weights = [facts.emptyWeightIsOne ? 1 : 3, 2, 1];
        expect(await where(await pages.touch())).toResideOn(patternOf(pages, nodes, weights));
      });
    });
  }
}

export function weightedInterleaveContract(subject: OpenSubject): void {
  familyFor(
    subject,
    { name: 'weighted interleaving', tags: ['nodes'] },
    ['settings'],
    (declare) => {
      declarePatterns(declare);
      declareWeights(declare);
    },
  );
}
