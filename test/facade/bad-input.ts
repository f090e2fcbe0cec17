/** Every public verb with every kind of wrong argument, as one table. */

import { CPU_ID_MAX } from '../../lib/core/uapi.ts';
import { local, type MemoryPolicy, openNuma } from '../../lib/index.ts';
import { kindRows } from './bad-kind-input.ts';
import { processRows } from './bad-process-input.ts';
import { bufferRows, rangeRows } from './bad-range-input.ts';
import { firstNode, UNKNOWN_NODE } from './machine.ts';
import {
  BACKENDS,
  BY,
  CPUS,
  FORBIDDEN_POLICIES,
  FUNCTIONS,
  integers,
  MACHINES,
  NODES,
  OPTIONS,
  PAGE_NODES,
  PARTS,
  POLICIES,
  RANGE,
  rows,
  SHARES,
  TYPE,
  VALUE,
  WEIGHTS,
  type Wrong,
  type WrongValue,
} from './wrong-values.ts';

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
    ...kindRows(),
    ...topologyRows(),
    ...bufferRows(),
    ...rangeRows(lengthBytes, pageSizeBytes),
    ...threadRows(),
    ...processRows(),
  ];
}
