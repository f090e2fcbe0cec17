/**
 * Whether a page that somebody has just touched belongs elsewhere.
 *
 * Source: mm/mempolicy.c, mpol_misplaced() and get_task_policy(); kernel/sched/fair.c,
 * should_numa_migrate_memory(). What tiering does instead is in promotion.ts.
 */

import { MPOL_MODE_FLAG } from '../../core/uapi.ts';
import type { Folio } from '../memory/folio.ts';
import { rangePolicyAt, type Vma } from '../memory/vma.ts';
import { hasNode, NO_NODE } from '../nodes/nodemask.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import type { BalancedTask } from './balanced-task.ts';
import { isPromotedFrom, shouldPromote } from './promotion.ts';

/** Scans during which a first fault is enough. */
const EARLY_SCANS = 4;

/** MPOL_F_MOF: no policy at all, or one with the flag; `undefined` is none to be found. */
export function migratesOnFault(policy: Mempolicy | null | undefined): boolean {
  if (policy === undefined) return false;
  return policy === null || (policy.flags & MPOL_MODE_FLAG.NUMA_BALANCING) !== 0;
}

/** The node to which the page should go; NO_NODE where it is well placed. */
export function misplacedNode(task: BalancedTask, vma: Vma, page: number, folio: Folio): number {
  const policy = rangePolicyAt(vma, page) ?? task.policy;
  const { cpuNode } = task;
  if (!migratesOnFault(policy)) return NO_NODE;
  if (policy === null) {
    if (folio.node === cpuNode) return NO_NODE;
  } else if (!hasNode(policy.nodes, cpuNode)) {
    return NO_NODE;
  }
  if (!shouldMigrate(task, page, folio)) return NO_NODE;
  return folio.node === cpuNode ? NO_NODE : cpuNode;
}

/** The filter of two references: a page that threads of several nodes touch stays. */
function shouldMigrate(task: BalancedTask, page: number, folio: Folio): boolean {
  const { memory } = task.mm;
  const { numa, cpuNode, tid } = task;
  if (!hasNode(memory.physical.memoryNodes, cpuNode)) return false;
  if (isPromotedFrom(memory, folio.node)) return shouldPromote(task, page, folio);
  const last = folio.lastFault;
  folio.lastFault = { cpuNode, tid };
  // In slow memory there may be a time in its place, of when tiering was on.
  if (last === null && !memory.isTopTier(folio.node)) return false;
  const isEarly = numa.preferredNode === NO_NODE || numa.scanSeq <= EARLY_SCANS;
  if (isEarly && (last === null || last.tid === tid)) return true;
  return last === null || last.cpuNode === cpuNode;
}
