/**
 * Arguments with which each callable works, by its name; none for what takes none. What is public
 * and has no row fails the suite: a new function is called with wrong values, too.
 */

import { oldestKernelLine as kernel } from '../../lib/core/kernels.ts';
import { ReplicaWords } from '../../lib/facade/replicas/replica-words.ts';
import { bind, CpuMask, local, NodeMask } from '../../lib/index.ts';
import { MADV, Machine, presets } from '../../lib/simulator/public.ts';
import { MPOL_MF } from '../../lib/syscalls/public.ts';
import { MACHINE, PROCESS } from './machine-arguments.ts';
import { mask, NONE, noArguments, nothing, policyRows, type Row, span } from './rows.ts';
import { VALUE_ARGUMENTS } from './value-arguments.ts';
import type { World } from './world.ts';

const signal = () => new AbortController().signal;
const range = () => ({ offsetBytes: 0, lengthBytes: 1 });
const policyRow: Row = () => [[0], { flags: ['static-nodes'] }];
const homePolicyRow: Row = () => ['0', { flags: ['static-nodes'], homeNode: 0 }];
const filter = () => ({
  address: { from: 0n, to: 2n ** 47n },
  ...{ file: '*', kind: ['anonymous'], bytesMin: 0, bytesMax: 2 ** 40, node: 0 },
});
const selection = () => ({ mappings: [filter()], from: 0, to: 0 });
const report = () => ({
  ...{ pages: { total: 1, moved: 1 }, failedBy: {}, before: {}, after: {}, target: 0 },
  complete: true,
});
const event = () => ({
  ...{ index: 0, call: 1, step: 'unmap', mode: null, pass: null, address: null, isAtomic: false },
  ...{ source: null, target: null, note: '' },
});

const EXPORTED: Record<string, Row> = {
  'new AbortError': () => ['aborted', report(), new Error('why')],
  'new NumaError': () => ['no', { code: 'NUMA_RELEASED', hint: 'h' }],
  bind: homePolicyRow,
  preferredMany: homePolicyRow,
  ...{ interleave: policyRow, preferred: policyRow, weightedInterleave: policyRow },
  ...{ defaultPolicy: NONE, local: NONE, defaultMachine: NONE },
  'new MemoryPolicy': () => ['bind', NodeMask.of(0), [], NodeMask.of(0)],
  'new NodeMask': () => [[0]],
  'NodeMask.of': () => [0, 1],
  'NodeMask.from': () => [[0, 1]],
  'new CpuMask': () => [[0]],
  'CpuMask.of': () => [0, 1],
  'CpuMask.from': () => [[0, 1]],
  'CpuMask.parse': () => ['0', { allowed: CpuMask.of(0), online: CpuMask.of(0) }],
  'NodeMask.parse': () => ['0', { allowed: NodeMask.of(0), online: NodeMask.of(0) }],
  openNuma: () => [{ backend: 'simulator', machine: new Machine(presets.twoSockets) }],
  remoteShareOf: () => [{ 0: 1 }, [{ tid: 1, name: 'x', cpu: 0, node: 0 }]],
  summarize: () => [report()],
  errnoName: () => [1],
  nodemaskWords: () => [[0]],
  nodesOfWords: () => [new BigUint64Array([1n])],
  openSyscalls: ({ numa }) => [numa],
  eventLine: () => [event()],
  checkMachineDescription: () => [structuredClone(presets.twoSockets)],
  'new Machine': () => [structuredClone(presets.twoSockets), { kernel, pageSizeBytes: 4096 }],
  'new FaultFixtures': ({ machine }) => [machine, machine?.self],
  numaFixtures: () => [{ description: presets.twoSockets, kernel, mustRelease: true }],
  withMachine: () => [{ description: presets.twoSockets, kernel }, nothing],
  toResideOn: ({ owners }) => [owners['buffer'], [0]],
  toHaveMoved: () => [report(), 1],
  toBeComplete: () => [report()],
  toFailWith: () => [{ ok: false, errno: 1, syscall: 'mbind' }, 'mbind', 'EPERM'],
  toContainSteps: () => [{ events: [event()] }, ['unmap']],
};

/** Only what the facade and the backends make is one: users have no arguments for it. */
export const MADE_BY_US: readonly string[] = [
  ...[
    'new MappedBuffer',
    'new MemoryView',
    'new SharedBuffer',
    'new OwnedReplicas',
    'new Replica',
    'new Replicas',
    'new Numa',
    'new PiscinaPools',
    'new ProcessMemory',
    'new ThreadMemory',
    'new Topology',
    'new WorkerPool',
  ],
  ...['costs.account', 'costs.countTouches', 'simulatedThread.settle'],
];

/** The verbs of a range. */
const verbsOf = (owner: string): Record<string, Row> => ({
  [`${owner}.residency`]: () => [{ ...range(), signal: signal() }],
  [`${owner}.residencySync`]: () => [range()],
  [`${owner}.policy`]: () => [{ offsetBytes: 0 }],
  [`${owner}.setPolicy`]: () => [local(), { ...range(), move: 'own', strict: false }],
  [`${owner}.exemptFromBalancing`]: () => [range()],
  [`${owner}.migrate`]: () => [
    {
      ...{ ...range(), to: 0, strict: false, includeShared: false, exclude: [] },
      ...{ pauseBudgetMs: 100, retryBusyMs: 0, onFull: 'partial' },
      ...{ signal: signal(), onProgress: nothing },
    },
  ],
  [`${owner}.plan`]: () => [{ ...range(), to: 0, exclude: [], signal: signal() }],
  [`${owner}.pageStatuses`]: () => [{ ...range(), signal: signal() }],
  [`${owner}.place`]: () => [
    [0],
    { ...range(), strict: false, includeShared: false, signal: signal(), onProgress: nothing },
  ],
  [`${owner}.distribute`]: () => [{ weights: { 0: 1 } }, range()],
  [`${owner}.touch`]: () => [{ ...range(), access: 'read' }],
  ...noArguments(owner, 'release', '[nodejs.dispose]', '[nodejs.util.inspect.custom]'),
});

/** As `replicas.handle` is, which can only be waited for. */
const replicasHandle = () => {
  const half = () => new Uint8Array(new SharedArrayBuffer(8));
  const copies = [{ node: 0, halves: [half(), half()] }];
  return { arrayName: 'Uint8Array', words: new ReplicaWords().memory, copies };
};
const placementRow: Row = () => [{ cpus: [0], memoryNodes: '0', policy: 'bind', exclusiveCpus: 1 }];
const poolOptions = () => ({ workersPerNode: 1, nodes: '0', policy: 'bind' });

const FACADE: Record<string, Row> = {
  ...{ 'buffer.hugePages': NONE, 'buffer.isTruncated': NONE, 'buffer.flush': () => [range()] },
  'buffer.populate': () => [{ ...range(), threads: 1, signal: signal(), onProgress: nothing }],
  ...{ 'buffer.bytesAt': () => [0, 1], 'buffer.resize': () => [8192] },
  'numa.allocate': () => [8192, { policy: bind(0), hugePages: 'none', shared: true }],
  'numa.mapFile': () => [
    '/no/such/file',
    { ...range(), policy: bind(0), protection: 'read', visibility: 'private' },
  ],
  'numa.map': () => [2 ** 20, { ...range(), policy: bind(0), visibility: 'private' }],
  'numa.attach': ({ owners }) => [{ ...(owners['buffer'] as { handle: object }).handle }],
  'numa.view': () => [new ArrayBuffer(8192)],
  'numa.replicate': () => [new Uint8Array(8), { nodes: 0, signal: signal(), onProgress: nothing }],
  'numa.attachReplicas': () => [replicasHandle()],
  'numa.process': () => [1],
  'numa.nodesOf': () => ['0-1', 'nodes'],
  'numa.setInterleaveWeights': () => [{ 0: 1 }],
  ...noArguments('numa', 'interleaveWeights'),
  'numa.freeMemory': () => [0],
  'numa.worker': placementRow,
  'numa.spawn': placementRow,
  'numa.fork': placementRow,
  'numa.workerPool': () => [{ ...poolOptions(), bindTo: 'node' }],
  'numa.piscinaPools': () => [poolOptions()],
  ...noArguments('numa', 'processIds', 'allowedNodes', 'capabilities', 'nodeStatistics'),
  ...noArguments('numa', 'balancing'),
  'topology.node': () => [0],
  'topology.distance': () => [0, 0],
  'topology.nodeOfCpu': () => [0],
  'topology.nearestFirst': () => [0, { by: 'latency' }],
  'topology.memoryPerformance': () => [0, 0],
  'topology.packageOf': () => [0],
  'topology.lastLevelCacheOf': () => [0],
  'thread.setPolicy': () => [local()],
  'thread.withPolicy': () => [local(), nothing],
  'thread.setAffinity': () => [[0]],
  'thread.bind': () => [{ cpus: 0, nodes: 0, strict: false }],
  'thread.withAffinity': () => [[0], nothing],
  ...noArguments('thread', 'policy', 'cpu', 'affinity'),
  ...verbsOf('buffer'),
  ...verbsOf('view'),
  'process.residency': () => [{ signal: signal() }],
  'process.mappings': () => [filter(), { signal: signal() }],
  'process.threads': () => [{ signal: signal() }],
  'process.snapshot': () => [{ mappings: [filter()], signal: signal() }],
  'process.setAffinity': ({ owners }) => [[0], { tid: (owners['process'] as { pid: number }).pid }],
  'process.locate': (world) => [span(world), { signal: signal() }],
  'process.locateRuns': (world) => [span(world), { signal: signal() }],
  'process.migrate': () => [{ from: 0, to: 0, signal: signal() }],
  'process.plan': () => [{ ...selection(), signal: signal() }],
  'process.migrateMappings': () => [
    {
      ...{ ...selection(), pauseBudgetMs: 100, includeShared: false, strict: false },
      ...{ signal: signal(), onProgress: nothing },
    },
  ],
};

const getRow: Row = () => [{ flags: 0, address: 0n, maxnode: 1025 }];
const moveRow: Row = (world) => [
  {
    ...{ pid: 0, pages: span(world), nodes: new Int32Array(2), flags: MPOL_MF.MOVE },
    status: new Int32Array(2),
  },
];

const BARE: Record<string, Row> = {
  ...policyRows('syscalls'),
  'syscalls.getMempolicy': getRow,
  'syscalls.migratePages': () => [{ pid: 0, from: mask(), to: mask() }],
  'syscalls.movePages': moveRow,
  'syscalls.movePagesSync': moveRow,
};

const mappingOf = ({ machine }: World) => {
  const mapped = machine?.self.backend.mmap({ lengthBytes: 8192 });
  return mapped?.ok === true ? mapped.value : undefined;
};

const adviceFor = (world: World) => ({
  ...{ mapping: mappingOf(world), offsetBytes: 0, lengthBytes: 4096 },
  advice: MADV.POPULATE_WRITE,
});

const BACKEND: Record<string, Row> = {
  ...Object.fromEntries(
    Object.entries({ ...BARE }).map(([name, row]) => [name.replace('syscalls', 'backend'), row]),
  ),
  'backend.migratePages': () => [{ pid: 0, maxnode: 65, from: mask().words, to: mask().words }],
  'backend.nodeMemory': () => [0],
  'backend.pagemapScan': (world) => [
    { pid: 0, ...span(world), categories: 2, runsMax: 1, pagesMax: 1 },
  ],
  'backend.mmap': () => [
    {
      ...{ lengthBytes: 4096, alignmentBytes: 4096, hugePageBytes: 2 ** 21, isShared: true },
      ...{ descriptor: 0, offsetBytes: 0 },
    },
  ],
  'backend.attach': () => [{ id: 0, generation: 0 }],
  'backend.arrayBuffer': (world) => [mappingOf(world)],
  'backend.bytesAt': (world) => [{ mapping: mappingOf(world), offsetBytes: 0, lengthBytes: 1 }],
  'backend.mremap': (world) => [mappingOf(world), 8192],
  'backend.open': () => ['/no/such/file', 'read'],
  'backend.close': () => [2 ** 20],
  'backend.fstat': (world) => [mappingOf(world)],
  'backend.madviseSync': (world) => [adviceFor(world)],
  'backend.madvise': (world) => [adviceFor(world), [0]],
  'backend.copyPages': (world) => [
    {
      mapping: mappingOf(world),
      offsetBytes: 0,
      lengthBytes: 1,
      node: 0,
      cpus: [0],
      mode: 0,
      nodemask: null,
      advice: -1,
      mayKeep: false,
    },
  ],
  'backend.msync': (world) => [{ mapping: mappingOf(world), offsetBytes: 0, lengthBytes: 1 }],
  'backend.munmap': (world) => [mappingOf(world)],
  'backend.touch': (world) => [mappingOf(world), 0, 4096, 'read'],
  'backend.touchView': () => [new Uint8Array(8192), 'read'],
  'backend.viewAddress': () => [new Uint8Array(8192)],
  'backend.schedSetaffinity': () => [[0]],
  'backend.pagemap': (world) => [span(world), 0],
  ...{ 'backend.maps': (world) => [span(world)], 'backend.mincore': (world) => [span(world)] },
  'backend.readText': () => ['/proc/self/smaps', { address: 0n, pageCount: 1 }],
  'backend.readTextSync': () => ['/proc/self/comm'],
  'backend.writeText': () => ['/proc/self/comm', 'node'],
  'backend.stat': () => ['/proc'],
  'backend.readNames': () => ['/proc'],
  ...noArguments('backend', 'topology', 'getcpu', 'schedGetaffinity'),
};

export const ARGUMENTS: Readonly<Record<string, Row>> = {
  ...{ ...EXPORTED, ...FACADE, ...BARE, ...BACKEND, ...MACHINE, ...PROCESS, ...VALUE_ARGUMENTS },
};
