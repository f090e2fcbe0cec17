/**
 * The files of the interleave weights: whose they are, and weights that the kernel takes from the
 * firmware's bandwidths.
 *
 * Source: Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-interleave;
 * mm/mempolicy.c, weighted_interleave_auto_store() and reduce_interleave_weights().
 */

import { expect } from 'vitest';
import { expendable, kernelWith, memoryNodes } from '../support/needs.ts';
import { familyFor, given, settingsOf } from './objects.ts';
import type { Conditions, OpenSubject, Scene } from './scene.ts';
import { NOBODY } from './scene.ts';
import type { WorldWeights } from './world.ts';

/** What the bandwidths of all nodes are reduced to before their common divisor is taken out. */
const SHARES = 32;
const WEIGHTED: Conditions = {
  traits: ['settings'],
  needs: [expendable, kernelWith('hasWeightedInterleave'), memoryNodes(2)],
};
const AUTOMATIC: Conditions = {
  ...WEIGHTED,
  needs: [expendable, kernelWith('automaticWeightsFile')],
};

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function weightsOf(bandwidths: ReadonlyMap<number, number>): number[] {
  const values = [...bandwidths.values()];
  const sum = values.reduce((a, b) => a + b);
  const shares = values.map((value) => Math.max(1, Math.floor((SHARES * value) / sum)));
  const divisor = shares.reduce(greatestCommonDivisor);
  return shares.map((share) => share / divisor);
}

async function withFiles(
  { world }: Scene,
  body: (files: WorldWeights) => Promise<void>,
): Promise<void> {
  await settingsOf(world).withInterleaveWeights((_, files) => body(files));
}

export function automaticWeightsContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'weight files', tags: ['nodes'] }, ['settings'], (declare) => {
    const owned: Conditions = { ...WEIGHTED, traits: ['settings', 'setuid'] };
    declare('only root may write a weight', owned, async (scene) => {
      const { process, node } = scene;
      await withFiles(scene, async (files) => {
        const name = `node${node}`;
        expect(await files.writeAs(process, name, '5')).toSucceed();
        expect(await process.setuid(NOBODY)).toSucceed();
        expect(await files.writeAs(process, name, '7')).toFailWith('write', 'EACCES');
        expect(await files.read(name)).toSucceed('5');
      });
    });

    declare('there is a file for each node, and one for all of them', WEIGHTED, async (scene) => {
      const { machine, facts } = scene;
      await withFiles(scene, async (files) => {
        const expected = machine.memoryNodes.map((node) => `node${node}`);
        if (facts.automaticWeightsFile !== null) expected.push(facts.automaticWeightsFile);
        expect((await files.names()).sort()).toEqual(expected.sort());
      });
    });

    declare('without bandwidths of the firmware it stays off', AUTOMATIC, async (scene) => {
      const { facts, skip } = scene;
      await withFiles(scene, async (files) => {
        const name = facts.automaticWeightsFile as string;
        if ((await files.firmwareBandwidths()).size > 0) skip('needs a firmware without HMAT');
        expect(await files.read(name)).toSucceed('false');
        expect(await files.write(name, 'true')).toFailWith('write', 'ENODEV');
        expect(await files.write(name, 'x')).toFailWith('write', 'EINVAL');
        expect(await files.read(name)).toSucceed('false');
      });
    });

    declare(
      'weights are shares of the bandwidths, until one is written',
      AUTOMATIC,
      async (scene) => {
        const { machine, facts, skip } = scene;
        await withFiles(scene, async (files) => {
          const bandwidths = await files.firmwareBandwidths();
          if (bandwidths.size === 0) skip('needs bandwidths of the firmware (HMAT)');
          const auto = facts.automaticWeightsFile as string;
          const read = (): Promise<string[]> =>
            Promise.all(
              machine.memoryNodes.map(async (node) => given(await files.read(`node${node}`))),
            );
          const automatic = weightsOf(bandwidths).map(String);
          expect(await files.write(auto, 'true')).toSucceed();
          expect(await files.read(auto)).toSucceed('true');
          expect(await read()).toEqual(automatic);
          expect(await files.write(`node${machine.memoryNodes[0]}`, '77')).toSucceed();
          expect(await files.read(auto)).toSucceed('false');
          expect(await read()).toEqual(['77', ...automatic.slice(1)]);
          expect(await files.write(auto, 'true')).toSucceed();
          expect(await read()).toEqual(automatic);
          expect(await files.write(auto, 'false')).toSucceed();
          expect(await read()).toEqual(automatic);
        });
      },
    );
  });
}
