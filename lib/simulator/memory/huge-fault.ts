/**
 * Transparent huge pages: where a first touch may have one, and on which node.
 *
 * Source: mm/huge_memory.c, do_huge_pmd_anonymous_page() and vma_thp_gfp_mask(); mm/mempolicy.c,
 * alloc_pages_mpol(), which tries the preferred node alone first.
 */

import { hasNode, maskOf, NO_NODE } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import { countAllocation, type Search, searchFor } from '../policy/placement.ts';
import { allocateFolio } from './memory.ts';
import type { Mm } from './mm.ts';
import { HUGE_ZERO_PAGE, NONE } from './page-entry.ts';
import type { Toucher } from './toucher.ts';
import { hasFlag, interleaveIndexAt, offsetOf, rangePolicyAt, VM, type Vma } from './vma.ts';

/** Maps a huge page around `page` if there can be one there; the number of pages from `page` on. */
export function faultHugePage(toucher: Toucher, vma: Vma, page: number): number {
  const { mm } = toucher;
  const { memory } = mm;
  const pageCount = memory.tablePages;
  const first = firstOfHuge(toucher, vma, page);
  if (first === undefined) return 0;
  const search = hugeSearch(toucher, vma, first);
  const node = findHugeNode(memory.physical, search, vma);
  if (node === NO_NODE) return 0;
  const index = offsetOf(vma, first);
  const folioId = allocateFolio(memory, 'anonymous', node, { pageCount, index });
  memory.folios.get(folioId).isDirty = true;
  countAllocation(memory.physical, search, node);
  mm.mapFolio(first, folioId, pageCount);
  return first + pageCount - page;
}

/** The same of the huge page of zeros, which is nobody's memory, for a read. */
export function faultHugeZeroPage(toucher: Toucher, vma: Vma, page: number): number {
  const { pages } = toucher.mm;
  const first = firstOfHuge(toucher, vma, page);
  if (first === undefined) return 0;
  pages.fill(first, first + pages.tablePages, HUGE_ZERO_PAGE);
  return first + pages.tablePages - page;
}

/** Where the huge page around `page` would begin; undefined where there can be none. */
function firstOfHuge({ mm }: Toucher, vma: Vma, page: number): number | undefined {
  const { memory, vmas, pages } = mm;
  if (vma.object !== null || !wantsHugePages(mm, vma)) return undefined;
  const first = Math.floor(page / memory.tablePages) * memory.tablePages;
  const whole = vmas.lookup(page) as Vma;
  if (first < whole.start || first + memory.tablePages > whole.end) return undefined;
  let isEmpty = true;
  pages.forEachRun(first, first + memory.tablePages, (_page, _count, entry) => {
    if (entry !== NONE) isEmpty = false;
  });
  return isEmpty ? first : undefined;
}

function wantsHugePages({ memory, isWithoutHugePages }: Mm, vma: Vma): boolean {
  const { hugePages } = memory;
  if (isWithoutHugePages || hugePages === 'never' || hasFlag(vma, VM.NOHUGEPAGE)) return false;
  return hugePages === 'always' || hasFlag(vma, VM.HUGEPAGE);
}

/** Of several preferred nodes, or of those that take turns, none is tried alone. */
interface HugeSearch extends Search {
  readonly triesStart: boolean;
}

function hugeSearch(toucher: Toucher, vma: Vma, first: number): HugeSearch {
  const { memory, vmas } = toucher.mm;
  const policy = rangePolicyAt(vma, first) ?? toucher.policy;
  const index = interleaveIndexAt(vmas.lookup(first) as Vma, first, memory.tablePages);
  const search = searchFor({ policy, index }, toucher, memory.interleave);
  return { ...search, triesStart: policy?.mode.triesStart ?? true };
}

/** Only where huge pages were asked for is memory moved together for one, or another node tried. */
function findHugeNode(physical: PhysicalMemory, search: HugeSearch, vma: Vma): number {
  const { start, first, last, triesStart } = search;
  const compacts = hasFlag(vma, VM.HUGEPAGE);
  if (triesStart && hasNode(first, start)) {
    const node = physical.findBlock(start, maskOf([start]), { compacts });
    if (node !== NO_NODE || !compacts) return node;
  }
  const node = physical.findBlock(start, first, { compacts });
  return node !== NO_NODE || first === last ? node : physical.findBlock(start, last, { compacts });
}
