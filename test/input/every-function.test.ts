/** Every public function with every kind of wrong value: a documented answer, on each backend. */

import { describe, expect, test } from 'vitest';
import { ARGUMENTS, MADE_BY_US } from './arguments.ts';
import { attacksOn, outcomeOf } from './attack.ts';
import { type Callable, callablesIn, exportedCallables } from './surface.ts';
import { nativeWorld, simulatedWorld, type World } from './world.ts';

const ALL: readonly Callable[] = [...exportedCallables(), ...callablesIn(simulatedWorld())];
const withRows = ALL.filter(({ kind, name }) => kind !== 'getter' && !MADE_BY_US.includes(name));

/** Where the function is called, its own errors come through. */
const CALLED = /^(withMachine|thread\.withPolicy) 1 .*(function|class)/;

/** Right values that take as long as they say. */
const LASTING: readonly RegExp[] = [
  /^memory.keepTouching 2 2 \*\* 31$/,
  /^objects.write 1.(firstPage|pageCount) 2 /,
];

async function faultsOf(callable: Callable, open: () => World): Promise<string[]> {
  const { name, owner = '' } = callable;
  const row = ARGUMENTS[name];
  if (row === undefined) return ['has no row'];
  let world = open();
  const faults: string[] = [];
  for (const { place, value, values } of attacksOn(() => row(world))) {
    const shown = `${name} ${place} ${value}`;
    if (CALLED.test(shown) || LASTING.some((pattern) => pattern.test(shown))) continue;
    const self = world.owners[owner];
    const { fault } = await outcomeOf(() => callable.call(self, values()));
    if (fault !== undefined) faults.push(`${place} = ${value}: ${fault}`);
    if (world.machine?.self.isRunning === false) {
      world.end();
      world = open();
    }
  }
  world.end();
  return faults;
}

test('every public function has right arguments here', () => {
  const names = withRows.map(({ name }) => name);
  expect(names.filter((name) => ARGUMENTS[name] === undefined)).toEqual([]);
  expect(Object.keys(ARGUMENTS).filter((name) => !names.includes(name))).toEqual([]);
});

describe('on the simulator', () => {
  test.each(withRows.map(({ name }) => name))('%s', async (name) => {
    const callable = withRows.find((one) => one.name === name) as Callable;
    expect(await faultsOf(callable, simulatedWorld)).toEqual([]);
  });
});

describe('on the kernel', () => {
  const world = nativeWorld();
  const owned = withRows.filter(({ owner }) => owner !== undefined && owner in world.owners);
  world.end();
  test.each(owned.map(({ name }) => name))('%s', async (name) => {
    const callable = owned.find((one) => one.name === name) as Callable;
    expect(await faultsOf(callable, nativeWorld)).toEqual([]);
  });
});
