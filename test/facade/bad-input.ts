/** Every public verb with every kind of wrong argument, as one table. */

import { CPU_ID_MAX } from '../../lib/core/uapi.ts';
import {
  local,
  type MappedBuffer,
  type MemoryPolicy,
  type MigrateOptions,
  type NodeExpression,
  openNuma,
  type PlanMoveOptions,
  type RangeOptions,
} from '../../lib/index.ts';
import { processRows } from './bad-process-input.ts';
import { firstNode, UNKNOWN_NODE } from './machine.ts';
import {
  BACKENDS,
  BOOLEANS,
  BY,
  CPUS,
  FORBIDDEN_POLICIES,
  FUNCTIONS,
  integers,
  MACHINES,
  NODES,
  ONE_NODE,
  OPTIONS,
  PAGE_NODES,
  PARTS,
  POLICIES,
  RANGE,
  rows,
  SHARES,
  SIGNALS,
  TYPE,
  VALUE,
  WEIGHTS,
  WORDS,
  type Wrong,
  type WrongValue,
} from './wrong-values.ts';

type RangeVerb = (buffer: MappedBuffer, options: never) => unknown;
const RANGE_VERBS: Readonly<Record<string, RangeVerb>> = {
  residency: (buffer, options) => buffer.residency(options),
  residencySync: (buffer, options) => buffer.residencySync(options),
  touch: (buffer, options) => buffer.touch(options),
  populate: (buffer, options) => buffer.populate(options),
  setPolicy: (buffer, options) => buffer.setPolicy(local(), options),
  exemptFromBalancing: (buffer, options) => buffer.exemptFromBalancing(options),
  pageStatuses: (buffer, options) => buffer.pageStatuses(options),
  place: (buffer, options) => buffer.place([firstNode], options),
  distribute: (buffer, options) => buffer.distribute({ weights: { [firstNode]: 1 } }, options),
  migrate: (buffer, options: MigrateOptions) => buffer.migrate({ ...options, to: firstNode }),
  plan: (buffer, options: PlanMoveOptions) => buffer.plan({ ...options, to: firstNode }),
};

function rangeRows(lengthBytes: number, pageSizeBytes: number): Wrong[] {
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

function bufferRows(): Wrong[] {
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

/** What only looks like a WebAssembly.Memory has no memory. */
const VIEWLESS: readonly WrongValue[] = [
  ...([undefined, null, 1, 1n, 'x', [], {}, () => 1, new Map()] as const).map(
    (value): WrongValue => [value, TYPE],
  ),
  [{ buffer: new ArrayBuffer(2 ** 20) }, TYPE],
  [new Proxy(new ArrayBuffer(2 ** 20), {}), TYPE],
  [Object.create(Uint8Array.prototype), TYPE],
  [new Uint8Array(16), RANGE],
];

function numaRows(): Wrong[] {
  const handle = (part: object) => ({ id: 0, generation: 0, ...part });
  return [
    ...rows('openNuma', 'options', OPTIONS, (_, options: never) => openNuma(options)),
    ...rows('openNuma', 'options.machines', [[{}, VALUE]], (_, machines) =>
      openNuma({ machines } as never),
    ),
    ...rows('openNuma', 'options.machine', MACHINES, (_, machine: never) => openNuma({ machine })),
    ...rows('openNuma', 'options.backend', [...BACKENDS], (_, backend: never) =>
      openNuma({ backend }),
    ),
    ...rows(
      'allocate',
      'lengthBytes',
      [...integers(2 ** 53 - 1), [0, RANGE], [undefined, TYPE]],
      ({ numa }, n: number) => numa.allocate(n),
    ),
    ...rows('allocate', 'options', OPTIONS, ({ numa }, o: never) => numa.allocate(1, o)),
    ...rows('allocate', 'options.node', [[0, VALUE]], ({ numa }, node) =>
      numa.allocate(1, { node } as never),
    ),
    ...rows('allocate', 'options.policy', POLICIES.slice(1), ({ numa }, policy: MemoryPolicy) =>
      numa.allocate(1, { policy }),
    ),
    ...rows('allocate', 'options.shared', BOOLEANS, ({ numa }, shared: boolean) =>
      numa.allocate(1, { shared }),
    ),
    ...rows(
      'allocate',
      'options.hugePages',
      [
        [1, VALUE],
        [null, VALUE],
        ['always', VALUE],
      ],
      ({ numa }, hugePages: never) => numa.allocate(1, { hugePages }),
    ),
    ...rows('map', 'fd', integers(2 ** 31 - 1), ({ numa }, fd: number) => numa.map(fd)),
    ...rows('map', 'options', OPTIONS, ({ numa }, options: never) => numa.map(2 ** 20, options)),
    ...rows('map', 'options.visibility', WORDS, ({ numa }, visibility: never) =>
      numa.map(2 ** 20, { visibility }),
    ),
    ...rows('allocate', 'nodes', FORBIDDEN_POLICIES, ({ numa }, policy: MemoryPolicy) =>
      numa.allocate(1, { policy }),
    ),
    ...rows(
      'attach',
      'handle',
      [
        [undefined, TYPE],
        [null, TYPE],
        [1, TYPE],
        ['h', TYPE],
      ],
      ({ numa }, h: never) => numa.attach(h),
    ),
    ...rows('attach', 'handle.id', integers(2 ** 53), ({ numa }, id: number) =>
      numa.attach(handle({ id })),
    ),
    ...rows('attach', 'handle.generation', integers(2 ** 53), ({ numa }, generation: number) =>
      numa.attach(handle({ generation })),
    ),
    ...rows('process', 'pid', [...integers(4194304), [0, RANGE]], ({ numa }, pid: number) =>
      numa.process(pid),
    ),
    ...rows('view', 'memory', VIEWLESS, ({ numa }, memory: never) => numa.view(memory)),
    ...rows(
      'freeMemory',
      'node',
      [...integers(1023), [undefined, TYPE]],
      ({ numa }, node: number) => numa.freeMemory(node),
    ),
  ];
}

function topologyRows(): Wrong[] {
  const ids = [...integers(1023), [undefined, TYPE], [UNKNOWN_NODE, RANGE]] as const;
  return [
    ...rows('node', 'id', ids, ({ numa }, id: number) => numa.topology.node(id)),
    ...rows('distance', 'from', ids, ({ numa }, id: number) =>
      numa.topology.distance(id, firstNode),
    ),
    ...rows('distance', 'to', ids, ({ numa }, id: number) => numa.topology.distance(firstNode, id)),
    ...rows('nearestFirst', 'from', ids, ({ numa }, id: number) => numa.topology.nearestFirst(id)),
    ...rows('nearestFirst', 'options.by', BY, ({ numa }, by: never) =>
      numa.topology.nearestFirst(firstNode, { by }),
    ),
    ...rows('memoryPerformance', 'from', ids, ({ numa }, id: number) =>
      numa.topology.memoryPerformance(id, firstNode),
    ),
    ...rows('memoryPerformance', 'to', ids, ({ numa }, id: number) =>
      numa.topology.memoryPerformance(firstNode, id),
    ),
    ...(['packageOf', 'lastLevelCacheOf'] as const).flatMap((verb) =>
      rows(verb, 'cpu', integers(CPU_ID_MAX), ({ numa }, cpu: number) => numa.topology[verb](cpu)),
    ),
    ...rows('place', 'nodes', PAGE_NODES, ({ buffer }, nodes: never) => buffer.place(nodes)),
    ...rows('distribute', 'shares', SHARES, ({ buffer }, shares: never) =>
      buffer.distribute(shares),
    ),
    ...rows('distribute', 'shares.weights', WEIGHTS.slice(1), ({ buffer }, weights: never) =>
      buffer.distribute({ weights, partsBytes: undefined } as never),
    ),
    ...rows('distribute', 'shares.partsBytes', PARTS, ({ buffer }, partsBytes: never) =>
      buffer.distribute({ partsBytes }),
    ),
    ...rows('nodesOf', 'nodes', NODES, ({ numa }, nodes: never) => numa.nodesOf(nodes)),
    ...rows('setInterleaveWeights', 'weights', WEIGHTS, ({ numa }, weights: never) =>
      numa.setInterleaveWeights(weights),
    ),
    ...rows('nodeOfCpu', 'cpu', integers(CPU_ID_MAX), ({ numa }, cpu: number) =>
      numa.topology.nodeOfCpu(cpu),
    ),
  ];
}

function threadRows(): Wrong[] {
  return [
    ...rows('thread.setPolicy', 'policy', POLICIES, ({ numa }, p: never) =>
      numa.thread.setPolicy(p),
    ),
    ...rows('thread.setPolicy', 'nodes', FORBIDDEN_POLICIES, ({ numa }, p: never) =>
      numa.thread.setPolicy(p),
    ),
    ...rows('thread.withPolicy', 'policy', POLICIES, ({ numa }, p: never) =>
      numa.thread.withPolicy(p, () => 1),
    ),
    ...rows('thread.withPolicy', 'nodes', FORBIDDEN_POLICIES, ({ numa }, p: never) =>
      numa.thread.withPolicy(p, () => 1),
    ),
    ...rows('thread.withPolicy', 'run', FUNCTIONS, ({ numa }, run: never) =>
      numa.thread.withPolicy(local(), run),
    ),
    ...rows('thread.bind', 'options.cpus', CPUS.slice(1), ({ numa }, cpus: never) =>
      numa.thread.bind({ cpus }),
    ),
    ...rows('thread.bind', 'options.nodes', NODES.slice(1), ({ numa }, nodes: never) =>
      numa.thread.bind({ nodes }),
    ),
    ...rows(
      'thread.bind',
      'options',
      [
        [undefined, VALUE],
        [{}, VALUE],
        [1, TYPE],
      ],
      ({ numa }, o: never) => numa.thread.bind(o),
    ),
    ...rows('thread.withAffinity', 'cpus', CPUS, ({ numa }, c: never) =>
      numa.thread.withAffinity(c, () => 1),
    ),
    ...rows('thread.withAffinity', 'run', FUNCTIONS, ({ numa }, run: never) =>
      numa.thread.withAffinity(numa.thread.affinity(), run),
    ),
    ...rows('thread.setAffinity', 'cpus', CPUS, ({ numa }, c: never) => numa.thread.setAffinity(c)),
  ];
}

export function wrongCalls(lengthBytes: number, pageSizeBytes: number): Wrong[] {
  return [
    ...numaRows(),
    ...topologyRows(),
    ...bufferRows(),
    ...rangeRows(lengthBytes, pageSizeBytes),
    ...threadRows(),
    ...processRows(),
  ];
}
