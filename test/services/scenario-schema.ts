/** The published schema of scenarios, made of the rules that the reader checks. */

import { CPU_ID_MAX, NODE_ID_MAX } from '../../lib/core/uapi.ts';
import { PAGE_SIZES_BYTES } from '../../lib/core/units.ts';
import {
  type Member,
  type MemberRule,
  NAME,
  type StepRules,
} from '../../lib/services/scenario/members.ts';
import type { StepWord } from '../../lib/services/scenario/scenario.ts';
import { MEANWHILE_WORDS, STEP_TABLE, STEP_WORDS } from '../../lib/services/scenario/step-table.ts';
import { kernelLines, presets } from '../../lib/simulator/public.ts';

type Schema = Readonly<Record<string, unknown>>;

const LINE = { type: 'string', pattern: '^[^\\n]+$' };

function schemaOfRule(rule: MemberRule): Schema {
  switch (rule.kind) {
    case 'integer':
      return { type: 'integer', minimum: rule.min, maximum: rule.max };
    case 'word':
      return { enum: rule.words };
    case 'words':
      return { type: 'array', items: { enum: rule.words } };
    case 'flag':
      return { type: 'boolean' };
    case 'text':
    case 'policy':
      return { type: 'string', pattern: rule.pattern.source };
    case 'counts':
      return {
        type: 'object',
        propertyNames: { pattern: rule.pattern.source },
        additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      };
    case 'answer':
      return {
        oneOf: [
          { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          { type: 'string', pattern: rule.pattern.source },
        ],
      };
    case 'steps':
      return {
        type: 'array',
        minItems: 1,
        items: { oneOf: MEANWHILE_WORDS.map(refTo) },
      };
  }
}

function refTo(word: StepWord): Schema {
  return { $ref: `#/$defs/${word}` };
}

function schemaOfStep(word: StepWord, { says, members, choice, needs }: StepRules): Schema {
  const properties = Object.entries(members).map(([name, member]: [string, Member]) => {
    return [name, { description: member.says, ...schemaOfRule(member.rule) }];
  });
  const required = Object.entries(members).filter(([, { isRequired }]) => isRequired);
  const has = choice?.members.map((name) => ({ required: [name] })) ?? [];
  return {
    description: says,
    type: 'object',
    properties: { do: { const: word }, ...Object.fromEntries(properties) },
    required: ['do', ...required.map(([name]) => name)],
    additionalProperties: false,
    ...(choice?.min === 1 && choice.max === 1 ? { oneOf: has } : {}),
    ...(choice?.min === 1 && choice.max === undefined ? { anyOf: has } : {}),
    ...(choice?.min === 0 ? { not: { required: choice.members } } : {}),
    ...(needs === undefined
      ? {}
      : { dependentRequired: Object.fromEntries(Object.entries(needs).map(([a, b]) => [a, [b]])) }),
  };
}

/** What only the reader knows of a machine: ids ascend, CPUs are numbered, distances fit. */
const MACHINE: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    description: { type: 'string' },
    nodes: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          id: { type: 'integer', minimum: 0, maximum: NODE_ID_MAX },
          memoryMiB: { type: 'integer', minimum: 0, maximum: 2 ** 32 },
          cpus: { type: 'array', items: { type: 'integer', minimum: 0, maximum: CPU_ID_MAX } },
          package: { type: 'integer', minimum: 0, maximum: CPU_ID_MAX },
          initiator: { type: 'integer', minimum: 0, maximum: NODE_ID_MAX },
          readLatencyNs: { type: 'integer', minimum: 1, maximum: 65_534 },
          readBandwidthMBps: { type: 'integer', minimum: 1, maximum: 65_534 },
        },
        required: ['id', 'memoryMiB', 'cpus'],
        additionalProperties: false,
      },
    },
    distances: {
      type: 'array',
      items: { type: 'array', items: { type: 'integer', minimum: 10, maximum: 254 } },
    },
  },
  required: ['name', 'nodes', 'distances'],
  additionalProperties: false,
};

export const scenarioSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A scenario of node-numa',
  description:
    'What processes do with their memory on a machine: for node-numa simulate. ' +
    'docs/scenarios.md explains it; names, ranges and nodes of policies are checked on reading.',
  type: 'object',
  properties: {
    $schema: LINE,
    format: { const: 1 },
    name: { description: 'small letters, digits and "-"', ...schemaOfRule(NAME) },
    summary: { description: 'one sentence', ...LINE },
    machine: {
      description: 'a preset by name, or a description',
      oneOf: [
        { enum: Object.values(presets).map(({ name }) => name) },
        { $ref: '#/$defs/machine' },
      ],
    },
    kernel: { description: 'default the newest', enum: kernelLines },
    pageSizeBytes: { description: 'default 4096', enum: PAGE_SIZES_BYTES },
    hugePages: {
      description: 'transparent huge pages; default never',
      enum: ['always', 'madvise', 'never'],
    },
    recorded: { description: 'the kernel that did what is expected', ...LINE },
    watch: {
      description: 'the page that --step has pictures of; default the first of the first mapping',
      type: 'object',
      properties: {
        mapping: schemaOfRule(NAME),
        page: { type: 'integer', minimum: 0, maximum: 2 ** 24 - 1 },
      },
      required: ['mapping'],
      additionalProperties: false,
    },
    steps: { type: 'array', minItems: 1, items: { oneOf: STEP_WORDS.map(refTo) } },
  },
  required: ['format', 'name', 'summary', 'machine', 'steps'],
  additionalProperties: false,
  $defs: {
    ...Object.fromEntries(STEP_WORDS.map((word) => [word, schemaOfStep(word, STEP_TABLE[word])])),
    machine: MACHINE,
  },
};
