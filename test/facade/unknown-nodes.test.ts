/** Machines that do not tell all of their nodes: what is unknown is neither zero nor none. */

import { describe, expect, test } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import type { TopologySnapshot } from '../../lib/backend/topology-snapshot.ts';
import { Colours } from '../../lib/cli/render/colours.ts';
import { nodeOverview } from '../../lib/cli/render/node-overview.ts';
import { readSetting } from '../../lib/cli/run/setting.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { planPlacement } from '../../lib/facade/placement/plan-placement.ts';
import { bind, CpuMask, local, openNuma, remoteShareOf } from '../../lib/index.ts';
import { examine } from '../../lib/services/doctor/examine.ts';
import { openScenario } from '../../lib/services/scenario/read-scenario.ts';
import { recordScenario } from '../../lib/services/scenario/record.ts';
import { Machine, type MachineDescription, presets } from '../../lib/simulator/public.ts';
import { failureOf, rejectionOf, thrownBy } from '../core/thrown.ts';
import { refusing } from '../support/numa-calls.ts';

const CPUS = [[0, 1], [2, 3], [], []];
/** Two CPUs on each node that has some. */
const MACHINE: MachineDescription = {
  ...presets.fourNodes,
  nodes: presets.fourNodes.nodes.map((node) => ({ ...node, cpus: CPUS[node.id] ?? [] })),
};

type Changes = Partial<Record<keyof Backend, unknown>>;

/** The calling process of a simulated machine, with other answers. */
function backendWith(changes: Changes): Backend {
  const { backend } = new Machine(MACHINE).self;
  return new Proxy(backend, {
    get(target, name) {
      if (name in changes) return changes[name as keyof Backend];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Node 1 tells nothing of itself, and rows are unknown in each of the ways. */
const SNAPSHOT: TopologySnapshot = {
  nodes: [
    { id: 0, cpus: [0, 1], memoryBytes: 2 ** 30, freeBytes: 2 ** 29 },
    { id: 1, cpus: null, memoryBytes: null, freeBytes: null },
    { id: 2, cpus: [], memoryBytes: 2 ** 29, freeBytes: 2 ** 29 },
    { id: 3, cpus: [], memoryBytes: 0, freeBytes: 0 },
  ],
  distances: [
    [10, 0, 17, 21],
    [null, 10, null, null],
    [17, 28, 10],
    [21, 17, 31, 10, 40],
  ],
  allowedNodes: [0, 1, 2],
};

/** Its files are those of the machine that is asked. */
const REAL = new Machine(presets.fourNodes).self.backend;
const noFile = async () => ({ ok: false, errno: ERRNO.ENOENT, syscall: 'open' });
const PARTLY: Changes = {
  topology: () => ({ ok: true, value: SNAPSHOT }),
  nodeMemory: () => ({ ok: true, value: { memoryBytes: null, freeBytes: null } }),
  readText: async (path: string) =>
    path.startsWith('/sys/devices/system/node') ? noFile() : REAL.readText(path),
};

describe('what a node does not tell', () => {
  const numa = openNuma({ backend: backendWith(PARTLY) });
  const { topology } = numa;

  test('is null, and leaves it in the sets of nodes with memory and with CPUs', () => {
    expect([0, 77].map((cpu) => topology.nodeOfCpu(cpu))).toEqual([0, null]);
    expect([topology.possibleNodes, topology.possibleCpus]).toEqual([null, null]);
    expect(topology.node(1)).toEqual({ id: 1, cpus: null, memoryBytes: null });
    expect(`${topology.withMemory} ${topology.withCpus}`).toBe('0-2 0-1');
    expect(topology.incompleteReason).toBeNull();
    expect(numa.freeMemory(1)).toBeNull();
  });

  test('is null for distances of 0, and for rows of another length', () => {
    const rows = topology.nodes.map(({ id: from }) =>
      topology.nodes.map(({ id: to }) => topology.distance(from, to)),
    );
    expect(rows).toEqual([
      [10, null, 17, 21],
      [null, 10, null, null],
      [null, null, null, null],
      [null, null, null, null],
    ]);
  });

  test('comes last of the nearest, and a node is always the nearest to itself', () => {
    expect(topology.nodes.map(({ id }) => topology.nearestFirst(id))).toEqual([
      [0, 2, 3, 1],
      [1, 0, 2, 3],
      [2, 0, 1, 3],
      [3, 0, 1, 2],
    ]);
  });

  test('is null in the statistics, and ? in the text', async () => {
    const statistics = await numa.nodeStatistics();
    const memory = { totalBytes: null, usedBytes: null, freeBytes: null };
    expect(statistics[1]).toMatchObject({ id: 1, memory, allocations: null, meminfo: null });
    const balancing = await numa.balancing();
    const overview = { topology, statistics, allowed: numa.allowedNodes(), balancing };
    const text = nodeOverview(overview, { columns: 100, colours: new Colours(false) }).join('\n');
    expect(text).toMatch(/^ +1 +\? +\? +\? +\?/m);
    expect(text).toMatch(/^distance +0 +1 +2 +3$/m);
    expect(text).toMatch(/^ +0 +10 +\? +17 +21$/m);
    expect(text).toMatch(/^ +2 +\? +\? +\? +\?$/m);
    const counters = { ...balancing.counters, numaHintFaults: 5, numaPagesMigrated: null };
    const counted = { ...overview, balancing: { ...balancing, mode: 'normal', counters } as const };
    const told = nodeOverview(counted, { columns: 100, colours: new Colours(false) }).join('\n');
    expect(told).toMatch(/so far 5 hint faults/);
    expect(told).not.toMatch(/moved/);
  });

  test('is the share of remote memory, where no thread runs on a known node', () => {
    const thread = { tid: 1, name: 'a', state: 'R', cpu: 9, node: null, cpuTimeMs: 5 };
    expect(remoteShareOf({ 0: 4096 }, [thread])).toBeNull();
    expect(remoteShareOf({ 0: 4096 }, [{ ...thread, node: 0 }])).toBe(0);
    expect(remoteShareOf({}, [thread])).toBe(0);
  });

  test('is in nobody’s way who does not ask for it', async () => {
    using buffer = numa.allocate(8 * numa.pageSizeBytes, { policy: bind(1) });
    buffer.touch();
    expect(buffer.residencySync().byNode).toEqual({ 1: 8 });
    expect((await buffer.migrate({ to: 2 })).complete).toBe(true);
    const plan = await numa.process().plan({ mappings: { kind: 'heap' }, to: 1 });
    expect([plan.freeBytesByTarget, plan.warnings]).toEqual([{}, []]);
  });

  test('is refused to a launcher that needs it, and to a recording', async () => {
    const names = {
      ...{ cpus: '--cpus', cpuNodes: '--cpu-nodes', memoryNodes: '--memory-nodes' },
      policy: '--policy',
    };
    const request = { flags: [], anyCpu: false, names };
    const { code, message } = thrownBy(() => planPlacement(numa, { ...request, cpuNodes: '0-1' }));
    expect(code).toBe('NUMA_UNSUPPORTED');
    expect(message).toContain('does not tell the CPUs of node 1; name CPUs with --cpus');
    expect(planPlacement(numa, { ...request, cpuNodes: '0' }).cpus?.cpus).toEqual(CpuMask.of(0, 1));
    expect(planPlacement(numa, { ...request, cpus: '3' }).cpus?.cpus).toEqual(CpuMask.of(3));
    const { message: absent } = thrownBy(() => planPlacement(numa, { ...request, cpus: '77' }));
    expect(absent).toContain('CPU 77 is not known to be online');
    const same = { ...request, memoryNodes: 'same' };
    const { code: unsure, message: why } = thrownBy(() =>
      planPlacement(numa, { ...same, cpus: '0,3' }),
    );
    expect([unsure, why]).toEqual(['NUMA_UNSUPPORTED', expect.stringContaining('node of CPU 3;')]);
    expect(`${planPlacement(numa, { ...same, cpus: '0-1' }).policy}`).toBe('bind:0');
    expect(readSetting(numa).cpuNodes).toBeNull();
    const backend = backendWith(PARTLY);
    const scenario = openScenario('full');
    const refused = await rejectionOf(recordScenario(scenario, backend));
    expect(refused.message).toContain('this host does not tell the distance from node 0 to node 1');
  });

  test('is a finding of the doctor', async () => {
    const { findings } = await examine(numa);
    const cpus = findings.find(({ id }) => id === 'cpuset.cpus');
    expect(cpus).toMatchObject({ state: 'warning', text: 'which CPUs are of node 1 is not told' });
  });
});

describe('a kernel without NUMA', () => {
  const reason = 'this host does not tell its nodes: node 0 stands for all of its memory and CPUs';
  const node = { id: 0, cpus: [0, 1], memoryBytes: 2 ** 30, freeBytes: 2 ** 29 };
  const backend = backendWith({
    topology: () => ({
      ok: true,
      value: { nodes: [node], distances: [[10]], allowedNodes: [0], incompleteReason: reason },
    }),
    ...refusing(ERRNO.ENOSYS),
    readNames: async () => {
      const found = await REAL.readNames('/proc/self');
      if (!found.ok) return found;
      return { ok: true, value: found.value.filter((name) => name !== 'numa_maps') };
    },
    readTextSync: (path: string) => {
      if (path.endsWith('/status')) return { ok: true, value: 'Seccomp:\t2\n' };
      const errno = path.endsWith('/maps/') ? ERRNO.ENOTDIR : ERRNO.ENOENT;
      return { ok: false, errno, syscall: 'open' };
    },
    readText: async (path: string) => {
      if (path.endsWith('/numa_maps')) return noFile();
      // As in a container: the filter has nothing to do with it.
      if (path.endsWith('/status')) return { ok: true, value: 'Seccomp:\t2\nCapEff:\t0\n' };
      return REAL.readText(path);
    },
  });
  const numa = openNuma({ backend });

  test('has one node, and says so wherever the backend is named', () => {
    expect(numa.backend.reason).toBe(`given by the caller; ${reason}`);
    expect(numa.topology.incompleteReason).toBe(reason);
    expect(`${numa.allowedNodes()}`).toBe('0');
  });

  test('refuses each call as one that it does not have', async () => {
    using buffer = numa.allocate(numa.pageSizeBytes);
    const verbs: readonly (() => unknown)[] = [
      () => numa.thread.policy(),
      () => numa.thread.setPolicy(local()),
      () => numa.allocate(numa.pageSizeBytes, { policy: bind(0) }),
      () => buffer.setPolicy(bind(0)),
      () => buffer.policy(),
      () => buffer.migrate({ to: 0 }),
      () => buffer.residencySync(),
      () => numa.process().residency(),
      () => numa.process().migrate({ from: 0, to: 0 }),
      () => numa.process().migrateMappings({ mappings: { kind: 'heap' }, to: 0 }),
    ];
    for (const verb of verbs) {
      const { code, message } = await failureOf(verb);
      expect(code, `${verb}`).toBe('NUMA_UNSUPPORTED');
      expect(message).toContain('CONFIG_NUMA');
      expect(message).not.toContain('seccomp');
    }
  });

  test('is told from a filter', async () => {
    const { calls, files } = await numa.capabilities();
    for (const call of Object.values(calls)) {
      expect(call).toMatchObject({ works: false, cause: 'kernel', errnoName: 'ENOSYS' });
      expect(call.remedies?.[0]?.action).toContain('CONFIG_NUMA=y');
    }
    const numaMaps = files.find(({ name }) => name === '/proc/self/numa_maps');
    expect(numaMaps).toMatchObject({ works: false, cause: 'kernel' });
  });

  test('is examined', async () => {
    const { findings } = await examine(numa);
    expect(findings.find(({ id }) => id === 'nodes')?.text).toBe(reason);
    expect(findings.filter(({ state }) => state === 'problem').length).toBeGreaterThan(5);
  });
});
