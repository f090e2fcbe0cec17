/**
 * Counting of hint faults, by the node of the page: what a thread's preferred node is found by.
 *
 * Source: kernel/sched/fair.c, task_numa_fault() and task_numa_placement().
 */

import type { BalancedTask, NumaTask } from './balanced-task.ts';

export function countFault(task: BalancedTask, node: number, pageCount: number): void {
  const { numa, scan } = task;
  if (numa.scanSeq !== scan.seq) {
    numa.scanSeq = scan.seq;
    placeFaults(numa);
  }
  numa.newFaults.set(node, (numa.newFaults.get(node) ?? 0) + pageCount);
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
