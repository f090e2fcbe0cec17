/** The reader of scenarios and the published schema: what one refuses, the other does. */

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bundledScenarioNames, readJson } from '../../lib/services/scenario/bundled.ts';
import type { Member, MemberRule } from '../../lib/services/scenario/member-rules.ts';
import { readScenario } from '../../lib/services/scenario/read-scenario.ts';
import type { StepWord } from '../../lib/services/scenario/scenario.ts';
import { STEP_TABLE, STEP_WORDS } from '../../lib/services/scenario/step-table.ts';
import { scenarioSchema } from './scenario-schema.ts';

const SCHEMA_FILE = '../../docs/schema/scenario.schema.json';
const accepts = new Ajv2020({ strict: true, strictRequired: false, allErrors: false }).compile(
  scenarioSchema,
);

type Json = Record<string, unknown>;

/** Names that `before` makes, by the members that use them. */
const NAMES: Readonly<Record<string, string>> = {
  by: 'owner',
  of: 'owner',
  mapping: 'heap',
  cpuset: 'group',
  pin: 'held',
  fault: 'full',
};
const before = [
  { do: 'process', name: 'owner' },
  { do: 'map', name: 'heap', pageCount: 1000 },
  { do: 'cpuset', name: 'group', nodes: '0' },
  { do: 'pin', name: 'held', mapping: 'heap', pageCount: 1 },
  { do: 'nodeFull', name: 'full', node: 3 },
];

function scenarioOf(steps: readonly unknown[]): Json {
  const head = { format: 1, name: 'generated', summary: 'Made by a test.', machine: 'four-nodes' };
  return { ...head, steps };
}

function generated(name: string, rule: MemberRule): fc.Arbitrary<unknown> {
  const known = NAMES[name];
  if (known !== undefined) return fc.constant(known);
  if (name === 'firstPage') return fc.integer({ min: 0, max: 400 });
  if (name === 'pageCount') return fc.integer({ min: 1, max: 400 });
  switch (rule.kind) {
    case 'integer':
      return fc.integer({ min: rule.min, max: rule.max });
    case 'word':
      return fc.constantFrom(...rule.words);
    case 'words':
      return fc.array(fc.constantFrom(...rule.words));
    case 'flag':
      return fc.boolean();
    case 'policy':
      return fc.constantFrom('default', 'local', 'bind:0-1', 'interleave=static:0,2', 'prefer:1');
    case 'counts':
      return fc.dictionary(fc.constantFrom('0', '1', '12'), fc.nat());
    case 'answer':
      return fc.oneof(fc.nat(), fc.constantFrom('EBUSY', 'ENOMEM'));
    case 'steps':
      return fc.constant([{ do: 'touch', mapping: 'heap' }]);
    case 'text':
      if (name === 'nodes' || name === 'from' || name === 'to') return fc.constant('0-1,3');
      if (name === 'address') return fc.constant('0x7f0000000000');
      return fc.constant('another');
  }
}

function stepOf(word: StepWord): fc.Arbitrary<Json> {
  const { members, choice } = STEP_TABLE[word];
  const chosen = choice?.members ?? [];
  const optional = Object.entries(members).filter(([name]) => !chosen.includes(name));
  const values = Object.fromEntries(
    Object.entries(members).map(([name, { rule }]: [string, Member]) => [
      name,
      generated(name, rule),
    ]),
  );
  const needed = optional.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  const always = 'mapping' in members ? [...needed, 'mapping'] : needed;
  const rest = Object.fromEntries(optional.map(([name]) => [name, values[name]]));
  const one = chosen.length === 0 ? fc.constant(null) : fc.constantFrom(...chosen);
  return fc
    .tuple(fc.record(rest as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: always }), one)
    .chain(([made, name]) => {
      if (name === null) return fc.constant({ do: word, ...made });
      return (values[name] as fc.Arbitrary<unknown>).map((value) => {
        return { do: word, ...made, [name]: value };
      });
    });
}

const anyStep = fc.constantFrom(...STEP_WORDS).chain(stepOf);

/** What the reader says against it; null: nothing. */
function refusalOf(value: unknown): string | null {
  try {
    readScenario(value);
    return null;
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    expect(code).toMatch(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/);
    return message;
  }
}

/** Names, and what they name. */
const MEANING = /names no|is not one of|is taken|has \d+ pages|for preferred/;

/** Something of a wrong kind in place of a member, one member too many, or one too few. */
function brokenBy(step: Json, how: number, at: number): Json {
  const names = Object.keys(step);
  const name = names[at % names.length] as string;
  const wrong = [null, {}, -1, 1.5, 'NOT A NAME', [], '\n'][how % 9];
  if (how % 9 === 7) return { ...step, unheardOf: 1 };
  if (how % 9 === 8) return Object.fromEntries(Object.entries(step).filter(([n]) => n !== name));
  return { ...step, [name]: wrong };
}

describe('the published schema', () => {
  test('is the one that the rules of the reader make', async () => {
    const text = `${JSON.stringify(scenarioSchema, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(SCHEMA_FILE);
  });

  test.each(bundledScenarioNames())('accepts the scenario %s of the package', (name) => {
    const value = readJson(new URL(`../../scenarios/${name}.json`, import.meta.url));
    expect(accepts(value), JSON.stringify(accepts.errors)).toBe(true);
    expect(readScenario(value).name).toBe(name);
  });

  test('accepts each step that the reader accepts', () => {
    fc.assert(
      fc.property(anyStep, (step) => {
        const scenario = scenarioOf([...before, step]);
        readScenario(scenario);
        expect(accepts(scenario), JSON.stringify(accepts.errors)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('refuses what the reader refuses for its form, and nothing else', () => {
    fc.assert(
      fc.property(anyStep, fc.nat(8), fc.nat(20), (step, how, at) => {
        const scenario = scenarioOf([...before, brokenBy(step, how, at)]);
        const refusal = refusalOf(scenario);
        if (accepts(scenario)) expect(refusal ?? 'names no').toMatch(MEANING);
        else expect(refusal).not.toBeNull();
      }),
      { numRuns: 1000 },
    );
  });
});
