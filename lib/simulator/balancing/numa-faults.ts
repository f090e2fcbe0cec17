/**
 * Counting of hint faults: for everybody to read, and by the node of the page, which is what a
 * thread's preferred node is found by.
 *
 * Source: mm/memory.c, numa_migrate_check(); mm/migrate.c, migrate_misplaced_folio();
 * kernel/sched/fair.c, task_numa_fault() and task_numa_placement().
 */

import type { Folio } from '../memory/folio.ts';
import type { BalancedTask, NumaTask } from './balanced-task.ts';
import { isPromotedFrom } from './promotion.ts';

/** What was known of a page when it faulted. */
export interface HintFault {
  readonly node: number;
  readonly pageCount: number;
  /** Nobody is known to have touched it before. */
  readonly isFirst: boolean;
}

/** One for a huge page, too. */
export function countHintFault({ mm, cpuNode }: BalancedTask, folio: Folio): HintFault {
  const { balancing } = mm.memory.physical;
  const { node, pageCount, lastFault } = folio;
  balancing.numaHintFaults += 1;
  if (node === cpuNode) balancing.numaHintFaultsLocal += 1;
  const isFirst = lastFault === null || isPromotedFrom(mm.memory, node);
  return { node, pageCount, isFirst };
}

/** Counts what became of it: the node where its page is now. */
export function countFault(task: BalancedTask, fault: HintFault, node: number): void {
  const { numa, scan, mm } = task;
  const { memory } = mm;
  if (node !== fault.node) {
    const { balancing } = memory.physical;
    balancing.numaPagesMigrated += fault.pageCount;
    const isPromoted = isPromotedFrom(memory, fault.node) && memory.isTopTier(node);
    if (isPromoted) balancing.pgpromoteSuccess += fault.pageCount;
  }
  // Of slow memory only what is known is worth anything.
  if (!memory.isTopTier(node) && (memory.balancing === 'tiering' || fault.isFirst)) return;
  if (numa.scanSeq !== scan.seq) {
    numa.scanSeq = scan.seq;
    placeFaults(numa);
  }
  numa.newFaults.set(node, (numa.newFaults.get(node) ?? 0) + fault.pageCount);
}

/** After each scan: old faults count half, and the node with most is preferred. */
function placeFaults(numa: NumaTask): void {
  const { faults, newFaults } = numa;
  let most = 0;
  for (const node of new Set([...faults.keys(), ...newFaults.keys()])) {
    const before = faults.get(node) ?? 0;
    const change = (newFaults.get(node) ?? 0) - Math.floor(before / 2);
    faults.set(node, before + change);
    numa.totalFaults += change;
    if (before + change <= most) continue;
    most = before + change;
    numa.preferredNode = node;
  }
  newFaults.clear();
}
