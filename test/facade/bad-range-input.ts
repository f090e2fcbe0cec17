/** The verbs of buffers with every kind of wrong argument. */

import {
  local,
  type MappedBuffer,
  type MemoryPolicy,
  type MigrateOptions,
  type NodeExpression,
  type PlanMoveOptions,
  type RangeOptions,
} from '../../lib/index.ts';
import { firstNode } from './machine.ts';
import {
  BOOLEANS,
  FORBIDDEN_POLICIES,
  FUNCTIONS,
  integers,
  NODES,
  ONE_NODE,
  OPTIONS,
  POLICIES,
  RANGE,
  rows,
  SIGNALS,
  TYPE,
  VALUE,
  WORDS,
  type Wrong,
  type WrongValue,
} from './wrong-values.ts';

type RangeVerb = (buffer: MappedBuffer, options: never) => unknown;
const RANGE_VERBS: Readonly<Record<string, RangeVerb>> = {
  residency: (buffer, options) => buffer.residency(options),
  residencySync: (buffer, options) => buffer.residencySync(options),
  touch: (buffer, options) => buffer.touch(options),
  flush: (buffer, options) => buffer.flush(options),
  populate: (buffer, options) => buffer.populate(options),
  setPolicy: (buffer, options) => buffer.setPolicy(local(), options),
  exemptFromBalancing: (buffer, options) => buffer.exemptFromBalancing(options),
  pageStatuses: (buffer, options) => buffer.pageStatuses(options),
  place: (buffer, options) => buffer.place([firstNode], options),
  distribute: (buffer, options) => buffer.distribute({ weights: { [firstNode]: 1 } }, options),
  migrate: (buffer, options: MigrateOptions) => buffer.migrate({ ...options, to: firstNode }),
  plan: (buffer, options: PlanMoveOptions) => buffer.plan({ ...options, to: firstNode }),
};

export function rangeRows(lengthBytes: number, pageSizeBytes: number): Wrong[] {
  const offsets = [...integers(lengthBytes - 1), [1, RANGE], [pageSizeBytes / 2, RANGE]] as const;
  const lengths = [...integers(lengthBytes), [0, RANGE]] as const;
  return Object.entries(RANGE_VERBS).flatMap(([verb, run]) => [
    ...rows(verb, 'options.offsetBytes', offsets, ({ buffer }, offsetBytes: number) =>
      run(buffer, { offsetBytes } satisfies RangeOptions as never),
    ),
    ...rows(verb, 'options.lengthBytes', lengths, ({ buffer }, length: number) =>
      run(buffer, { lengthBytes: length } satisfies RangeOptions as never),
    ),
    ...rows(verb, 'options.lengthBytes', [[lengthBytes, RANGE]], ({ buffer }, length: number) =>
      run(buffer, { offsetBytes: pageSizeBytes, lengthBytes: length } as never),
    ),
    ...rows(verb, 'options.surprise', [[1, VALUE]], ({ buffer }, surprise) =>
      run(buffer, { surprise } as never),
    ),
  ]);
}

const MILLISECONDS: readonly WrongValue[] = [
  ['1', VALUE],
  [-1, VALUE],
  [Number.NaN, VALUE],
  [null, VALUE],
];

const EXCLUSIONS: readonly WrongValue[] = [
  [null, TYPE],
  [1, TYPE],
  ['x', TYPE],
  [{}, RANGE],
  [[{}], RANGE],
];

export function bufferRows(): Wrong[] {
  const of = <V>(verb: string, member: string, values: readonly WrongValue[], base = {}) =>
    rows(verb, `options.${member}`, values, ({ buffer }, value: V) => {
      const options = { ...base, [member]: value } as never;
      return verb === 'policy'
        ? buffer.policy(options)
        : (RANGE_VERBS[verb] as RangeVerb)(buffer, options);
    });
  const plain = Object.entries(RANGE_VERBS).filter(
    ([verb]) => verb !== 'migrate' && verb !== 'plan',
  );
  return [
    ...plain.flatMap(([verb, run]) =>
      rows(verb, 'options', OPTIONS, ({ buffer }, options: never) => run(buffer, options)),
    ),
    ...rows('migrate', 'options', OPTIONS, ({ buffer }, options: never) => buffer.migrate(options)),
    ...rows('policy', 'options', OPTIONS, ({ buffer }, options: never) => buffer.policy(options)),
    ...of('policy', 'offsetBytes', [...integers(2 ** 30), [1, RANGE]]),
    ...of('policy', 'lengthBytes', [[1, VALUE]]),
    ...of('residency', 'signal', SIGNALS),
    ...of('populate', 'signal', SIGNALS),
    ...of('populate', 'threads', [...integers(1024), [0, RANGE]]),
    ...of('populate', 'onProgress', FUNCTIONS.slice(1)),
    ...of('migrate', 'signal', SIGNALS),
    ...of('migrate', 'strict', BOOLEANS),
    ...of('migrate', 'includeShared', BOOLEANS),
    ...of('migrate', 'onProgress', FUNCTIONS.slice(1)),
    ...of('migrate', 'onFull', WORDS),
    ...of('migrate', 'pauseBudgetMs', MILLISECONDS),
    ...of('migrate', 'retryBusyMs', MILLISECONDS),
    ...of('migrate', 'exclude', EXCLUSIONS),
    ...of('plan', 'exclude', EXCLUSIONS),
    ...of('plan', 'signal', SIGNALS),
    ...of('touch', 'access', WORDS),
    ...of('setPolicy', 'move', WORDS),
    ...of('setPolicy', 'strict', BOOLEANS),
    ...rows('migrate', 'options.to', [...NODES, ...ONE_NODE], ({ buffer }, to: NodeExpression) =>
      buffer.migrate({ to }),
    ),
    ...rows('setPolicy', 'policy', POLICIES, ({ buffer }, policy: MemoryPolicy) =>
      buffer.setPolicy(policy),
    ),
    ...rows('setPolicy', 'nodes', FORBIDDEN_POLICIES, ({ buffer }, policy: MemoryPolicy) =>
      buffer.setPolicy(policy),
    ),
  ];
}
