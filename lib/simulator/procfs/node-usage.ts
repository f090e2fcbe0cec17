/**
 * What the memory of a node is used for.
 *
 * Source: include/linux/mmzone.h, enum node_stat_item.
 */

import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import { isInline, nodeOfInline } from '../memory/page-entry.ts';

/** In base pages. */
export interface NodeUsage {
  /** NR_ANON_MAPPED. */
  anonymous: number;
  /** Of these, in transparent huge pages: NR_ANON_THPS, times their size. */
  anonymousHuge: number;
  /** Pages of objects, shared memory with them; not those of a pool: NR_FILE_PAGES. */
  file: number;
  /** NR_SHMEM. */
  sharedMemory: number;
  /** Pages of objects that some process maps: NR_FILE_MAPPED. */
  mapped: number;
}

/** Counts all pages of the machine: a list by node. */
export function nodeUsages(memory: Memory): (node: number) => NodeUsage {
  const usages = new Map<number, NodeUsage>();
  const usageOf = (node: number): NodeUsage => {
    const usage = usages.get(node) ?? { ...NOTHING };
    usages.set(node, usage);
    return usage;
  };
  for (const { pages } of memory.spaces) {
    pages.forEachTable((_page, pageCount, entry) => {
      if (isInline(entry)) usageOf(nodeOfInline(entry)).anonymous += pageCount;
    });
  }
  for (const [, folio] of memory.folios) addFolio(usageOf(folio.node), folio);
  return usageOf;
}

const NOTHING: Readonly<NodeUsage> = {
  anonymous: 0,
  anonymousHuge: 0,
  file: 0,
  sharedMemory: 0,
  mapped: 0,
};

export function sumOf(usages: readonly NodeUsage[]): NodeUsage {
  const sum = { ...NOTHING };
  for (const usage of usages) {
    for (const name of Object.keys(sum) as (keyof NodeUsage)[]) sum[name] += usage[name];
  }
  return sum;
}

function addFolio(usage: NodeUsage, { kind, object, pageCount, mapCount }: Folio): void {
  if (kind === 'anonymous' || kind === 'merged') {
    usage.anonymous += pageCount;
    if (pageCount > 1) usage.anonymousHuge += pageCount;
    return;
  }
  if (object === null || object.type === 'hugetlb' || object.type === 'driver') return;
  usage.file += pageCount;
  if (object.type === 'shared-memory') usage.sharedMemory += pageCount;
  if (mapCount > 0) usage.mapped += pageCount;
}
