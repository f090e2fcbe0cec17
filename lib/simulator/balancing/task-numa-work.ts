/**
 * The scanner: a thread that has run for long enough goes on through its address space and marks
 * the pages of a range, so that the next access to each is a hint fault and tells who uses it.
 *
 * Source: kernel/sched/fair.c, task_tick_numa(), task_numa_work() and reset_ptenuma_scan();
 * mm/mempolicy.c, vma_migratable(), vma_policy_mof(), change_prot_numa() and
 * folio_can_map_prot_numa(); mm/mprotect.c, change_pte_range(); mm/huge_memory.c,
 * change_huge_pmd(); mm/memory-tiers.c, node_is_toptier(). Left out: scans of mappings that others
 * touch (vma_is_accessed()) are not put off.
 */

import type { Folio } from '../memory/folio.ts';
import type { Memory } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import {
  folioIdOf,
  isInline,
  isMarked,
  isPage,
  markedEntry,
  nodeOfInline,
} from '../memory/page-entry.ts';
import type { EntryRun } from '../memory/page-table.ts';
import { hasFlag, isHugetlb, rangePolicyAt, VM, type Vma } from '../memory/vma.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import { type BalancedTask, SCAN_DELAY_MS, SCAN_PERIOD_MS } from './balanced-task.ts';
import { migratesOnFault } from './numa-page.ts';
import { isPromotedFrom } from './promotion.ts';

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

/** Consecutive pages with equal entries. */
/** How many pages were marked. */
export function changeProtNuma(
  task: BalancedTask,
  vma: Vma,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  const { pages, memory } = task.mm;
  const runs: EntryRun[] = [];
  pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (isPage(entry) && !isMarked(entry)) runs.push({ page, pageCount, entry });
  });
  let marked = 0;
  for (const run of runs) {
    if (!isMarkable(task, vma, run)) continue;
    mark(task, run);
    marked += run.pageCount;
  }
  memory.physical.balancing.numaPteUpdates += marked;
  return marked;
}

function mark({ mm, scan }: BalancedTask, { page, pageCount, entry }: EntryRun): void {
  const { pages, memory } = mm;
  if (isHuge(mm, page, entry)) memory.physical.balancing.numaHugePteUpdates += 1;
  const marked = markedEntry(entry);
  const folio = folioOfEntry(memory, entry);
  if (folio === null) pages.fill(page, page + pageCount, marked);
  else {
    pages.replace(page, pageCount, marked);
    folio.hasMarkedEntry = true;
  }
  if (!isPromotedFrom(memory, nodeOfEntry(memory, entry))) return;
  for (let at = page; at < page + pageCount; at += 1) scan.markedAtMs.set(at, memory.clock.nowMs);
}

/** Mapped by one entry of the table above. */
function isHuge({ pages, memory }: Mm, page: number, entry: number): boolean {
  const folio = folioOfEntry(memory, entry);
  return folio !== null && folio.pageCount > 1 && pages.isHuge(page);
}

function folioOfEntry({ folios }: Memory, entry: number): Folio | null {
  return isInline(entry) ? null : folios.get(folioIdOf(entry));
}

function nodeOfEntry(memory: Memory, entry: number): number {
  return folioOfEntry(memory, entry)?.node ?? nodeOfInline(entry);
}

function isMarkable(task: BalancedTask, vma: Vma, { page, entry }: EntryRun): boolean {
  const { memory } = task.mm;
  const node = nodeOfEntry(memory, entry);
  if (memory.balancing === 'tiering' && memory.isTopTier(node)) return false;
  if (memory.facts.balancingMarksAnyHuge && isHuge(task.mm, page, entry)) return true;
  const folio = folioOfEntry(memory, entry);
  if (folio !== null && isSpared(folio, vma, memory)) return false;
  // The private pages of a process with one thread are at home where it runs.
  const isAlone = task.threadCount === 1 && !hasFlag(vma, VM.SHARED);
  return !(isAlone && node === task.cpuNode);
}

function isSpared(folio: Folio, vma: Vma, { facts }: Memory): boolean {
  if (folio.isMerged) return true;
  const isPrivate = !hasFlag(vma, VM.SHARED);
  if (isPrivate && !facts.balancingMarksReferenced) {
    // Its object keeps a page of its own, too: more than one reference.
    if (folio.isHeld || folio.mapCount > 1 || folio.object !== null) return true;
  }
  const isPinnedSpared = isPrivate || !facts.balancingMarksPinnedShared;
  if (isPinnedSpared && folio.pins > 0) return true;
  if (isPrivate && folio.isShared) return true;
  return isFilePage(folio) && folio.isDirty;
}

/** No swap device backs it: page cache, and secret memory. Source: folio_is_file_lru(). */
export function isFilePage({ object }: Folio): boolean {
  return object?.kind.isOnFileList === true;
}
