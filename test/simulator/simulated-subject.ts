/** A simulated machine in the place of this host's kernel, for the tests of the facade. */

import { type Backend, type MappedBuffer, type Numa, openNuma } from '../../lib/index.ts';
import { defaultMachine } from '../../lib/simulator/public.ts';

const machine = defaultMachine();

export const isExpendable = true;
export const isPrivileged = true;
export const hasOtherThreads = false;
/** Nobody moves pages but who is called. */
export const hasBalancing = false;
export const numa: Numa = openNuma({ backend: 'simulator' });

export function openBackend(): Backend {
  return machine.self.backend;
}

export function chooseHugePages(word: 'always' | 'never'): () => void {
  const before = machine.hugePages;
  machine.hugePages = word;
  return () => {
    machine.hugePages = before;
  };
}

export function fillPools(pagesByNode: Readonly<Record<number, number>>): () => void {
  const { settings } = machine;
  const nodes = Object.keys(pagesByNode).map(Number);
  const before = nodes.map((node) => [node, settings.hugePoolPages(node)] as const);
  for (const node of nodes) settings.setHugePoolPages(node, pagesByNode[node] as number);
  return () => {
    for (const [node, pages] of before) settings.setHugePoolPages(node, pages);
  };
}

export function usesHugePages(): boolean {
  return machine.hugePages === 'always';
}

/** All of a buffer, less what its ends have of a huge page. */
export function hugeBytesOf({ address, lengthBytes }: MappedBuffer): number {
  if (!usesHugePages()) return 0;
  const hugeBytes = (machine.pageSizeBytes * machine.pageSizeBytes) / 8;
  const before = Number(-address % BigInt(hugeBytes)) + hugeBytes;
  return Math.floor((lengthBytes - (before % hugeBytes)) / hugeBytes) * hugeBytes;
}

/** There is no other way to ask. */
export function policyInNumaMaps(buffer: MappedBuffer): string {
  return `${buffer.policy()}`;
}

export function pinMemory(address: bigint, lengthBytes: number): () => void {
  const pageCount = lengthBytes / machine.pageSizeBytes;
  return machine.self.mainThread.pin({ address, pageCount });
}

export function balanceNow(): () => void {
  throw new Error('the tests ask first');
}
