/** This machine's nodes, and the reasons for which a test cannot run on it. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { type Numa, openNuma } from '../../lib/index.ts';

/** A guest that may be exhausted says so with this file. */
const EXPENDABLE_MARKER = '/etc/node-numa-guest';
const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';

export const isExpendable: boolean = existsSync(EXPENDABLE_MARKER);

/** The native backend on whatever this machine is. */
export const numa: Numa = openNuma({ backend: 'native' });

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
    context.skip(`needs ${count} nodes with memory, this machine has ${memoryNodes.length}`);
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

/**
 * Chooses huge pages for what is mapped from now on, and returns how to put the choice back;
 * `undefined` where the choice is not ours.
 */
export function chooseHugePages(word: 'always' | 'never'): (() => void) | undefined {
  if (!isExpendable || !existsSync(HUGE_PAGES)) return undefined;
  const before = /\[(\w+)\]/.exec(readFileSync(HUGE_PAGES, 'utf8'))?.[1] ?? 'madvise';
  writeFileSync(HUGE_PAGES, word);
  return () => writeFileSync(HUGE_PAGES, before);
}

/** Whether memory that is touched now may come in huge pages, which makes counts by page vague. */
export function usesHugePages(): boolean {
  return existsSync(HUGE_PAGES) && readFileSync(HUGE_PAGES, 'utf8').includes('[always]');
}
