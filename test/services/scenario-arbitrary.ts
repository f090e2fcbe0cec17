/** Scenarios at random, all of which the reader accepts. */

import fc from 'fast-check';
import type { Member, MemberRule } from '../../lib/services/scenario/members.ts';
import type { StepWord } from '../../lib/services/scenario/scenario.ts';
import { STEP_TABLE, STEP_WORDS } from '../../lib/services/scenario/step-table.ts';

export type Json = Record<string, unknown>;

/** Names that `before` makes, by the members that use them. */
const NAMES: Readonly<Record<string, string>> = {
  by: 'owner',
  of: 'owner',
  mapping: 'heap',
  cpuset: 'group',
  pin: 'held',
  fault: 'full',
};
/** Steps that make everything that the others name. */
export const before: readonly Json[] = [
  { do: 'process', name: 'owner' },
  { do: 'map', name: 'heap', pageCount: 1000 },
  { do: 'cpuset', name: 'group', nodes: '0' },
  { do: 'pin', name: 'held', mapping: 'heap', pageCount: 1 },
  { do: 'nodeFull', name: 'full', node: 3 },
];

export function scenarioOf(steps: readonly unknown[]): Json {
  const head = { format: 1, name: 'generated', summary: 'Made by a test.', machine: 'four-nodes' };
  return { ...head, steps };
}

function generated(name: string, rule: MemberRule): fc.Arbitrary<unknown> {
  const known = NAMES[name];
  if (known !== undefined) return fc.constant(known);
  if (name === 'firstPage') return fc.integer({ min: 0, max: 400 });
  if (name === 'lengthBytes') return fc.integer({ min: 1, max: 2 ** 22 });
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

export const anyStep: fc.Arbitrary<Json> = fc.constantFrom(...STEP_WORDS).chain(stepOf);
