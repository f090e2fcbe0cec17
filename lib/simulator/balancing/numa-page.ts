/**
 * The hint fault: an access to a marked page takes the mark away, is counted, and may move the page
 * to the node of the CPU that made it, where it belongs there. It happens in four steps, and a
 * failure of any leaves the page where it is. It is counted for everybody to read, and by the node
 * of the page, which is what a thread's preferred node is found by. What tiering does instead is in
 * promotion.ts.
 *
 * Source: mm/memory.c, do_numa_page() and numa_migrate_check(); mm/migrate.c,
 * migrate_misplaced_folio_prepare() and migrate_misplaced_folio(); mm/mempolicy.c, mpol_misplaced()
 * and get_task_policy(); kernel/sched/fair.c, task_numa_fault(), task_numa_placement() and
 * should_numa_migrate_memory().
 */

import { MPOL_MODE_FLAG } from '../../core/uapi.ts';
import type { Folio } from '../memory/folio.ts';
import type { Steps } from '../memory/in-flight.ts';
import { isMarked } from '../memory/page-entry.ts';
import { rangePolicyAt, type Vma } from '../memory/vma.ts';
import { migratePages, tellIsolated } from '../migrate/migrate-pages.ts';
import { PageList } from '../migrate/page-list.ts';
import { finish } from '../migrate/suspended-call.ts';
import { exactly } from '../migrate/target-folio.ts';
import { hasNode, maskOf, NO_NODE } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import type { BalancedTask, NumaTask } from './balanced-task.ts';
import { isPromotedFrom, shouldPromote } from './promotion.ts';
import { isFilePage } from './task-numa-work.ts';

/** Free pages between the watermark of allocations and the high one: a part of the node. */
const HIGH_WATERMARK_DIVISOR = 256;

export function faultNumaPage(task: BalancedTask, vma: Vma, page: number): void {
  finish(task.mm.memory.inFlight, stepsOfNumaFault(task, vma, page));
}

/** The same, step by step. */
export function* stepsOfNumaFault(task: BalancedTask, vma: Vma, page: number): Steps<void> {
  const { mm } = task;
  if (!isMarked(mm.pages.get(page))) return;
  const folio = mm.memory.folios.get(mm.folioAt(page));
  const isWhole = folio.pageCount === 1 || mm.pages.isHuge(page);
  mm.unmark(page);
  if (!isWhole && !mm.memory.facts.balancesPartsOfHuge) return;
  const fault = countHintFault(task, folio);
  const target = misplacedNode(task, vma, page, folio);
  const moves = target !== NO_NODE && canTake(task, folio, target);
  const hasMoved = moves && (yield* moveMisplaced(task, page, target));
  countFault(task, fault, hasMoved ? target : fault.node);
}

/** Source: migrate_misplaced_folio_prepare(), migrate_balanced_pgdat(). */
function canTake({ mm }: BalancedTask, folio: Folio, target: number): boolean {
  const { physical } = mm.memory;
  if (isFilePage(folio) && folio.isDirty) return false;
  if (folio.pageCount > 1 && !hasBlock(physical, target)) return false;
  const kept = physical.totalPages(target) / HIGH_WATERMARK_DIVISOR;
  return physical.availablePages(target) >= kept + folio.pageCount;
}

/** A huge page is not split to be moved, nor is memory moved together for it. */
function hasBlock(physical: PhysicalMemory, node: number): boolean {
  return physical.findBlock(node, maskOf([node]), { compacts: false }) !== NO_NODE;
}

/** One folio, to exactly that node if the thread may use it. */
function* moveMisplaced(task: BalancedTask, page: number, target: number): Steps<boolean> {
  const { mm } = task;
  const list = new PageList(mm.memory.inFlight);
  if (!list.isolate(mm, page, 1)) return false;
  yield* tellIsolated(list);
  const to = exactly(target, task, mm.memory.costs?.kernelAccount ?? null);
  const result = yield* migratePages(mm.memory, list, to, { mode: 'async' });
  return result.failedCount === 0 && !result.isOutOfMemory;
}

/** What was known of a page when it faulted. */
interface HintFault {
  readonly node: number;
  readonly pageCount: number;
  /** Nobody is known to have touched it before. */
  readonly isFirst: boolean;
}

/** One for a huge page, too. */
function countHintFault({ mm, cpuNode }: BalancedTask, folio: Folio): HintFault {
  const { balancing } = mm.memory.physical;
  const { node, pageCount, lastFault } = folio;
  balancing.numaHintFaults += 1;
  if (node === cpuNode) balancing.numaHintFaultsLocal += 1;
  const isFirst = lastFault === null || isPromotedFrom(mm.memory, node);
  return { node, pageCount, isFirst };
}

/** Counts what became of it: the node where its page is now. */
function countFault(task: BalancedTask, fault: HintFault, node: number): void {
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

/** Scans during which a first fault is enough. */
const EARLY_SCANS = 4;

/** MPOL_F_MOF: no policy at all, or one with the flag; `undefined` is none to be found. */
export function migratesOnFault(policy: Mempolicy | null | undefined): boolean {
  if (policy === undefined) return false;
  return policy === null || (policy.flags & MPOL_MODE_FLAG.NUMA_BALANCING) !== 0;
}

/** The node to which the page should go; NO_NODE where it is well placed. */
function misplacedNode(task: BalancedTask, vma: Vma, page: number, folio: Folio): number {
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
