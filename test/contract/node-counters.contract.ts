/**
 * What each node counts of the pages that it gives out. Others allocate too, so counters are held
 * against a lower bound.
 *
 * Source: Documentation/admin-guide/numastat.rst; mm/mempolicy.c, alloc_pages_mpol(), for
 * interleave_hit; mm/page_alloc.c, zone_statistics(), for the others.
 */

import { expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import type { NodeAllocations } from '../../lib/procfs/node-files.ts';
import { expendable, memoryNodes } from '../support/needs.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { fillNode, smallestNode } from './full-node.ts';
import { familyFor } from './objects.ts';
import { mapPages, maskOf, type Pages } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

/** 15 MiB in pages of 4 KiB. */
const PAGES = 3840;
const TWO_NODES: Conditions = { needs: [memoryNodes(2)], traits: ['counters', 'sharing'] };
const OWNERS = ['thread', 'range'] as const;

type Owner = (typeof OWNERS)[number];

async function countersOf({ world }: Scene, node: number): Promise<NodeAllocations> {
  const counters = await world.nodeCounters?.(node);
  if (counters === undefined) throw new Error('the world claims the trait counters without it');
  return counters;
}

/** What the nodes have counted while `body` ran. */
async function increases(
  scene: Scene,
  nodes: readonly number[],
  body: () => Promise<unknown>,
): Promise<NodeAllocations[]> {
  const before = await Promise.all(nodes.map((node) => countersOf(scene, node)));
  await body();
  const after = await Promise.all(nodes.map((node) => countersOf(scene, node)));
  return after.map((counters, index) => {
    const old = before[index] as NodeAllocations;
    const names = Object.keys(counters) as (keyof NodeAllocations)[];
    return Object.fromEntries(names.map((name) => [name, counters[name] - old[name]])) as never;
  });
}

/** New pages under a policy of the thread, or of their range. */
async function allocate(
  { process, machine }: Pick<Scene, 'process' | 'machine'>,
  owner: Owner,
  mode: number,
  nodes: readonly number[],
): Promise<Pages> {
  const pages = await mapPages(process, machine, PAGES);
  const nodemask = maskOf(...nodes);
  if (owner === 'range') expect(await pages.mbind(mode, nodemask)).toSucceed();
  else expect(await process.numa.setMempolicy({ mode, nodemask })).toSucceed();
  return pages.touch();
}

function declareHits(declare: DeclareTest, owner: Owner): void {
  for (const name of ['BIND', 'PREFERRED'] as const) {
    declare(`a ${owner}'s ${name} raises numa_hit of its node`, TWO_NODES, async (scene) => {
      for (const node of scene.machine.memoryNodes.slice(0, 3)) {
        const [counted] = await increases(scene, [node], async () => {
          const pages = await allocate(scene, owner, MPOL[name], [node]);
          await pages.unmap();
        });
        expect(counted?.numaHit, `node ${node}`).toBeGreaterThanOrEqual(PAGES);
      }
    });
  }

  declare(`a ${owner}'s BIND to two nodes raises their numa_hit`, TWO_NODES, async (scene) => {
    const nodes = scene.machine.memoryNodes.slice(0, 2);
    const counted = await increases(scene, nodes, () => allocate(scene, owner, MPOL.BIND, nodes));
    const hits = counted.reduce((sum, { numaHit }) => sum + numaHit, 0);
    expect(hits).toBeGreaterThanOrEqual(PAGES);
  });

  declare(`a ${owner}'s INTERLEAVE raises interleave_hit evenly`, TWO_NODES, async (scene) => {
    const nodes = scene.machine.memoryNodes.slice(0, 2);
    const counted = await increases(scene, nodes, () =>
      allocate(scene, owner, MPOL.INTERLEAVE, nodes),
    );
    for (const { interleaveHit, numaHit } of counted) {
      expect(interleaveHit).toBeGreaterThanOrEqual(PAGES / 2);
      expect(numaHit).toBeGreaterThanOrEqual(PAGES / 2);
    }
  });
}

function declareOthers(declare: DeclareTest): void {
  declare('BIND raises no interleave_hit', TWO_NODES, async (scene) => {
    const nodes = scene.machine.memoryNodes.slice(0, 2);
    const counted = await increases(scene, nodes, () => allocate(scene, 'range', MPOL.BIND, nodes));
    for (const { interleaveHit } of counted) expect(interleaveHit).toBeLessThan(PAGES / 2);
  });

  declare('local_node and other_node tell which CPU asked', TWO_NODES, async (scene) => {
    const { process, machine } = scene;
    const [here] = cpuNodes(machine);
    if (here === undefined) return scene.skip('needs a node with CPUs and memory');
    const far = machine.memoryNodes.find((node) => node !== here.node) as number;
    await process.runOnCpu(here.cpu);
    const [near] = await increases(scene, [here.node], async () => {
      await (await allocate(scene, 'range', MPOL.BIND, [here.node])).unmap();
    });
    expect(near?.localNode).toBeGreaterThanOrEqual(PAGES);
    const [away] = await increases(scene, [far], () => allocate(scene, 'range', MPOL.BIND, [far]));
    expect(away?.otherNode).toBeGreaterThanOrEqual(PAGES);
  });

  const full: Conditions = { ...TWO_NODES, needs: [expendable, memoryNodes(3)] };
  declare('a page that a full node could not give is a miss elsewhere', full, async (scene) => {
    const { machine, process } = scene;
    const node = smallestNode(machine);
    let elsewhere = node;
    const counted = await increases(scene, machine.memoryNodes, async () => {
      elsewhere = await fillNode(process, machine, node);
    });
    const at = (id: number): NodeAllocations => counted[machine.memoryNodes.indexOf(id)] as never;
    expect(at(node).numaForeign).toBeGreaterThan(0);
    expect(at(elsewhere).numaMiss).toBeGreaterThan(0);
  });
}

export function nodeCountersContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'node counters', tags: ['nodes'] }, ['counters'], (declare) => {
    for (const owner of OWNERS) declareHits(declare, owner);
    declareOthers(declare);
  });
}
