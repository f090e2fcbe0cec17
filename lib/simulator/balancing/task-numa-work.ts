/**
 * The scanner: a thread that has run for long enough goes on through its address space and marks
 * pages, whose next access will tell who uses them.
 *
 * Source: kernel/sched/fair.c, task_tick_numa(), task_numa_work() and reset_ptenuma_scan();
 * mm/mempolicy.c, vma_migratable() and vma_policy_mof(). Left out: scans of mappings that others
 * touch (vma_is_accessed()) are not put off.
 */

import type { Memory } from '../memory/memory.ts';
import { hasFlag, isHugetlb, rangePolicyAt, VM, type Vma } from '../memory/vma.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import { type BalancedTask, SCAN_DELAY_MS, SCAN_PERIOD_MS } from './balanced-task.ts';
import { changeProtNuma } from './change-prot-numa.ts';
import { migratesOnFault } from './misplaced.ts';

/** Default of scan_size_mb. */
const SCAN_SIZE_BYTES = 256 * 2 ** 20;
/** Pages looked at for each that may be marked. */
const VIRTUAL_FACTOR = 8;

/** The thread has run for a while longer. */
export function tickNuma(task: BalancedTask, elapsedMs: number): void {
  const { numa, scan } = task;
  const { balancing, clock } = task.mm.memory;
  numa.executedMs += elapsedMs;
  if (balancing === 'off') return;
  if (numa.executedMs <= numa.nodeStampMs + SCAN_PERIOD_MS) return;
  numa.nodeStampMs += SCAN_PERIOD_MS;
  if (scan.nextMs === null || clock.nowMs >= scan.nextMs) taskNumaWork(task);
}

export function taskNumaWork(task: BalancedTask): void {
  const { scan, memsAllowed } = task;
  const { facts, clock, pageSizeBytes } = task.mm.memory;
  if (!facts.balancingMarksInOneNode && nodesIn(memsAllowed).length === 1) return;
  scan.nextMs ??= clock.nowMs + SCAN_DELAY_MS;
  if (clock.nowMs < scan.nextMs) return;
  scan.nextMs = clock.nowMs + SCAN_PERIOD_MS;
  const pages = SCAN_SIZE_BYTES / pageSizeBytes;
  scanFrom(task, { pages, virtualPages: pages * VIRTUAL_FACTOR });
}

interface Budget {
  pages: number;
  virtualPages: number;
}

/** One part of the space; where its end is reached, the next part is its beginning again. */
function scanFrom(task: BalancedTask, budget: Budget): void {
  const { scan, mm } = task;
  if (mm.vmas.find(scan.offset) === undefined) restart(task);
  for (const vma of mm.vmas.from(scan.offset)) {
    if (!isScanned(task, vma)) continue;
    let page = Math.max(scan.offset, vma.start);
    while (page < vma.end) {
      const end = Math.min(partEnd(mm.memory, page, budget.pages), vma.end);
      const marked = changeProtNuma(task, vma, { start: page, end });
      if (marked > 0) budget.pages -= end - page;
      budget.virtualPages -= end - page;
      page = end;
      if (budget.pages > 0 && budget.virtualPages > 0) continue;
      scan.offset = page;
      return;
    }
  }
  restart(task);
}

/** Whole huge pages. */
function partEnd({ tablePages }: Memory, page: number, pageCount: number): number {
  return Math.ceil((page + pageCount) / tablePages) * tablePages;
}

function restart({ scan }: BalancedTask): void {
  scan.seq += 1;
  scan.offset = 0;
}

function isScanned(task: BalancedTask, vma: Vma): boolean {
  if (hasFlag(vma, VM.IO) || hasFlag(vma, VM.MIXEDMAP)) return false;
  if (!migratesOnFault(scannedPolicy(task, vma)) || isHugetlb(vma)) return false;
  // Such a mapping of a file is probably code that others run, too.
  return vma.access !== 'none' && !(vma.object !== null && vma.access === 'read');
}

/** The policy that decides about a whole mapping: `undefined` for none that could be found. */
function scannedPolicy(task: BalancedTask, vma: Vma): Mempolicy | null | undefined {
  const policy = rangePolicyAt(vma, vma.start);
  if (policy !== null) return policy;
  const isLeftAlone = vma.object?.kind.keepsPolicy === true && !vmaFallsBack(task);
  return isLeftAlone ? undefined : task.policy;
}

function vmaFallsBack({ mm }: BalancedTask): boolean {
  return mm.memory.facts.balancesSharedMemory;
}
