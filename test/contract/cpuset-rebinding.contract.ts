/**
 * What becomes of policies when the nodes of their process change (cgroup version 2).
 *
 * Source: set_mempolicy(2), which tells of static and relative nodes only, and not that PREFERRED
 * stays as it is; mm/mempolicy.c, mpol_rebind_policy().
 */

import { expect } from 'vitest';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { CPUSET_CONDITIONS, confine, cpusetTests } from './cpuset-scene.ts';
import { areasIn, familyFor, given, settingsOf } from './objects.ts';
import { mapPages, maskOf, type Pages, rangePolicy, threadPolicy } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject } from './scene.ts';
import type { WorldProcess } from './world.ts';

type PolicyArguments = Parameters<WorldProcess['numa']['setMempolicy']>[0];

const { STATIC_NODES: STATIC, RELATIVE_NODES: RELATIVE, NUMA_BALANCING } = MPOL_MODE_FLAG;

/** The policy that /proc tells of a range: its effective nodes. */
async function effective(pages: Pages): Promise<string> {
  const [area] = await areasIn(pages.process, { address: pages.address, pageCount: 1 });
  return area?.policy ?? '';
}

/** Policies made under nodes 1-2, and their effective nodes after each of the changes. */
const CHANGES = ['2-3', '3', '0-3', '0-1'] as const;

interface Row {
  readonly name: string;
  readonly policy: PolicyArguments;
  readonly prefix: string;
  /** Under 1-2, then after each change. */
  readonly nodes: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    name: 'BIND to one node',
    policy: { mode: MPOL.BIND, nodemask: maskOf(1) },
    prefix: 'bind',
    nodes: ['1', '2', '3', '0', '0'],
  },
  {
    name: 'BIND to both nodes',
    policy: { mode: MPOL.BIND, nodemask: maskOf(1, 2) },
    prefix: 'bind',
    nodes: ['1-2', '2-3', '3', '0', '0'],
  },
  {
    name: 'INTERLEAVE over both nodes',
    policy: { mode: MPOL.INTERLEAVE, nodemask: maskOf(1, 2) },
    prefix: 'interleave',
    nodes: ['1-2', '2-3', '3', '0', '0'],
  },
  {
    name: 'BIND to a static node',
    policy: { mode: MPOL.BIND | STATIC, nodemask: maskOf(1) },
    prefix: 'bind=static',
    nodes: ['1', '2-3', '3', '1', '1'],
  },
  {
    name: 'BIND to static nodes, one of them outside',
    policy: { mode: MPOL.BIND | STATIC, nodemask: maskOf(1, 3) },
    prefix: 'bind=static',
    nodes: ['1', '3', '3', '1,3', '1'],
  },
  {
    name: 'BIND to a relative node',
    policy: { mode: MPOL.BIND | RELATIVE, nodemask: maskOf(0) },
    prefix: 'bind=relative',
    nodes: ['1', '2', '3', '0', '0'],
  },
  {
    name: 'BIND to two relative nodes',
    policy: { mode: MPOL.BIND | RELATIVE, nodemask: maskOf(0, 1) },
    prefix: 'bind=relative',
    nodes: ['1-2', '2-3', '3', '0-1', '0-1'],
  },
  {
    name: 'PREFERRED',
    policy: { mode: MPOL.PREFERRED, nodemask: maskOf(1) },
    prefix: 'prefer',
    nodes: ['1', '1', '1', '1', '1'],
  },
  {
    name: 'PREFERRED_MANY',
    policy: { mode: MPOL.PREFERRED_MANY, nodemask: maskOf(1, 2) },
    prefix: 'prefer (many)',
    nodes: ['1-2', '1-2', '1-2', '1-2', '1-2'],
  },
  {
    name: 'PREFERRED with a static node',
    policy: { mode: MPOL.PREFERRED | STATIC, nodemask: maskOf(1) },
    prefix: 'prefer=static',
    nodes: ['1', '1', '1', '1', '1'],
  },
  {
    name: 'PREFERRED with a relative node',
    policy: { mode: MPOL.PREFERRED | RELATIVE, nodemask: maskOf(0) },
    prefix: 'prefer=relative',
    nodes: ['1', '1', '1', '1', '1'],
  },
  {
    name: 'PREFERRED_MANY with static nodes',
    policy: { mode: MPOL.PREFERRED_MANY | STATIC, nodemask: maskOf(1, 2) },
    prefix: 'prefer (many)=static',
    nodes: ['1-2', '1-2', '1-2', '1-2', '1-2'],
  },
  {
    name: 'PREFERRED_MANY with relative nodes',
    policy: { mode: MPOL.PREFERRED_MANY | RELATIVE, nodemask: maskOf(0, 1) },
    prefix: 'prefer (many)=relative',
    nodes: ['1-2', '1-2', '1-2', '1-2', '1-2'],
  },
];

function declareRebinding(declare: DeclareTest): void {
  const cpusets = cpusetTests(declare);
  for (const owner of ['range', 'thread'] as const) {
    for (const { name, policy, prefix, nodes } of ROWS) {
      const stays = nodes.every((list) => list === nodes[0]);
      const effect = stays ? 'stays as it is' : 'follows the nodes';
      cpusets(`a ${owner}'s ${name} ${effect}`, async (scene, create) => {
        const { process, machine } = scene;
        const cpuset = await confine(scene, create, '1-2');
        const pages = await mapPages(process, machine, 1);
        if (owner === 'thread') expect(await process.numa.setMempolicy(policy)).toSucceed();
        else expect(await pages.mbind(policy.mode, policy.nodemask)).toSucceed();
        const seen = [await effective(pages)];
        for (const change of CHANGES) {
          expect(await cpuset.setMems(change)).toSucceed();
          seen.push(await effective(pages));
        }
        expect(seen).toEqual(nodes.map((list) => `${prefix}:${list}`));
      });
    }
  }

  cpusets('static and relative policies report the nodes given', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '1-2');
    for (const mode of [MPOL.BIND | STATIC, MPOL.BIND | RELATIVE]) {
      const pages = await mapPages(process, machine, 1);
      expect(await pages.mbind(mode, maskOf(1, 3))).toSucceed();
      expect(await cpuset.setMems('0')).toSucceed();
      expect(await rangePolicy(pages, machine)).toEqual({ mode, nodes: [1, 3] });
      expect(await cpuset.setMems('1-2')).toSucceed();
    }
  });

  cpusets('a plain policy reports its effective nodes', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '1-2');
    const mode = MPOL.BIND;
    expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(1, 2) })).toSucceed();
    expect(await cpuset.setMems('3')).toSucceed();
    expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [3] });
  });

  cpusets('a static PREFERRED reports the new nodes instead', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '1-2');
    const mode = MPOL.PREFERRED | STATIC;
    expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(1) })).toSucceed();
    expect(await cpuset.setMems('2-3')).toSucceed();
    expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [2, 3] });
  });

  for (const [name, mode, given] of [
    ['relative PREFERRED', MPOL.PREFERRED | RELATIVE, maskOf(0)],
    ['static PREFERRED_MANY', MPOL.PREFERRED_MANY | STATIC, maskOf(1, 2)],
    ['relative PREFERRED_MANY', MPOL.PREFERRED_MANY | RELATIVE, maskOf(0, 1)],
  ] as const) {
    cpusets(`a ${name} reports the new nodes, too`, async (scene, create) => {
      const { process, machine } = scene;
      const cpuset = await confine(scene, create, '1-2');
      expect(await process.numa.setMempolicy({ mode, nodemask: given })).toSucceed();
      expect(await cpuset.setMems('2-3')).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [2, 3] });
      expect(await cpuset.setMems('0')).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [0] });
    });
  }

  // Binding anew is seen by what a static PREFERRED reports.
  cpusets('another group with the same nodes binds as this kernel does', async (scene, create) => {
    const { process, machine, facts } = scene;
    await confine(scene, create, '1-2');
    const mode = MPOL.PREFERRED | STATIC;
    expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(1) })).toSucceed();
    await confine(scene, create, '1-2');
    const nodes = facts.rebindsToEqualNodes ? [1, 2] : [1];
    expect(await threadPolicy(process, machine)).toEqual({ mode, nodes });
  });

  cpusets(
    'writing the nodes that a group has from its parent binds nothing',
    async (scene, create) => {
      const { process, machine } = scene;
      const cpuset = await create();
      expect(await cpuset.attach(process.pid)).toSucceed();
      const mode = MPOL.PREFERRED | STATIC;
      expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(1) })).toSucceed();
      expect(await cpuset.setMems(machine.memoryNodes.join(','))).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [1] });
    },
  );

  cpusets('joining the own group again binds nothing anew', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '1-2');
    const mode = MPOL.PREFERRED | STATIC;
    expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(1) })).toSucceed();
    expect(await cpuset.attach(process.pid)).toSucceed();
    expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [1] });
  });

  cpusets('a balancing BIND follows as this kernel has it', async (scene, create) => {
    const { process, machine, facts } = scene;
    const cpuset = await confine(scene, create, '0-3');
    const mode = MPOL.BIND | NUMA_BALANCING;
    const pages = await mapPages(process, machine, 1);
    expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(3) })).toSucceed();
    expect(await cpuset.setMems('0,3')).toSucceed();
    const isPlain = !facts.balancingKeepsUserMask;
    expect(await effective(pages)).toBe(`bind=balancing:${isPlain ? 3 : 0}`);
    const nodes = isPlain ? [3] : [0, 3];
    expect(await threadPolicy(process, machine)).toEqual({ mode, nodes });
  });
}

/** The CPUs that a thread may run on, which groups without CPUs of their own could leave alone. */
function declareAffinity(declare: DeclareTest): void {
  const sentence = 'a thread that joins a group keeps its CPUs as this kernel lets it';
  const traits: Conditions['traits'] = [...(CPUSET_CONDITIONS.traits ?? []), 'threads'];
  declare(
    sentence,
    { ...CPUSET_CONDITIONS, traits },
    async ({ process, machine, facts, ...scene }) => {
      const all = machine.topology.nodes.flatMap(({ cpus }) => cpus).sort((a, b) => a - b);
      if (all.length < 2) scene.skip('needs two CPUs');
      const [first, second] = all as [number, number];
      const child = await process.thread();
      const cpusOf = async (one: WorldProcess): Promise<number[]> => given(await one.affinity());
      await settingsOf(scene.world).withCpusets(async (create) => {
        const group = await create();
        expect(await group.setMems('0-3')).toSucceed();
        const moves = [() => group.attach(process.pid), () => group.leave(process.pid)];
        for (const change of moves) {
          expect(await process.runOnCpu(first)).toSucceed();
          expect(await child.runOnCpu(second)).toSucceed();
          expect(await change()).toSucceed();
          const kept = facts.joiningForgetsAffinity ? [all, all] : [[first], [second]];
          expect(await Promise.all([cpusOf(process), cpusOf(child)])).toEqual(kept);
        }
        expect(await process.runOnCpu(first)).toSucceed();
        expect(await group.setMems('0-1')).toSucceed();
        expect(await cpusOf(process)).toEqual([first]);
      });
    },
  );
}

export function cpusetRebindingContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'policies in a cpuset', tags: ['nodes'] }, ['settings'], (declare) => {
    declareRebinding(declare);
    declareAffinity(declare);
  });
}
