/** Filling a node to its last page, for tests in a machine that may be exhausted. */

import { MPOL } from '../../lib/core/uapi.ts';
import { mapPages, maskOf, where } from './pages.ts';
import type { WorldMachine, WorldProcess } from './world.ts';

const CHUNK_PAGES = 2048;

/** The node with the least memory: the one to fill. */
export function smallestNode({ topology, memoryNodes }: WorldMachine): number {
  const nodes = topology.nodes.filter(({ id }) => memoryNodes.includes(id));
  return nodes.reduce((a, b) => (b.memoryBytes < a.memoryBytes ? b : a)).id;
}

/** Takes a node's memory until new pages appear elsewhere; answers where the last one did. */
export async function fillNode(
  process: WorldProcess,
  machine: WorldMachine,
  node: number,
): Promise<number> {
  const { memoryBytes = 0 } = machine.topology.nodes.find(({ id }) => id === node) ?? {};
  const chunks = Math.ceil(memoryBytes / machine.pageSizeBytes / CHUNK_PAGES) + 1;
  const pages = await mapPages(process, machine, chunks * CHUNK_PAGES);
  await pages.mbind(MPOL.PREFERRED, maskOf(node));
  for (let start = 0; start < pages.count; start += CHUNK_PAGES) {
    const residence = await where(await pages.part(start, start + CHUNK_PAGES).touch());
    const elsewhere = residence.findLast((status) => status !== node);
    if (elsewhere !== undefined) return elsewhere;
  }
  throw new Error(`node ${node} never became full`);
}
