/** Every public function with every kind of wrong value: a documented answer, on each backend. */

import { describe, expect, test } from 'vitest';
import { ARGUMENTS, MADE_BY_US } from './arguments.ts';
import { attacksOn, type Outcome, outcomeOf } from './attack.ts';
import { type Callable, callablesIn, exportedCallables } from './surface.ts';
import { nativeWorld, simulatedWorld, type World } from './world.ts';

const ALL: readonly Callable[] = [...exportedCallables(), ...callablesIn(simulatedWorld())];
const withRows = ALL.filter(({ kind, name }) => kind !== 'getter' && !MADE_BY_US.includes(name));

/** Where the function is called, its own errors come through. */
const CALLED = /^(withMachine|thread\.with(Policy|Affinity)) 1 .*(function|class)/;

/** Right values that take as long as they say. */
const LASTING: readonly RegExp[] = [
  /^memory.keepTouching 2 2 \*\* 31$/,
  /^objects.write 1.(firstPage|pageCount) 2 /,
];

/** Each attack by its words, and what came of it. */
type Outcomes = ReadonlyMap<string, Outcome>;

async function outcomesOf(callable: Callable, open: () => World): Promise<Outcomes> {
  const { name, owner = '' } = callable;
  const outcomes = new Map<string, Outcome>();
  const row = ARGUMENTS[name];
  if (row === undefined) return outcomes.set('', { ...DONE, fault: 'has no row' });
  let world = open();
  for (const { place, value, values } of attacksOn(() => row(world))) {
    const shown = `${name} ${place} ${value}`;
    if (CALLED.test(shown) || LASTING.some((pattern) => pattern.test(shown))) continue;
    const self = world.owners[owner];
    outcomes.set(`${place} = ${value}`, await outcomeOf(() => callable.call(self, values())));
    if (world.machine?.self.isRunning === false) {
      world.end();
      world = open();
    }
  }
  world.end();
  return outcomes;
}

function faultsIn(outcomes: Outcomes): string[] {
  return [...outcomes].flatMap(([attack, { fault }]) =>
    fault === undefined ? [] : [`${attack}: ${fault}`],
  );
}

const DONE: Outcome = { code: 'done', message: '' };
const known = new Map<string, Promise<Outcomes>>();

/** Asked once, for the simulator's own test and for the comparison. */
function onSimulator(callable: Callable): Promise<Outcomes> {
  const { name } = callable;
  const outcomes = known.get(name) ?? outcomesOf(callable, simulatedWorld);
  known.set(name, outcomes);
  return outcomes;
}

/** Without what a message tells of the machine: its nodes, its pages, the mappings that it has. */
function wordsOf({ code, message }: Outcome): string {
  const words = message.replace(/none of the \d.*; received/, 'none; received');
  return `${code} ${words.replace(/\d[\d,-]*/g, 'N')}`;
}

/** What is wrong with an argument is wrong on every machine, and told alike. */
function differencesOf(simulated: Outcomes, native: Outcomes): string[] {
  return [...native].flatMap(([attack, there]) => {
    const here = simulated.get(attack) ?? DONE;
    const isMistake = [here, there].some(({ code }) => code.startsWith('ERR_'));
    if (!isMistake || wordsOf(here) === wordsOf(there)) return [];
    return [`${attack}: simulator ${wordsOf(here)}; kernel ${wordsOf(there)}`];
  });
}

test('every public function has right arguments here', () => {
  const names = withRows.map(({ name }) => name);
  expect(names.filter((name) => ARGUMENTS[name] === undefined)).toEqual([]);
  expect(Object.keys(ARGUMENTS).filter((name) => !names.includes(name))).toEqual([]);
});

describe('on the simulator', () => {
  test.each(withRows.map(({ name }) => name))('%s', async (name) => {
    const callable = withRows.find((one) => one.name === name) as Callable;
    expect(faultsIn(await onSimulator(callable))).toEqual([]);
  });
});

describe('on the kernel', () => {
  const world = nativeWorld();
  const owned = withRows.filter(({ owner }) => owner !== undefined && owner in world.owners);
  world.end();
  test.each(owned.map(({ name }) => name))('%s', async (name) => {
    const callable = owned.find((one) => one.name === name) as Callable;
    const outcomes = await outcomesOf(callable, nativeWorld);
    expect(faultsIn(outcomes)).toEqual([]);
    expect(differencesOf(await onSimulator(callable), outcomes)).toEqual([]);
  });
});
