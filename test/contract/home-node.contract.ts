/**
 * Home nodes: the node from which the allocations of a range's policy start.
 *
 * Source: set_mempolicy_home_node(2); mm/mempolicy.c, sys_set_mempolicy_home_node(). The man page
 * names ENOENT for a range without a mapping; a range whose mappings have no policy gets it, too.
 */

import { describe, expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import { memoryNodes } from '../support/needs.ts';
import { byDistance, cpuNodes } from './first-touch.contract.ts';
import { areasIn } from './objects.ts';
import { FREE_ADDRESS, mapPages, maskOf, type Pages, rangePolicy, where } from './pages.ts';
import { type DeclareTest, type OpenSubject, type Scene, testsOf } from './scene.ts';

const CALL = 'set_mempolicy_home_node';

/** Pages bound to two nodes, touched from the first one's CPU, and the second node. */
async function boundToTwo(
  { process, machine }: Scene,
  pageCount: number,
): Promise<{ pages: Pages; near: number; far: number }> {
  const [here] = cpuNodes(machine);
  if (here === undefined) throw new Error('no node has both CPUs and memory');
  const far = machine.memoryNodes.find((node) => node !== here.node) as number;
  await process.runOnCpu(here.cpu);
  const pages = await mapPages(process, machine, pageCount);
  expect(await pages.mbind(MPOL.BIND, maskOf(here.node, far))).toSucceed();
  return { pages, near: here.node, far };
}

function declareChecks(declare: DeclareTest): void {
  declare(
    'an unaligned address, a flag and a node that is not online are refused whatever the length',
    {},
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      await pages.mbind(MPOL.BIND, maskOf(node));
      const online = new Set(machine.topology.nodes.map(({ id }) => id));
      const offline = Array.from({ length: machine.nodesMax }, (_, id) => id).find(
        (id) => !online.has(id),
      );
      const refused = [offline ?? machine.nodesMax, machine.nodesMax, 2 ** 32, 2 ** 40];
      for (const lengthBytes of [0, pages.lengthBytes]) {
        const address = pages.address + 1n;
        expect(await pages.setHomeNode(node, { address, lengthBytes })).toFailWith(CALL, 'EINVAL');
        expect(await pages.setHomeNode(node, { flags: 1, lengthBytes })).toFailWith(CALL, 'EINVAL');
        for (const other of refused) {
          expect(await pages.setHomeNode(other, { lengthBytes })).toFailWith(CALL, 'EINVAL');
        }
      }
      expect(await pages.setHomeNode(node)).toSucceed();
    },
  );

  declare('length 0 succeeds anywhere', { traits: ['addresses'] }, async ({ process, node }) => {
    const request = { address: FREE_ADDRESS, lengthBytes: 0, node, flags: 0 };
    expect(await process.numa.setMempolicyHomeNode(request)).toSucceed();
  });

  declare(
    'a length that wraps is refused, unless it rounds up to nothing',
    { traits: ['pointers'] },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      await pages.mbind(MPOL.BIND, maskOf(node));
      const tooLong = 2n ** 64n - BigInt(machine.pageSizeBytes);
      expect(await pages.setHomeNode(node, { lengthBytes: tooLong })).toFailWith(CALL, 'EINVAL');
      expect(await pages.setHomeNode(node, { lengthBytes: 2n ** 64n - 1n })).toSucceed();
    },
  );

  declare(
    'any online node will do, of the policy or not, with memory or without',
    {},
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      await pages.mbind(MPOL.BIND, maskOf(node));
      for (const { id } of machine.topology.nodes) expect(await pages.setHomeNode(id)).toSucceed();
    },
  );
}

function declarePolicies(declare: DeclareTest): void {
  declare('a range without a policy of its own has no home', {}, async (scene) => {
    const { process, machine, node } = scene;
    const pages = await mapPages(process, machine, 2);
    await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
    expect(await pages.setHomeNode(node)).toFailWith(CALL, 'ENOENT');
    await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
    await pages.mbind(MPOL.BIND, maskOf(node));
    await pages.mbind(MPOL.DEFAULT, null);
    expect(await pages.setHomeNode(node)).toFailWith(CALL, 'ENOENT');
  });

  declare(
    'a range without a mapping has no home',
    { traits: ['addresses'] },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1, { address: FREE_ADDRESS });
      await pages.unmap();
      expect(await pages.setHomeNode(node)).toFailWith(CALL, 'ENOENT');
    },
  );

  declare('only BIND and PREFERRED_MANY take one', {}, async (scene) => {
    const { process, machine, facts, node } = scene;
    const modes = Object.entries(MPOL).filter(
      ([name]) =>
        name !== 'DEFAULT' && (name !== 'WEIGHTED_INTERLEAVE' || facts.hasWeightedInterleave),
    );
    for (const [name, mode] of modes) {
      const pages = await mapPages(process, machine, 1);
      const nodemask = mode === MPOL.LOCAL ? null : maskOf(node);
      expect(await pages.mbind(mode, nodemask), name).toSucceed();
      const result = await pages.setHomeNode(node);
      if (mode === MPOL.BIND || mode === MPOL.PREFERRED_MANY) expect(result, name).toSucceed();
      else expect(result, name).toFailWith(CALL, 'EOPNOTSUPP');
    }
  });

  declare(
    'mappings without a policy, and holes, are passed over',
    { traits: ['addresses'] },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 5, { address: FREE_ADDRESS });
      await pages.part(3, 4).mbind(MPOL.PREFERRED_MANY, maskOf(node));
      await pages.part(1, 2).unmap();
      await pages.part(4, 5).unmap();
      expect(await pages.setHomeNode(node)).toSucceed();
    },
  );

  declare(
    'a mapping of another mode ends the call, and those before it have their new home',
    { needs: [memoryNodes(2)] },
    async (scene) => {
      const { pages, near, far } = await boundToTwo(scene, 6);
      await pages.part(2, 4).mbind(MPOL.LOCAL, null);
      expect(await pages.setHomeNode(far)).toFailWith(CALL, 'EOPNOTSUPP');
      expect(await where(await pages.touch())).toResideOn([far, far, near, near, near, near]);
    },
  );
}

function declarePlaces(declare: DeclareTest): void {
  for (const name of ['BIND', 'PREFERRED_MANY'] as const) {
    declare(
      `${name} takes the node nearest to the home, and the home before all`,
      { needs: [memoryNodes(2)] },
      async ({ process, machine }) => {
        const { memoryNodes: nodes } = machine;
        for (const { cpu } of cpuNodes(machine)) {
          await process.runOnCpu(cpu);
          for (const home of nodes) {
            const order = byDistance(machine, home, nodes) ?? [home];
            for (const allowed of [order, order.slice(1)]) {
              if (allowed.length === 0) continue;
              const pages = await mapPages(process, machine, 2);
              await pages.mbind(MPOL[name], maskOf(...allowed));
              expect(await pages.setHomeNode(home)).toSucceed();
              const nearest = allowed[0] as number;
              expect(await where(await pages.touch())).toResideOn([nearest, nearest]);
            }
          }
        }
      },
    );
  }

  declare(
    'a length is rounded up to pages, and the rest of the range keeps its home',
    { needs: [memoryNodes(2)] },
    async (scene) => {
      const { pages, near, far } = await boundToTwo(scene, 3);
      expect(await pages.part(1, 2).setHomeNode(far, { lengthBytes: 1 })).toSucceed();
      expect(await where(await pages.touch())).toResideOn([near, far, near]);
    },
  );

  declare(
    'pages that are present stay where they are',
    { needs: [memoryNodes(2)] },
    async (scene) => {
      const { pages, near, far } = await boundToTwo(scene, 2);
      await pages.part(0, 1).touch();
      expect(await pages.setHomeNode(far)).toSucceed();
      expect(await where(await pages.touch())).toResideOn([near, far]);
    },
  );

  declare(
    'a home is not told, and the same policy set again drops it',
    { needs: [memoryNodes(2)] },
    async (scene) => {
      const { pages, near, far } = await boundToTwo(scene, 2);
      const before = await rangePolicy(pages, scene.machine);
      expect(await pages.setHomeNode(far)).toSucceed();
      expect(await rangePolicy(pages, scene.machine)).toEqual(before);
      await pages.part(0, 1).touch();
      expect(await pages.mbind(MPOL.BIND, maskOf(near, far))).toSucceed();
      expect(await where(await pages.touch())).toResideOn([far, near]);
    },
  );
}

function declareAreas(declare: DeclareTest): void {
  declare(
    'a home on half of a range cuts it, and is not listed',
    { needs: [memoryNodes(2)], traits: ['areas', 'addresses'] },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 6, { address: FREE_ADDRESS });
      expect(await pages.mbind(MPOL.BIND, maskOf(first))).toSucceed();
      const list = async (): Promise<[number, string][]> =>
        (await areasIn(process, pages.span)).map((area) => [area.pageCount, area.policy]);
      const policy = `bind:${first}`;
      expect(await list()).toEqual([[6, policy]]);
      expect(await pages.part(0, 3).setHomeNode(first)).toSucceed();
      const cut = [
        [3, policy],
        [3, policy],
      ];
      expect(await list()).toEqual(cut);
      expect(await pages.part(3, 6).setHomeNode(second)).toSucceed();
      expect(await list()).toEqual(cut);
      expect(await pages.part(3, 6).setHomeNode(first)).toSucceed();
      expect(await list()).toEqual([[6, policy]]);
    },
  );
}

export function homeNodeContract(subject: OpenSubject): void {
  describe('home node', { tags: ['nodes', 'cpus'] }, () => {
    const declare = testsOf(subject);
    declareChecks(declare);
    declarePolicies(declare);
    declarePlaces(declare);
    declareAreas(declare);
  });
}
