/** What tests of balancing share: places to run at, and processes of which only new areas count. */

import { expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import type { Need } from '../support/needs.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { areasIn } from './objects.ts';
import { move, Pages } from './pages.ts';
import type { WorldMachine, WorldProcess } from './world.ts';

/** How long a process goes on touching before it is asked. */
export const ROUND_MS = 750;
/** What has not happened by then does not. */
export const ROUNDS_MAX = 25;
const ALL_ADDRESSES = 2 ** 47;

/** A node with memory, and a CPU of it. */
export interface Place {
  readonly node: number;
  readonly cpu: number;
}

export const twoCpuNodes: Need = (machine) =>
  cpuNodes(machine).length >= 2 ? null : 'needs two nodes with CPUs and memory';

/** Where the pages are, and another place. */
export function placesOf(machine: WorldMachine): [Place, Place] {
  return cpuNodes(machine).slice(0, 2) as [Place, Place];
}

/**
 * Pages that were touched first, or that balancing could not move, wait in lists of the CPUs: there
 * none moves, and 6.1 marks none. Others who are busy empty them in time; any move does at once.
 */
export async function emptyLists(process: WorldProcess, node: number): Promise<void> {
  expect((await move(process, new BigUint64Array(0), node)).result).toSucceed(0);
}

/** Nothing of the process is balanced, but what it maps from now on. */
export async function exempt(
  process: WorldProcess,
  { pageSizeBytes }: WorldMachine,
): Promise<void> {
  const pageCount = ALL_ADDRESSES / pageSizeBytes;
  for (const { address, pageCount: count } of await areasIn(process, { address: 0n, pageCount })) {
    await new Pages(process, address, count, pageSizeBytes).mbind(MPOL.LOCAL, null);
  }
}
