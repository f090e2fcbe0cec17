/**
 * The hint fault: an access to a marked page takes the mark away, is counted, and may move the
 * page to the node of the CPU that made it. It happens in four steps, and a failure of any leaves
 * the page where it is.
 *
 * Source: mm/memory.c, do_numa_page() and numa_migrate_check(); mm/migrate.c,
 * migrate_misplaced_folio_prepare() and migrate_misplaced_folio().
 */

import type { Folio } from '../memory/folio.ts';
import type { Steps } from '../memory/in-flight.ts';
import { isMarked } from '../memory/page-entry.ts';
import type { Vma } from '../memory/vma.ts';
import { migratePages, tellIsolated } from '../migrate/migrate-pages.ts';
import { exactly } from '../migrate/migration-target.ts';
import { PageList } from '../migrate/page-list.ts';
import { finish } from '../migrate/suspended-call.ts';
import { maskOf, NO_NODE } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import type { BalancedTask } from './balanced-task.ts';
import { isFilePage } from './change-prot-numa.ts';
import { misplacedNode } from './misplaced.ts';
import { countFault, countHintFault } from './numa-faults.ts';

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
