/** Every verb of a process with every kind of wrong argument, as one table. */

import type { ProcessMemory } from '../../lib/index.ts';
import { firstNode } from './machine.ts';
import {
  ABSENT_NODES,
  BOOLEANS,
  CPUS,
  FUNCTIONS,
  integers,
  NO_NODE,
  NODES,
  OPTIONS,
  RANGE,
  rows,
  SIGNALS,
  TYPE,
  VALUE,
  type Wrong,
  type WrongValue,
} from './wrong-values.ts';

type Verb = (memory: ProcessMemory, options: never) => unknown;

/** Verbs that take nodes to leave and nodes to go to. */
const NODE_VERBS: Readonly<Record<string, Verb>> = {
  'process.migrate': (memory, options) => memory.migrate(options),
  'process.plan': (memory, options) => memory.plan(options),
  'process.migrateMappings': (memory, options) => memory.migrateMappings(options),
};

/** Verbs that take a filter of mappings, and the name of that argument. */
const FILTER_VERBS: Readonly<Record<string, readonly [argument: string, verb: Verb]>> = {
  'process.mappings': ['filter', (memory, filter) => memory.mappings(filter)],
  'process.plan': [
    'options.mappings',
    (memory, mappings) => memory.plan({ to: firstNode, mappings }),
  ],
  'process.snapshot': ['options.mappings', (memory, mappings) => memory.snapshot({ mappings })],
};

/** What may be left out may be undefined. */
function given(values: readonly WrongValue[]): readonly WrongValue[] {
  return values.filter(([value]) => value !== undefined);
}

const FILTER_VALUES: readonly (readonly [member: string, values: readonly WrongValue[]])[] = [
  [
    'address',
    [
      [1, TYPE],
      [null, TYPE],
      ['0x1000', TYPE],
      [{ from: 1, to: 2 }, TYPE],
      [{ from: 2n, to: 1n }, VALUE],
    ],
  ],
  [
    'file',
    [
      [7, TYPE],
      ['', VALUE],
    ],
  ],
  [
    'kind',
    [
      [5, TYPE],
      [null, TYPE],
      [['heap', 7], TYPE],
      ['pile', VALUE],
      [['heap', 'pile'], VALUE],
    ],
  ],
  [
    'bytesMin',
    [
      ['1m', TYPE],
      [-1, RANGE],
      [0.5, RANGE],
    ],
  ],
  [
    'bytesMax',
    [
      ['1m', TYPE],
      [-1, RANGE],
      [0.5, RANGE],
    ],
  ],
  ['node', given(NODES)],
];

function nodeRows(): Wrong[] {
  return Object.entries(NODE_VERBS).flatMap(([verb, run]) => {
    const call =
      (argument: 'from' | 'to') =>
      ({ numa }: { numa: { process(): ProcessMemory } }, value: never) =>
        run(numa.process(), { from: firstNode, to: firstNode, [argument]: value } as never);
    const wrong = [...NODES, ...NO_NODE, ...ABSENT_NODES];
    return [
      ...rows(verb, 'options.to', wrong, call('to')),
      ...rows(verb, 'options.from', given(wrong), call('from')),
      ...rows(verb, 'options', OPTIONS, ({ numa }, o: never) => run(numa.process(), o)),
      ...rows(verb, 'options.pid', [[1, VALUE]], ({ numa }, pid) =>
        run(numa.process(), { to: firstNode, pid } as never),
      ),
    ];
  });
}

function filterRows(): Wrong[] {
  return Object.entries(FILTER_VERBS).flatMap(([verb, [argument, run]]) => [
    ...FILTER_VALUES.flatMap(([member, values]) =>
      rows(verb, `${argument}.${member}`, values, ({ numa }, value: never) =>
        run(numa.process(), { [member]: value } as never),
      ),
    ),
    ...rows(
      verb,
      argument,
      [
        [7, TYPE],
        ['heap', TYPE],
        [[undefined], TYPE],
        [[{}, undefined], TYPE],
        [new Array(1), TYPE],
      ],
      ({ numa }, filter: never) => run(numa.process(), filter),
    ),
    ...rows(
      verb,
      `${argument}[0]`,
      [
        [[null], TYPE],
        [[[]], TYPE],
      ],
      ({ numa }, filters: never) => run(numa.process(), filters),
    ),
  ]);
}

export function processRows(): Wrong[] {
  const move =
    (argument: string) =>
    ({ numa }: { numa: { process(): ProcessMemory } }, value: never) =>
      numa.process().migrateMappings({ to: firstNode, [argument]: value });
  const verb = 'process.migrateMappings';
  const budgets: WrongValue[] = [
    [0, VALUE],
    [-1, VALUE],
    ['5', VALUE],
    [Number.NaN, VALUE],
  ];
  const spans: WrongValue[] = [
    [7, TYPE],
    [null, TYPE],
  ];
  return [
    ...nodeRows(),
    ...filterRows(),
    ...rows(verb, 'options.pauseBudgetMs', budgets, move('pauseBudgetMs')),
    ...rows(verb, 'options.strict', BOOLEANS, move('strict')),
    ...rows(verb, 'options.includeShared', BOOLEANS, move('includeShared')),
    ...rows(verb, 'options.signal', SIGNALS, move('signal')),
    ...rows(verb, 'options.onProgress', given(FUNCTIONS), move('onProgress')),
    ...rows('process.setAffinity', 'cpus', CPUS, ({ numa }, cpus: never) =>
      numa.process().setAffinity(cpus),
    ),
    ...rows('process.setAffinity', 'options', OPTIONS, ({ numa }, options: never) =>
      numa.process().setAffinity(numa.thread.affinity(), options),
    ),
    ...rows('process.snapshot', 'options', OPTIONS, ({ numa }, options: never) =>
      numa.process().snapshot(options),
    ),
    ...rows('process.snapshot', 'options.signal', SIGNALS, ({ numa }, signal: never) =>
      numa.process().snapshot({ signal }),
    ),
    ...rows('process.locate', 'span', spans, ({ numa }, span: never) =>
      numa.process().locate(span),
    ),
    ...rows('process.locate', 'span.address', [[1, TYPE]], ({ numa }, address: never) =>
      numa.process().locate({ address, pageCount: 1 }),
    ),
    ...rows(
      'process.locate',
      'span.pageCount',
      [...integers(2 ** 53), [0, RANGE]],
      ({ numa }, pageCount: number) => numa.process().locate({ address: 0x1000n, pageCount }),
    ),
    ...rows('process.locateRuns', 'span', spans, ({ numa }, span: never) =>
      numa.process().locateRuns(span),
    ),
    ...rows(
      'process.locateRuns',
      'span.pageCount',
      [...integers(2 ** 53), [0, RANGE], [2 ** 52, RANGE]],
      ({ numa }, pageCount: number) => numa.process().locateRuns({ address: 0x1000n, pageCount }),
    ),
  ];
}
