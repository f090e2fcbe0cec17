/**
 * /proc/vmstat, and what it has in common with the file of one node.
 *
 * Source: mm/vmstat.c, vmstat_text; Documentation/admin-guide/numastat.rst.
 *
 * Left out: what the model does not count.
 */

import type { VmCounters } from '../../machine/counters.ts';
import type { Memory } from '../memory/memory.ts';
import type { NodeCounts } from '../nodes/numa-events.ts';
import { type NodeUsage, nodeUsages, sumOf } from './node-usage.ts';
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
