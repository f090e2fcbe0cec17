/** How tests confine their process to nodes. */

import { expect } from 'vitest';
import { nodesOfWords } from '../../lib/core/nodemask-words.ts';
import { MPOL_F } from '../../lib/core/uapi.ts';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import type { Later } from '../support/later.ts';
import { expendable, nodesFromZero, privileged } from '../support/needs.ts';
import { settingsOf } from './objects.ts';
import { getMempolicy, maxnodeOf } from './pages.ts';
import type { Conditions, DeclareTest, Scene } from './scene.ts';
import type { Trait } from './world.ts';

type Body = (scene: Scene, create: () => Promise<Later<CpusetCalls>>) => Promise<void>;

export const CPUSET_CONDITIONS: Conditions = {
  needs: [expendable, privileged, nodesFromZero(4)],
  traits: ['settings', 'areas', 'sharing'],
};

/** Tests whose groups go with them. */
export function cpusetTests(declare: DeclareTest) {
  return (sentence: string, body: Body, moreTraits: readonly Trait[] = []): void => {
    const traits = [...(CPUSET_CONDITIONS.traits ?? []), ...moreTraits];
    declare(sentence, { ...CPUSET_CONDITIONS, traits }, (scene) =>
      settingsOf(scene.world).withCpusets((create) => body(scene, create)),
    );
  };
}

/** Puts the test's process into a fresh group on those nodes. */
export async function confine(
  { process }: Scene,
  create: () => Promise<Later<CpusetCalls>>,
  nodes: string,
): Promise<Later<CpusetCalls>> {
  const cpuset = await create();
  expect(await cpuset.setMems(nodes)).toSucceed();
  expect(await cpuset.attach(process.pid)).toSucceed();
  return cpuset;
}

export async function allowedNodes({ process, machine }: Scene): Promise<number[]> {
  const result = await getMempolicy(process, {
    flags: MPOL_F.MEMS_ALLOWED,
    maxnode: maxnodeOf(machine),
  });
  if (!result.ok) throw new Error(`get_mempolicy failed: errno ${result.errno}`);
  return nodesOfWords(result.value.nodemask);
}
