/** How tests confine their process to nodes. */

import { expect } from 'vitest';
import { nodesOfWords } from '../../lib/core/nodemask-words.ts';
import { MPOL_F } from '../../lib/core/uapi.ts';
import { expendable, nodesFromZero, privileged } from '../support/needs.ts';
import { settingsOf } from './objects.ts';
import { maxnodeOf } from './pages.ts';
import type { Conditions, DeclareTest, Scene } from './scene.ts';
import type { Cpuset, Trait } from './world.ts';

type Body = (scene: Scene, create: () => Promise<Cpuset>) => Promise<void>;

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
  create: () => Promise<Cpuset>,
  nodes: string,
): Promise<Cpuset> {
  const cpuset = await create();
  expect(await cpuset.setMems(nodes)).toSucceed();
  expect(await cpuset.attach(process.pid)).toSucceed();
  return cpuset;
}

export async function allowedNodes({ process, machine }: Scene): Promise<number[]> {
  const result = await process.getMempolicy({
    flags: MPOL_F.MEMS_ALLOWED,
    maxnode: maxnodeOf(machine),
  });
  if (!result.ok) throw new Error(`get_mempolicy failed: errno ${result.errno}`);
  return nodesOfWords(result.value.nodemask);
}
