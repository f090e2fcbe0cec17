/** Filling nodes to their last page, for tests in a machine that may be exhausted. */

import { expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import { mapPages, maskOf, type Pages, where } from './pages.ts';
import type { WorldMachine, WorldProcess } from './world.ts';

const CHUNK_PAGES = 2048;
/** More than a node takes that has become full for ordinary allocations: its last reserves. */
export const PAGES_BEYOND_FULL = 2000;

/** The node with the least memory, but no less than is needed: the one to fill. */
export function smallestNode({ topology, memoryNodes }: WorldMachine, needsBytes = 0): number {
  const nodes = topology.nodes.filter(
    ({ id, memoryBytes }) => memoryNodes.includes(id) && memoryBytes >= needsBytes,
  );
  return nodes.reduce((a, b) => (b.memoryBytes < a.memoryBytes ? b : a)).id;
}

export interface Overflow {
  /** What was mapped; its last pages are untouched. */
  readonly pages: Pages;
  /** Where the last pages appeared that are not on the nodes of the policy. */
  readonly nodes: readonly number[];
}

/** Untouched pages under a policy, more than all its nodes hold if each holds as many. */
export async function mapTooMany(
  process: WorldProcess,
  machine: WorldMachine,
  { mode, nodes }: { mode: number; nodes: readonly number[] },
): Promise<Pages> {
  const sizes = machine.topology.nodes.flatMap(({ id, memoryBytes }) =>
    nodes.includes(id) ? [memoryBytes] : [],
  );
  const pageCount = (Math.min(...sizes) * nodes.length) / machine.pageSizeBytes;
  const chunks = Math.ceil(pageCount / CHUNK_PAGES) + 1;
  const pages = await mapPages(process, machine, chunks * CHUNK_PAGES);
  expect(await pages.mbind(mode, maskOf(...nodes))).toSucceed();
  return pages;
}

/** Consecutive parts that are touched at once. */
export function chunksOf(pages: Pages): Pages[] {
  return Array.from({ length: pages.count / CHUNK_PAGES }, (_, index) =>
    pages.part(index * CHUNK_PAGES, (index + 1) * CHUNK_PAGES),
  );
}

/** Takes the memory of a policy's nodes until new pages appear elsewhere. */
export async function overflow(
  process: WorldProcess,
  machine: WorldMachine,
  policy: { mode: number; nodes: readonly number[] },
): Promise<Overflow> {
  const pages = await mapTooMany(process, machine, policy);
  for (const chunk of chunksOf(pages)) {
    const residence = await where(await chunk.touch());
    const elsewhere = residence.filter((status) => !policy.nodes.includes(status));
    if (elsewhere.length > 0) return { pages, nodes: [...new Set(elsewhere)] };
  }
  throw new Error(`nodes ${policy.nodes} never became full`);
}

/** Takes a node's memory until new pages appear elsewhere; answers where the last one did. */
export async function fillNode(
  process: WorldProcess,
  machine: WorldMachine,
  node: number,
): Promise<number> {
  const { nodes } = await overflow(process, machine, { mode: MPOL.PREFERRED, nodes: [node] });
  return nodes.at(-1) as number;
}
