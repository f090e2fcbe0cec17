/** Machines as they are sold: node numbers above 63 with gaps, terabytes, CPUs in turns. */

import { describe, expect, test } from 'vitest';
import { bind, interleave, NodeMask, openNuma, preferredMany } from '../../lib/index.ts';
import { Machine, type MachineDescription } from '../../lib/simulator/public.ts';

const distancesOf = (ids: readonly number[], far: (from: number, to: number) => number) =>
  ids.map((from) => ids.map((to) => (from === to ? 10 : far(from, to))));

/** As POWER9 numbers the memory of GPUs, beside sockets of 1.5 TiB. */
const HIGH_IDS = [0, 8, 250, 251, 252, 253, 254, 255];
const GPU_IDS = HIGH_IDS.slice(2);
const highIds: MachineDescription = {
  name: 'high-ids',
  description: '',
  nodes: HIGH_IDS.map((id, index) => ({
    id,
    memoryMiB: index < 2 ? 1.5 * 2 ** 20 : 16_384,
    cpus: index < 2 ? [16 * id, 16 * id + 1, 16 * id + 3] : [],
  })),
  distances: distancesOf(HIGH_IDS, (from, to) => (from + to < 10 ? 40 : 80)),
};

/** Sockets that take turns, and second threads behind all the first ones. */
const interleavedCpus: MachineDescription = {
  name: 'interleaved-cpus',
  description: '',
  nodes: [
    { id: 0, memoryMiB: 1024, cpus: [32, 0, 2, 34] },
    { id: 1, memoryMiB: 1024, cpus: [1, 3, 33, 35] },
  ],
  distances: distancesOf([0, 1], () => 21),
};

async function textOf(machine: Machine, path: string): Promise<string> {
  const text = await machine.self.backend.readText(path);
  if (!text.ok) throw new Error(`${path}: ${text.errno}`);
  return text.value;
}

describe('nodes with high numbers', () => {
  const machine = new Machine(highIds);
  const numa = openNuma({ machine });
  const page = numa.pageSizeBytes;
  const list = '0,8,250-255';

  test('are in lists and masks of many words', async () => {
    expect([`${numa.topology.online}`, `${numa.allowedNodes()}`]).toEqual([list, list]);
    expect(await textOf(machine, '/sys/devices/system/node/online')).toBe(`${list}\n`);
    expect(await textOf(machine, '/sys/devices/system/node/possible')).toBe('0-255\n');
    const status = await textOf(machine, '/proc/self/status');
    expect(status).toContain(`Mems_allowed_list:\t${list}\n`);
    expect(status).toMatch(/^Mems_allowed:\t[0,]*fc000000(,00000000){6},00000101$/m);
    expect(machine.invariantBreaches()).toEqual([]);
  });

  test('take policies, pages and moves', async () => {
    using buffer = numa.allocate(12 * page, { policy: interleave('250-255') });
    buffer.touch();
    const byTwo = Object.fromEntries(GPU_IDS.map((id) => [id, 2]));
    expect(buffer.residencySync().byNode).toEqual(byTwo);
    const maps = await textOf(machine, '/proc/self/numa_maps');
    expect(maps).toMatch(/interleave:250-255 .* N250=2 N251=2 .* N255=2 /);
    expect((await buffer.migrate({ to: 255 })).pages).toMatchObject({ moved: 10, alreadyThere: 2 });
    buffer.setPolicy(preferredMany('8,254'), { move: 'own' });
    expect(buffer.policy().nodes).toEqual(NodeMask.parse('8,254'));
    const report = await numa.process().migrate({ from: '255', to: '8' });
    expect(report.complete).toBe(true);
    expect(buffer.residencySync().byNode).not.toHaveProperty('255');
    numa.thread.withPolicy(bind(255), () => {
      using own = numa.allocate(page);
      own.touch();
      expect(own.residencySync().byNode).toEqual({ 255: 1 });
    });
  });

  test('of terabytes can be mapped and partly touched', () => {
    expect(numa.topology.node(0).memoryBytes).toBe(1.5 * 2 ** 40);
    const before = Number(numa.freeMemory(0));
    using buffer = numa.allocate(2 ** 40, { policy: bind(0) });
    buffer.touch({ lengthBytes: 64 * page });
    expect(before - Number(numa.freeMemory(0))).toBe(64 * page);
  });

  test('are in cpusets', () => {
    const group = machine.settings.cpuset();
    if (!group.ok) throw new Error('no cpuset');
    expect(group.value.setMems('8,255')).toMatchObject({ ok: true });
    const worker = machine.process();
    expect(group.value.attach(worker.pid)).toMatchObject({ ok: true });
    expect(`${openNuma({ backend: worker.backend }).allowedNodes()}`).toBe('8,255');
  });
});

describe('CPUs in turns', () => {
  const machine = new Machine(interleavedCpus);
  const numa = openNuma({ machine });

  test('are told by node, ascending', async () => {
    expect(numa.topology.nodes.map(({ cpus }) => cpus)).toEqual([
      [0, 2, 32, 34],
      [1, 3, 33, 35],
    ]);
    const folder = '/sys/devices/system/node/node1';
    expect(await textOf(machine, `${folder}/cpulist`)).toBe('1,3,33,35\n');
    expect(await textOf(machine, `${folder}/cpumap`)).toBe('a,0000000a\n');
    const status = await textOf(machine, '/proc/self/status');
    expect(status).toContain('Cpus_allowed_list:\t0-3,32-35\n');
  });

  test('decide on which node memory is touched first', () => {
    for (const [cpu, node] of [34, 33, 2, 3].map((cpu) => [cpu, cpu % 2] as const)) {
      numa.thread.setAffinity([cpu]);
      using buffer = numa.allocate(numa.pageSizeBytes);
      buffer.touch();
      expect(buffer.residencySync().byNode).toEqual({ [node]: 1 });
    }
  });
});
