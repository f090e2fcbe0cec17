/**
 * Where the search for memory goes, node by node. BIND with a home node makes the order visible
 * without filling anything: of the nodes that it allows, it takes the first in the home's order.
 *
 * Source: mm/page_alloc.c, find_next_best_node() and build_zonelists(); the boot log prints the
 * order. No man page tells it.
 */

import { describe, expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import { cpuOnMemorylessNode, memoryNodes } from '../support/needs.ts';
import { fallbackOrders } from './fallback-order.ts';
import { mapPages, maskOf, where } from './pages.ts';
import { type OpenSubject, type Scene, testsOf } from './scene.ts';

/** Where a page of BIND to these nodes appears when the search starts at that home. */
async function nodeFrom(
  { process, machine }: Scene,
  home: number,
  nodes: readonly number[],
): Promise<number> {
  const pages = await mapPages(process, machine, 1);
  expect(await pages.mbind(MPOL.BIND, maskOf(...nodes))).toSucceed();
  expect(await pages.setHomeNode(home)).toSucceed();
  const [node] = await where(await pages.touch());
  return node as number;
}

export function fallbackOrderContract(subject: OpenSubject): void {
  describe('fallback order', { tags: ['nodes', 'cpus'] }, () => {
    const declare = testsOf(subject);

    declare(
      'a node comes first for itself, then the nearest, and equals take turns',
      { needs: [memoryNodes(2)] },
      async (scene) => {
        const { memoryNodes: allowed } = scene.machine;
        for (const [home, order] of fallbackOrders(scene.machine)) {
          const expected = order.filter((node) => allowed.includes(node));
          const left = new Set(allowed);
          const seen: number[] = [];
          while (left.size > 0) {
            const node = await nodeFrom(scene, home, [...left]);
            seen.push(node);
            expect(left.delete(node), `node ${node}`).toBe(true);
          }
          expect(seen, `from node ${home}`).toEqual(expected);
        }
      },
    );

    declare(
      'a CPU whose node has no memory takes the next node of its order',
      { needs: [cpuOnMemorylessNode, memoryNodes(2)] },
      async ({ process, machine }) => {
        const orders = fallbackOrders(machine);
        for (const { id, cpus, memoryBytes } of machine.topology.nodes) {
          if (memoryBytes > 0 || cpus[0] === undefined) continue;
          expect(await process.runOnCpu(cpus[0])).toSucceed();
          const pages = await mapPages(process, machine, 2);
          expect(await pages.part(1, 2).mbind(MPOL.LOCAL, null)).toSucceed();
          const next = orders.get(id)?.find((node) => machine.memoryNodes.includes(node));
          expect(await where(await pages.touch())).toResideOn([next as number, next as number]);
        }
      },
    );
  });
}
