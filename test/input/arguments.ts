/**
 * Arguments with which each callable works, by its name; none for what takes none. What is public
 * and has no row fails the suite: a new function is called with wrong values, too.
 */

import { oldestKernelLine as kernel } from '../../lib/core/kernels.ts';
import { bind, CpuMask, local, NodeMask } from '../../lib/index.ts';
import { MADV, Machine, presets } from '../../lib/simulator/public.ts';
import { MPOL, MPOL_MF, nodemaskWords } from '../../lib/syscalls/public.ts';
import { noArguments, type Row, VALUE_ARGUMENTS } from './value-arguments.ts';
import type { World } from './world.ts';

const NONE: Row = () => [];
const span = ({ address }: World) => ({ address, pageCount: 2 });
const mask = () => nodemaskWords([0]);
const signal = () => new AbortController().signal;
const nothing = () => {};
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
  ...['new MappedBuffer', 'new Numa', 'new ProcessMemory', 'new ThreadMemory', 'new Topology'],
  ...['costs.account', 'costs.countTouches', 'simulatedThread.settle'],
];

const FACADE: Record<string, Row> = {
  'numa.allocate': () => [8192, { policy: bind(0) }],
  'numa.attach': ({ owners }) => [{ ...(owners['buffer'] as { handle: object }).handle }],
  'numa.process': () => [1],
  'numa.freeMemory': () => [0],
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
  ...noArguments('thread', 'policy', 'cpu', 'affinity'),
  'buffer.residency': () => [{ ...range(), signal: signal() }],
  'buffer.residencySync': () => [range()],
  'buffer.policy': () => [{ offsetBytes: 0 }],
  'buffer.setPolicy': () => [local(), { ...range(), move: 'own', strict: false }],
  'buffer.exemptFromBalancing': () => [range()],
  'buffer.migrate': () => [
    {
      ...range(),
      to: 0,
      strict: false,
      includeShared: false,
      signal: signal(),
      onProgress: nothing,
    },
  ],
  'buffer.touch': () => [{ ...range(), access: 'read' }],
  ...noArguments('buffer', 'release', '[nodejs.dispose]', '[nodejs.util.inspect.custom]'),
  'process.residency': () => [{ signal: signal() }],
  'process.mappings': () => [filter(), { signal: signal() }],
  'process.threads': () => [{ signal: signal() }],
  'process.snapshot': () => [{ mappings: [filter()], signal: signal() }],
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

const mbindRow: Row = ({ address }) => [
  { address, lengthBytes: 4096, mode: MPOL.BIND, nodemask: mask(), flags: 0 },
];
const homeRow: Row = ({ address }) => [{ address, lengthBytes: 4096, node: 0, flags: 0 }];
const getRow: Row = () => [{ flags: 0, address: 0n, maxnode: 1025 }];
const setRow: Row = () => [{ mode: MPOL.BIND, nodemask: mask() }];
const moveRow: Row = (world) => [
  {
    ...{ pid: 0, pages: span(world), nodes: new Int32Array(2), flags: MPOL_MF.MOVE },
    status: new Int32Array(2),
  },
];

const BARE: Record<string, Row> = {
  'syscalls.mbind': mbindRow,
  'syscalls.setMempolicy': setRow,
  'syscalls.getMempolicy': getRow,
  'syscalls.migratePages': () => [{ pid: 0, from: mask(), to: mask() }],
  'syscalls.movePages': moveRow,
  'syscalls.movePagesSync': moveRow,
  'syscalls.setMempolicyHomeNode': homeRow,
};

const mappingOf = ({ machine }: World) => {
  const mapped = machine?.self.backend.mmap(8192);
  return mapped?.ok === true ? mapped.value : undefined;
};

const BACKEND: Record<string, Row> = {
  ...Object.fromEntries(
    Object.entries({ ...BARE }).map(([name, row]) => [name.replace('syscalls', 'backend'), row]),
  ),
  'backend.migratePages': () => [{ pid: 0, maxnode: 65, from: mask().words, to: mask().words }],
  'backend.nodeMemory': () => [0],
  'backend.pagemapScan': (world) => [
    { pid: 0, ...span(world), categories: 2, runsMax: 1, pagesMax: 1 },
  ],
  'backend.mmap': () => [4096],
  'backend.attach': () => [{ id: 0, generation: 0 }],
  'backend.arrayBuffer': (world) => [mappingOf(world)],
  'backend.munmap': (world) => [mappingOf(world)],
  'backend.touch': (world) => [mappingOf(world), 0, 4096, 'read'],
  'backend.schedSetaffinity': () => [[0]],
  'backend.pagemap': (world) => [span(world), 0],
  ...{ 'backend.maps': (world) => [span(world)], 'backend.mincore': (world) => [span(world)] },
  'backend.readText': () => ['/proc/self/comm'],
  'backend.readTextSync': () => ['/proc/self/comm'],
  'backend.readNames': () => ['/proc'],
  ...noArguments('backend', 'topology', 'getcpu', 'schedGetaffinity'),
};

const MACHINE: Record<string, Row> = {
  'machine.process': () => [{ uid: 0, capabilities: ['CAP_SYS_NICE'] }],
  'machine.hugePages=': () => ['never'],
  'machine.nextInode=': () => [1000],
  'machine.setInterleaveWeight': () => [0, 1],
  'machine.counters': () => [0],
  'machine.startCosts': () => [{ profile: 'guest-6.1', accessesPerTouch: 1, copyThreads: 1 }],
  ...noArguments('machine', 'topology', 'traceMigrations', 'stopCosts', 'vmstat'),
  ...noArguments('machine', 'invariantBreaches'),
  'settings.balancing=': () => ['off'],
  'settings.promoteRateLimitMBps=': () => [1],
  'settings.hotThresholdMs=': () => [1],
  'settings.hugePoolPages': () => [0],
  'settings.setHugePoolPages': () => [0, 0],
  'settings.mergeEqualPages': NONE,
  'settings.cpuset': () => [{ version: 2, migrates: true }],
  'weights.names': NONE,
  'weights.read': () => ['node0'],
  'weights.write': ({ machine }) => ['node0', '1', machine?.self.pid],
  'faults.nodeFull': () => [1, 0],
  'faults.busy': (world) => [world.machine?.self, span(world), 1],
  'faults.writeback': (world) => [world.machine?.self, span(world), 1],
  'faults.deny': () => ['mbind', 'EPERM'],
  'faults.at': () => ['unmap', nothing, 1],
  'faults.atEachStep': () => [nothing],
  'faults.racingWriter': (world) => [world.machine?.self, span(world)],
  ...noArguments('writer', 'lostWrites', 'end'),
  'costs.migrationNsOf': () => ['mbind'],
  'costs.slowLink': () => [0, 1, 2],
  ...noArguments('costs', 'accesses', 'migrations', 'reset'),
  ...noArguments('trace', 'stop', 'toString', 'toJSON', '[nodejs.dispose]'),
  'cpuset.setMems': () => ['0'],
  'cpuset.attach': ({ machine }) => [machine?.self.pid],
  'cpuset.leave': ({ machine }) => [machine?.self.pid],
  'cpuset.empty': NONE,
  'cpusetSteps.setMems': () => ['0'],
  'cpusetSteps.attach': ({ machine }) => [machine?.self.pid],
  ...noArguments('steppedCall', 'step', 'run'),
  'fixtures.nodeFull': () => [1, 0],
  'fixtures.pinnedPages': (world) => [span(world), { firstPage: 0, pageCount: 1 }],
  'fixtures.busyPages': (world) => [span(world), 1, { firstPage: 0, pageCount: 1 }],
  'fixtures.deniedCall': () => ['mbind', 'EPERM'],
  'fixtures.shrinkCpusetAt': () => ['unmap', '0', 1],
  'fixtures.racingWriter': (world) => [span(world), { firstPage: 0, pageCount: 1 }],
  'fixtures.slowLink': ({ machine }) => [0, 1, 2, machine?.startCosts()],
  ...noArguments('fixtures', 'end', '[nodejs.dispose]'),
  ...noArguments('fault', 'end', '[nodejs.dispose]'),
};

const PROCESS: Record<string, Row> = {
  'self.name=': () => ['x'],
  'self.allowsHugePages=': () => [true],
  'self.isDumpable=': () => [true],
  'self.pageState': ({ address }) => [address],
  'self.setuid': () => [0],
  'self.dropCapability': () => ['CAP_SYS_NICE'],
  ...noArguments('self', 'thread', 'fork', 'exit', 'unshareUser'),
  'simulatedThread.pin': (world) => [span(world)],
  ...noArguments('simulatedThread', 'thread', 'fork', 'forkEnded', 'exec'),
  'memory.mmap': () => [{ address: 0x10_0000_0000n, pageCount: 1, isShared: false }],
  'memory.munmap': (world) => [span(world)],
  'memory.mprotect': (world) => [span(world), 'read'],
  'memory.mlock': (world) => [span(world)],
  'memory.munlock': (world) => [span(world)],
  'memory.touch': (world) => [span(world), 'read'],
  'memory.keepTouching': (world) => [span(world), 'read', 4],
  'memory.store': ({ address }) => [address, 1n],
  'memory.load': ({ address }) => [address],
  'areas.madvise': (world) => [span(world), MADV.HUGEPAGE],
  'areas.mremap': (world) => [span(world), 0x20_0000_0000n],
  'areas.resize': (world) => [span(world), 3],
  'areas.list': (world) => [span(world)],
  'areas.numaMaps': () => ['self'],
  'areas.special': () => ['vdso'],
  'areas.mapDevice': () => [{ address: 0x30_0000_0000n, pageCount: 1 }],
  'objects.create': () => ['memfd', 1, 'name'],
  'objects.map': () => [
    { kind: 'memfd', id: 3, inode: 1 },
    { address: 0x40_0000_0000n, pageCount: 1, isShared: true, firstPage: 0 },
  ],
  'objects.write': () => [
    { kind: 'memfd', id: 3, inode: 1 },
    { firstPage: 0, pageCount: 1 },
  ],
  'references.splice': (world) => [span(world)],
  'references.registerBuffer': (world) => [span(world)],
  'references.unregisterBuffer': () => [3],
  'references.registerPackets': (world) => [span(world)],
  'references.packetRing': () => [{ blockPages: 1, blockCount: 1 }],
  'references.close': () => [3],
  'numaCalls.setMempolicy': setRow,
  'numaCalls.getMempolicy': () => [{ flags: 0, address: 0n, maxnode: 1025, mask: 0n, mode: 0n }],
  'numaCalls.mbind': mbindRow,
  'numaCalls.setMempolicyHomeNode': homeRow,
  'numaCalls.movePages': (world) => [
    {
      ...{ pid: 0, count: 1, pages: new BigUint64Array([world.address]), nodes: 0 },
      ...{ status: new Int32Array(1), flags: MPOL_MF.MOVE },
    },
  ],
  'numaCalls.migratePages': () => [{ pid: 0, from: mask(), to: mask() }],
  'steps.touch': (world) => [span(world), 'read'],
  'steps.store': ({ address }) => [address, 1n],
  'steps.movePages': (world) => [
    { pid: 0, pages: span(world), node: 0, flags: MPOL_MF.MOVE, status: new Int32Array(2) },
  ],
  'steps.mbind': mbindRow,
  'steps.migratePages': () => [{ pid: 0, from: mask(), to: mask() }],
};

export const ARGUMENTS: Readonly<Record<string, Row>> = {
  ...{ ...EXPORTED, ...FACADE, ...BARE, ...BACKEND, ...MACHINE, ...PROCESS, ...VALUE_ARGUMENTS },
};
