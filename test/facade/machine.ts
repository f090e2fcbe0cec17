/** This machine's nodes, and the reasons for which a test cannot run on it. */

import type { TestContext } from 'vitest';
import { isExpendable, numa } from './subject.ts';

export { chooseHugePages, isExpendable, numa, usesHugePages } from './subject.ts';

/** Nodes with memory that this thread may use, ascending. */
export const memoryNodes: readonly number[] = numa
  .allowedNodes()
  .intersection(numa.topology.withMemory)
  .toArray();

export const firstNode: number = memoryNodes[0] as number;

/** A node number that no machine of the tests has. */
export const UNKNOWN_NODE = 1000;

/** The first `count` nodes with memory; skips the test where there are fewer. */
export function needNodes(context: TestContext, count: number): number[] {
  if (memoryNodes.length < count) {
    context.skip(`needs ${count} nodes with memory; this machine has ${memoryNodes.length}`);
  }
  return memoryNodes.slice(0, count);
}

/** A node with memory and without CPUs; skips the test where there is none. */
export function needMemoryOnlyNode(context: TestContext): number {
  const node = numa.topology.withMemory.difference(numa.topology.withCpus).first;
  if (node === undefined) context.skip('needs a node with memory and without CPUs');
  return node;
}

/** Skips a test that exhausts the machine, except in a guest made for that. */
export function needExpendable(context: TestContext): void {
  if (!isExpendable) context.skip('exhausts the machine: only in a guest made for it');
}
