/** The reader of scenarios and the published schema: what one refuses, the other does. */

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../lib/package-folder.ts';
import {
  bundledScenarioNames,
  readJson,
  readScenario,
} from '../../lib/services/scenario/read-scenario.ts';
import { anyStep, before, type Json, scenarioOf } from './scenario-arbitrary.ts';
import { scenarioSchema } from './scenario-schema.ts';

const SCHEMA_FILE = '../../docs/schema/scenario.schema.json';
const accepts = new Ajv2020({ strict: true, strictRequired: false, allErrors: false }).compile(
  scenarioSchema,
);

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
    const value = readJson(packageFile(`scenarios/${name}.json`), 'scenario');
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
