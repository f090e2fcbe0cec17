/**
 * The hint fault: an access to a marked page takes the mark away, is counted, and may move the
 * page to the node of the CPU that made it. It happens in four steps, and a failure of any leaves
 * the page where it is.
 *
 * Source: mm/memory.c, do_numa_page() and numa_migrate_check(); mm/migrate.c,
 * migrate_misplaced_folio_prepare() and migrate_misplaced_folio().
 */

import type { Folio } from '../memory/folio.ts';
import { folioIdOf, isMarked } from '../memory/page-entry.ts';
import type { Vma } from '../memory/vma.ts';
import { migratePageList } from '../migration/migrate.ts';
import { PageList } from '../migration/page-list.ts';
import { maskOf, NO_NODE } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import type { BalancedTask } from './balanced-task.ts';
import { isFilePage } from './change-prot-numa.ts';
import { misplacedNode } from './misplaced.ts';
import { countFault } from './numa-faults.ts';

/** Free pages between the watermark of allocations and the high one: a part of the node. */
const HIGH_WATERMARK_DIVISOR = 256;

export function faultNumaPage(task: BalancedTask, vma: Vma, page: number): void {
  const { space } = task;
  if (!isMarked(space.pages.get(page))) return;
  const folio = space.memory.folios.get(space.folioAt(page));
  unmark(task, page, folio);
  const target = misplacedNode(task, vma, page, folio);
  if (target !== NO_NODE && canTake(task, folio, target)) moveMisplaced(task, page, target);
  countFault(task, folio.node, folio.pageCount);
}

/** A huge page is marked, and unmarked, as a whole. */
function unmark({ space }: BalancedTask, page: number, folio: Folio): void {
  const { pages, memory } = space;
  const first = folio.pageCount === 1 ? page : page - (page % memory.tablePages);
  const folioId = folioIdOf(pages.get(page));
  pages.forEachRun(first, first + folio.pageCount, (at, pageCount, entry) => {
    if (isMarked(entry) && folioIdOf(entry) === folioId) space.unmark(at, pageCount);
  });
}

/** Source: migrate_misplaced_folio_prepare(), migrate_balanced_pgdat(). */
function canTake({ space }: BalancedTask, folio: Folio, target: number): boolean {
  const { physical } = space.memory;
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
function moveMisplaced(
  { space, memsAllowed, cpuNode }: BalancedTask,
  page: number,
  target: number,
): void {
  const list = new PageList();
  if (!list.isolate(space, page, 1)) return;
  const nodes = maskOf([target]) & memsAllowed;
  const search = { start: target, first: nodes, last: nodes, cpuNode, isInterleaved: false };
  migratePageList(space.memory, list, { isUniform: true, searchFor: () => search });
}
