/**
 * /proc/vmstat, and what it has in common with the file of one node; what a node's memory is used
 * for.
 *
 * Source: mm/vmstat.c, vmstat_text; include/linux/mmzone.h, enum node_stat_item;
 * Documentation/admin-guide/numastat.rst. Left out: what the model does not count.
 */

import type { VmCounters } from '../../machine/counters.ts';
import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import { folioIdOf, isFolio, isInline, nodeOfInline } from '../memory/page-entry.ts';
import type { NodeCounts } from '../nodes/numa-events.ts';
import { linesText } from './text-layout.ts';

/** Of one node. */
export function nodeVmstatText(memory: Memory, node: number): string {
  const { physical } = memory;
  return linesText([
    ...pageLines(memory, [node]),
    `pgpromote_candidate ${physical.promotions.to(node).candidates}`,
  ]);
}

/** Of the whole machine. */
export function vmstatText(memory: Memory, nodes: readonly number[]): string {
  const counters = vmCountersOf(memory);
  const unlimited = counters.pgpromoteCandidateNrl;
  return linesText([
    ...pageLines(memory, nodes),
    `pgpromote_success ${counters.pgpromoteSuccess}`,
    `pgpromote_candidate ${counters.pgpromoteCandidate}`,
    ...(unlimited === null ? [] : [`pgpromote_candidate_nrl ${unlimited}`]),
    `numa_pte_updates ${counters.numaPteUpdates}`,
    `numa_huge_pte_updates ${counters.numaHugePteUpdates}`,
    `numa_hint_faults ${counters.numaHintFaults}`,
    `numa_hint_faults_local ${counters.numaHintFaultsLocal}`,
    `numa_pages_migrated ${counters.numaPagesMigrated}`,
    `pgmigrate_success ${counters.pgmigrateSuccess}`,
    `pgmigrate_fail ${counters.pgmigrateFail}`,
  ]);
}

function pageLines(memory: Memory, nodes: readonly number[]): string[] {
  const { physical } = memory;
  const usageOf = nodeUsages(memory);
  const free = nodes.reduce((sum, node) => sum + physical.freePages(node), 0);
  return [
    `nr_free_pages ${free}`,
    ...allocationLines(nodes.map((node) => physical.counters.of(node))),
    ...usageLines(sumOf(nodes.map(usageOf)), memory.tablePages),
  ];
}

function allocationLines(counts: readonly NodeCounts[]): string[] {
  const sum = (name: keyof NodeCounts): number =>
    counts.reduce((total, one) => total + one[name], 0);
  return [
    `numa_hit ${sum('numaHit')}`,
    `numa_miss ${sum('numaMiss')}`,
    `numa_foreign ${sum('numaForeign')}`,
    `numa_interleave ${sum('interleaveHit')}`,
    `numa_local ${sum('localNode')}`,
    `numa_other ${sum('otherNode')}`,
  ];
}

function usageLines(usage: NodeUsage, hugePageCount: number): string[] {
  return [
    `nr_anon_pages ${usage.anonymous}`,
    `nr_mapped ${usage.mapped}`,
    `nr_file_pages ${usage.file}`,
    `nr_shmem ${usage.sharedMemory}`,
    // Huge pages count as one here, and in bytes in meminfo.
    `nr_anon_transparent_hugepages ${usage.anonymousHuge / hugePageCount}`,
  ];
}

/** What it tells of migrations and of balancing. */
export function vmCountersOf({ physical, migrated, facts }: Memory): VmCounters {
  const { pgpromoteCandidateNrl, ...counters } = physical.balancing;
  return {
    pgmigrateSuccess: migrated.moved,
    pgmigrateFail: migrated.failed,
    ...counters,
    pgpromoteCandidate: physical.promotions.candidates,
    pgpromoteCandidateNrl: facts.countsUnlimitedCandidates ? pgpromoteCandidateNrl : null,
  };
}

/** In base pages. */
interface NodeUsage {
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
