/**
 * What the memory of a node is used for.
 *
 * Source: include/linux/mmzone.h, enum node_stat_item.
 */

import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import { folioIdOf, isFolio, isInline, nodeOfInline } from '../memory/page-entry.ts';

/** In base pages. */
export interface NodeUsage {
  /** NR_ANON_MAPPED. */
  anonymous: number;
  /** Of these, in transparent huge pages mapped as one: NR_ANON_THPS, times their size. */
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
  const mappedAsOne = new Set<number>();
  for (const { pages } of memory.mms) {
    pages.forEachTable((page, pageCount, entry) => {
      if (isInline(entry)) usageOf(nodeOfInline(entry)).anonymous += pageCount;
      else if (isFolio(entry) && pages.isHuge(page)) mappedAsOne.add(folioIdOf(entry));
    });
  }
  for (const [folioId, folio] of memory.folios) {
    addFolio(usageOf(folio.node), folio, { isMappedHuge: mappedAsOne.has(folioId) });
  }
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

function addFolio(
  usage: NodeUsage,
  { isAnonymous, object, pageCount, mapCount }: Folio,
  { isMappedHuge }: { isMappedHuge: boolean },
): void {
  const mapped = Math.min(mapCount, pageCount);
  if (isAnonymous) {
    usage.anonymous += mapped;
    if (pageCount > 1 && isMappedHuge) usage.anonymousHuge += pageCount;
    return;
  }
  const counted = object?.kind.usage;
  if (counted !== 'file' && counted !== 'shared memory') return;
  usage.file += pageCount;
  if (counted === 'shared memory') usage.sharedMemory += pageCount;
  usage.mapped += mapped;
}
