/** Methods that are called on something else: a TypeError, or what they do without their object. */

import { describe, expect, test } from 'vitest';
import { AbortError, NumaError } from '../../lib/index.ts';
import { ARGUMENTS, MADE_BY_US } from './arguments.ts';
import { type Callable, callablesIn } from './surface.ts';
import { nativeWorld, simulatedWorld, type World } from './world.ts';

/** What is no such object, though it may look like one. */
const OTHERS: Readonly<Record<string, (own: object) => unknown>> = {
  undefined: () => undefined,
  'a number': () => 1,
  'an object': () => ({}),
  'its prototype': (own) => Object.getPrototypeOf(own),
  'what inherits from it': (own) => Object.create(own),
  'a proxy of it': (own) => new Proxy(own, {}),
  'a copy of its members': (own) => ({ ...own }),
  'what only has its class': (own) => Object.create(Object.getPrototypeOf(own)),
};

/** The error's own words are the engine's where a private member is missing. */
async function faultOf(callable: Callable, self: unknown, values: readonly unknown[]) {
  try {
    const value = callable.call(self, values);
    if (value instanceof Promise) await value;
    return undefined;
  } catch (error) {
    const isKnown = [TypeError, NumaError, AbortError].some((type) => error instanceof type);
    return isKnown ? undefined : `${(error as Error).stack ?? error}`.split('\n', 4).join(' | ');
  }
}

async function faultsOf(callable: Callable, open: () => World): Promise<string[]> {
  const { name, owner = '' } = callable;
  const faults: string[] = [];
  const world = open();
  for (const [what, otherOf] of Object.entries(OTHERS)) {
    const own = world.owners[owner] as object;
    const values = ARGUMENTS[name]?.(world) ?? [];
    const fault = await faultOf(callable, otherOf(own), values);
    if (fault !== undefined) faults.push(`on ${what}: ${fault}`);
  }
  world.end();
  return faults;
}

describe.each([
  ['the simulator', simulatedWorld],
  ['the kernel', nativeWorld],
] as const)('on %s', (_, open) => {
  const world = open();
  const all = callablesIn(world).filter(({ name }) => !MADE_BY_US.includes(name));
  world.end();

  test.each(Object.keys(world.owners))('%s', async (owner) => {
    const faults: Record<string, string[]> = {};
    for (const callable of all.filter((one) => one.owner === owner)) {
      const found = await faultsOf(callable, open);
      if (found.length > 0) faults[callable.name] = found;
    }
    expect(faults).toEqual({});
  });
});
