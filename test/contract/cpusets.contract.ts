/**
 * Groups of processes with nodes of their own (cgroup version 2): which nodes each call may name,
 * and where pages go when the nodes change.
 *
 * Source: migrate_pages(2) and move_pages(2); cpuset(7), which describes version 1, where pages
 * stay unless memory_migrate is set; kernel/cgroup/cpuset.c.
 */

import { expect } from 'vitest';
import type { KnownNode } from '../../lib/backend/topology-snapshot.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { allowedNodes, CPUSET_CONDITIONS, confine, cpusetTests } from './cpuset-scene.ts';
import { createObject, familyFor, mapObject, settingsOf } from './objects.ts';
import {
  mapPages,
  maskOf,
  move,
  placeOn,
  rangePolicy,
  threadPolicy,
  UNWRITTEN,
  where,
} from './pages.ts';
import type { DeclareTest, OpenSubject } from './scene.ts';
import { NOBODY } from './scene.ts';
import type { WorldMachine, WorldProcess } from './world.ts';

/** Those of the nodes that have the smallest distance. */
function nearest({ topology }: WorldMachine, from: number, among: readonly number[]): number[] {
  const indexOf = (node: number): number => topology.nodes.findIndex(({ id }) => id === node);
  const distance = (node: number): number =>
    topology.distances[indexOf(from)]?.[indexOf(node)] ?? Number.POSITIVE_INFINITY;
  const least = Math.min(...among.map(distance));
  return among.filter((node) => distance(node) === least);
}

function declareLimits(declare: DeclareTest): void {
  const cpusets = cpusetTests(declare);
  cpusets('new pages are on the nearest node inside', async (scene, create) => {
    const { process, machine } = scene;
    const near = machine.topology.nodes.find(({ cpus }) => cpus.length > 0) as KnownNode;
    const pages = await mapPages(process, machine, 2);
    const far = machine.memoryNodes.at(-1) as number;
    // PREFERRED stays as it is when the nodes change.
    expect(await pages.part(1, 2).mbind(MPOL.PREFERRED, maskOf(far))).toSucceed();
    await confine(scene, create, '1-2');
    // Entering a group may give all its CPUs: the CPU is chosen afterwards.
    expect(await process.runOnCpu(near.cpus[0] as number)).toSucceed();
    expect(await allowedNodes(scene)).toEqual([1, 2]);
    const [byCpu, byPolicy] = await where(await pages.touch());
    expect(nearest(machine, near.id, [1, 2])).toContain(byCpu);
    expect(nearest(machine, far, [1, 2])).toContain(byPolicy);
  });

  cpusets('a policy outside is refused, and one partly outside shrinks', async (scene, create) => {
    const { process, machine } = scene;
    await confine(scene, create, '1-2');
    const mode = MPOL.BIND;
    const outside = await process.numa.setMempolicy({ mode, nodemask: maskOf(3) });
    expect(outside).toFailWith('set_mempolicy', 'EINVAL');
    expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(2, 3) })).toSucceed();
    expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [2] });
  });

  cpusets('a home node may be outside', async (scene, create) => {
    const { process, machine } = scene;
    await confine(scene, create, '0-1');
    const pages = await mapPages(process, machine, 2);
    expect(await pages.mbind(MPOL.BIND, maskOf(0, 1))).toSucceed();
    for (const [index, node] of [2, 3].entries()) {
      expect(await pages.part(index, index + 1).setHomeNode(node)).toSucceed();
    }
    const [from2, from3] = await where(await pages.touch());
    expect(nearest(machine, 2, [0, 1])).toContain(from2);
    expect(nearest(machine, 3, [0, 1])).toContain(from3);
  });

  // The policy of an object stays as it is when the nodes of a process change.
  cpusets(
    'BIND to nodes outside alone is ignored',
    async (scene, create) => {
      const { process, machine } = scene;
      const near = machine.topology.nodes.find(({ cpus }) => cpus.length > 0) as KnownNode;
      const cpuset = await confine(scene, create, '0-1');
      expect(await process.runOnCpu(near.cpus[0] as number)).toSucceed();
      const object = await createObject(scene, 'memfd', 2);
      const pages = await mapObject(process, machine, object, { pageCount: 2 });
      expect(await pages.mbind(MPOL.BIND, maskOf(1))).toSucceed();
      expect(await cpuset.setMems('2-3')).toSucceed();
      expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.BIND, nodes: [1] });
      const [first, second] = await where(await pages.touch());
      expect(nearest(machine, near.id, [2, 3])).toContain(first);
      expect(second).toBe(first);
    },
    ['objects'],
  );

  cpusets('move_pages ends at a target outside, privileged or not', async (scene, create) => {
    const { process, machine } = scene;
    const pages = await mapPages(process, machine, 3);
    await placeOn(pages, [0, 0, 0]);
    await confine(scene, create, '0-1');
    for (const flags of [MPOL_MF.MOVE, MPOL_MF.MOVE_ALL]) {
      const { result, status } = await move(process, pages, [1, 3, 1], flags);
      expect(result).toFailWith('move_pages', 'EACCES');
      expect(status).toEqual([1, UNWRITTEN, UNWRITTEN]);
      expect(await where(pages)).toResideOn([1, 0, 0]);
    }
  });

  cpusets("move_pages asks the target's nodes, not the caller's", async (scene, create) => {
    const { process, world, machine } = scene;
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [0, 0]);
    await confine(scene, create, '0-1');
    const caller = await world.spawn();
    const to = (node: number): ReturnType<WorldProcess['numa']['movePages']> =>
      caller.numa.movePages({
        pid: process.pid,
        pages: { address: pages.address, pageCount: 2 },
        nodes: node,
        flags: MPOL_MF.MOVE,
        status: new Int32Array(2),
      });
    expect(await to(3)).toFailWith('move_pages', 'EACCES');
    expect(await to(1)).toSucceed(0);
    expect(await where(pages)).toResideOn([1, 1]);
    await caller.exit();
  });

  cpusets('a privileged migrate_pages may leave the target’s nodes', async (scene, create) => {
    const { process, world, machine } = scene;
    const pages = await mapPages(process, machine, 1);
    await placeOn(pages, [1]);
    await confine(scene, create, '0-1');
    const caller = await world.spawn();
    const request = { pid: process.pid, from: maskOf(1), to: maskOf(3) };
    expect(await caller.numa.migratePages(request)).toSucceed(0);
    expect(await where(pages)).toResideOn([3]);
    await caller.exit();
  });

  cpusets('migrate_pages needs a target among the caller’s nodes', async (scene, create) => {
    const { process } = scene;
    await confine(scene, create, '0-1');
    const away = { pid: 0, from: maskOf(0), to: maskOf(3) };
    expect(await process.numa.migratePages(away)).toFailWith('migrate_pages', 'EINVAL');
  });

  cpusets(
    'migrate_pages outside the target’s nodes takes privilege',
    async (scene, create) => {
      const { process } = scene;
      await confine(scene, create, '0-1');
      expect(await process.setuid(NOBODY)).toSucceed();
      const away = { pid: 0, from: maskOf(0), to: maskOf(3) };
      expect(await process.numa.migratePages(away)).toFailWith('migrate_pages', 'EPERM');
      const partly = { pid: 0, from: maskOf(0), to: maskOf(1, 3) };
      expect(await process.numa.migratePages(partly)).toFailWith('migrate_pages', 'EPERM');
    },
    ['setuid'],
  );
}

function declareGroups(declare: DeclareTest): void {
  const cpusets = cpusetTests(declare);
  cpusets('pages follow a change of the nodes, by order', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '0-3');
    const pages = await mapPages(process, machine, 4);
    await placeOn(pages, [0, 1, 2, 3]);
    expect(await cpuset.setMems('1-2')).toSucceed();
    expect(await where(pages)).toResideOn([1, 1, 2, 2]);
    expect(await cpuset.setMems('0,3')).toSucceed();
    expect(await where(pages)).toResideOn([0, 0, 3, 3]);
    expect(await cpuset.setMems('0-3')).toSucceed();
    expect(await where(pages)).toResideOn([0, 0, 3, 3]);
  });

  cpusets('pages that others have mapped follow, too', async (scene, create) => {
    const { process, machine } = scene;
    const pages = await mapPages(process, machine, 2);
    const cpuset = await confine(scene, create, '0-1');
    await placeOn(pages, [0, 1]);
    const child = await process.fork();
    const outside = await create();
    expect(await outside.setMems('0-3')).toSucceed();
    expect(await outside.attach(child.pid)).toSucceed();
    expect(await where(pages)).toResideOn([0, 1]);
    expect(await cpuset.setMems('2-3')).toSucceed();
    expect(await where(pages)).toResideOn([2, 3]);
    expect(await where(pages.in(child))).toResideOn([2, 3]);
  });

  cpusets('pages follow a process into another group', async (scene, create) => {
    const { process, machine } = scene;
    const pages = await mapPages(process, machine, 2);
    await confine(scene, create, '0-1');
    await placeOn(pages, [0, 1]);
    await confine(scene, create, '2-3');
    expect(await where(pages)).toResideOn([2, 3]);
    expect(await allowedNodes(scene)).toEqual([2, 3]);
  });

  cpusets('pinned pages stay behind, without an error', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '0-1');
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [0, 0]);
    expect(await process.references.splice({ address: pages.address, pageCount: 1 })).toSucceed();
    expect(await cpuset.setMems('2-3')).toSucceed();
    expect(await where(pages)).toResideOn([0, 2]);
  });

  cpusets('pages stay when their process goes back to the root', async (scene, create) => {
    const { process, machine } = scene;
    const cpuset = await confine(scene, create, '2-3');
    const pages = await mapPages(process, machine, 2);
    await placeOn(pages, [2, 3]);
    expect(await cpuset.leave(process.pid)).toSucceed();
    expect(await allowedNodes(scene)).toEqual(machine.memoryNodes);
    expect(await where(pages)).toResideOn([2, 3]);
  });

  cpusets('only nodes with memory can be given', async (_, create) => {
    const cpuset = await create();
    for (const nodes of ['9', '0-9', 'x', '1-']) {
      expect(await cpuset.setMems(nodes), nodes).toFailWith('write', 'EINVAL');
    }
    expect(await cpuset.setMems('0,2-3')).toSucceed();
  });

  cpusets('a group without nodes of its own has its parent’s', async (scene, create) => {
    const cpuset = await create();
    expect(await cpuset.attach(scene.process.pid)).toSucceed();
    expect(await allowedNodes(scene)).toEqual(scene.machine.memoryNodes);
    expect(await cpuset.setMems('2')).toSucceed();
    expect(await allowedNodes(scene)).toEqual([2]);
  });

  cpusets('nodes are taken from a group in use as this kernel does', async (scene, create) => {
    const cpuset = await confine(scene, create, '1-2');
    const result = await cpuset.setMems('');
    if (scene.facts.cpusetInUseMayBeEmptied) {
      expect(result).toSucceed();
      expect(await allowedNodes(scene)).toEqual(scene.machine.memoryNodes);
    } else {
      expect(result).toFailWith('write', 'ENOSPC');
      expect(await allowedNodes(scene)).toEqual([1, 2]);
    }
  });
}

function declareVersionOne(declare: DeclareTest): void {
  for (const migrates of [false, true]) {
    const effect = migrates ? 'follow' : 'do not follow';
    const setting = migrates ? 'set' : 'clear';
    const condition = `version 1: with memory_migrate ${setting}`;
    const sentence = `${condition} pages ${effect} a change of the nodes`;
    declare(sentence, CPUSET_CONDITIONS, async (scene) => {
      const { process, machine, skip, world } = scene;
      const done = await settingsOf(world).withOldCpusets(migrates, async (create) => {
        const cpuset = await confine(scene, create, '0-1');
        const pages = await mapPages(process, machine, 4);
        await placeOn(pages, [0, 1, 0, 0]);
        expect(await cpuset.setMems('2-3')).toSucceed();
        expect(await where(pages)).toResideOn(migrates ? [2, 3, 2, 2] : [0, 1, 0, 0]);
        expect(await allowedNodes(scene)).toEqual([2, 3]);
        await process.exit();
        return true;
      });
      if (done === null) skip('needs cpusets of cgroup version 1');
    });
  }
}

export function cpusetsContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'cpusets', tags: ['nodes'] }, ['settings'], (declare) => {
    declareLimits(declare);
    declareGroups(declare);
    declareVersionOne(declare);
  });
}
