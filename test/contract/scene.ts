/**
 * How a family declares its tests: each gets a fresh process of the world, and is skipped with a
 * reason where the machine lacks something.
 */

import { type TestContext, test } from 'vitest';
import '../support/matchers.ts';
import { type KernelFacts, kernelFacts } from '../../lib/core/kernel-facts.ts';
import { changeOfUser, type Need, whenSupported } from '../support/needs.ts';
import type { Tag } from '../support/tags.ts';
import type { Trait, World, WorldMachine, WorldProcess, WorldSubject } from './world.ts';

/** A user without any privilege. */
export const NOBODY = 65534;

export interface Scene {
  readonly process: WorldProcess;
  readonly world: World;
  readonly machine: WorldMachine;
  readonly facts: KernelFacts;
  /** The machine's lowest node with memory. */
  readonly node: number;
  /** Skips from inside a test, for what only the test can find out. */
  skip(reason: string): never;
  /** Text that stands with the test in a verbose report. */
  note(text: string): Promise<void>;
}

export interface Conditions {
  /** Of the machine; unmet, the test is skipped. */
  readonly needs?: readonly Need[];
  /** Of what happens by chance and in its own time: how often a test may be tried again. */
  readonly retries?: number;
  /** What makes a difference to it, beside what does to its family. */
  readonly tags?: Tag[];
  /** Of the kind of world; unmet, the test is not part of its suite. */
  readonly traits?: readonly Trait[];
}

/** A kind of world whose world is open while tests run. */
export interface OpenSubject extends WorldSubject {
  world(): World;
}

export type DeclareTest = (
  sentence: string,
  conditions: Conditions,
  body: (scene: Scene) => Promise<void>,
) => void;

async function playScene(
  context: TestContext,
  world: World,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const process = await world.spawn();
  const { machine } = world;
  try {
    await body({
      process,
      world,
      machine,
      facts: kernelFacts(machine.kernel),
      node: machine.memoryNodes[0] as number,
      skip: (reason) => context.skip(reason),
      note: async (text) => void (await context.annotate(text)),
    });
  } finally {
    await process.exit();
  }
}

export function testsOf(subject: OpenSubject): DeclareTest {
  return (sentence, { needs = [], tags = [], traits = [], retries = 0 }, body) => {
    if (!traits.every((trait) => subject.traits.has(trait))) return;
    const allNeeds = traits.includes('setuid') ? [...needs, changeOfUser] : needs;
    test(sentence, { retry: retries, tags }, async (context) => {
      const world = subject.world();
      whenSupported(context, world.machine, allNeeds);
      await playScene(context, world, body);
    });
  };
}
