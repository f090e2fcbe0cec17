/**
 * Faults that find a huge page: transparent ones, where a first touch may have one, and on which
 * node; those of a pool, on a node that the policy allows, or SIGBUS.
 *
 * Source: mm/huge_memory.c, do_huge_pmd_anonymous_page() and vma_thp_gfp_mask(); mm/mempolicy.c,
 * alloc_pages_mpol(), which tries the preferred node alone first; mm/hugetlb.c, hugetlb_no_page(),
 * hugetlb_add_to_page_cache(), hugetlb_wp() and dequeue_hugetlb_folio_vma().
 */

import type { Access } from '../../backend/backend.ts';
import { hasNode, maskOf, NO_NODE } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import { countAllocation, type Search, searchFor } from '../policy/placement.ts';
import type { FaultOutcome, Toucher } from './fault.ts';
import { Folio } from './folio.ts';
import { allocateFolio } from './memory.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Mm } from './mm.ts';
import { folioIdOf, HUGE_ZERO_PAGE, isFolio, NONE } from './page-entry.ts';
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

export function faultPoolPage(
  toucher: Toucher,
  vma: Vma,
  page: number,
  access: Access,
): FaultOutcome {
  const { mm } = toucher;
  const head = Math.floor(page / mm.memory.tablePages) * mm.memory.tablePages;
  const entry = mm.pages.get(page);
  if (isFolio(entry)) {
    return access === 'read' ? 'done' : writePoolPage(toucher, vma, head, folioIdOf(entry));
  }
  const object = vma.object as MemoryObject;
  const index = offsetOf(vma, head);
  if (index >= object.sizePages) return 'fault';
  const isShared = hasFlag(vma, VM.SHARED);
  const present = object.pages.get(index);
  if (present !== undefined) {
    mm.mapFolio(head, present, mm.memory.tablePages);
    return isShared || access === 'read' ? 'done' : writePoolPage(toucher, vma, head, present);
  }
  const folioId = allocatePoolFolio(toucher, vma, head);
  if (folioId === null) return 'fault';
  if (isShared) object.pages.set(index, folioId);
  else mm.vmas.prepareAnonVma(vma);
  mm.mapFolio(head, folioId, mm.memory.tablePages);
  // In the page cache it is dirty at once: what is clean could be dropped from there.
  mm.memory.folios.get(folioId).isDirty = isShared || access === 'write';
  return 'done';
}

/** The page's promise, if its mapping has one: of the object, or of the process that mapped it. */
function promiseOf({ mm }: Toucher, vma: Vma, head: number): Set<number> | undefined {
  const isShared = hasFlag(vma, VM.SHARED);
  const promises = isShared ? (vma.object as MemoryObject).reserved : mm.reserved;
  return promises.has(isShared ? offsetOf(vma, head) : head) ? promises : undefined;
}

function allocatePoolFolio(toucher: Toucher, vma: Vma, head: number): number | null {
  const { memory } = toucher.mm;
  const { physical, pool, tablePages, interleave } = memory;
  const policy = rangePolicyAt(vma, head) ?? toucher.policy;
  const index = interleaveIndexAt(vma, head, tablePages);
  const { start, first, last } = searchFor({ policy, index }, toucher, interleave);
  const promises = promiseOf(toucher, vma, head);
  const isReserved = promises !== undefined;
  const order = physical.zonelist(start);
  const node = pool.find(order, first, { isReserved }) ?? pool.find(order, last, { isReserved });
  if (node === undefined) return null;
  pool.take(node, { isReserved });
  promises?.delete(hasFlag(vma, VM.SHARED) ? offsetOf(vma, head) : head);
  const kind = hasFlag(vma, VM.SHARED) ? 'object' : 'anonymous';
  const object = vma.object as MemoryObject;
  const folio = new Folio(kind, node, {
    pageCount: tablePages,
    object,
    index: offsetOf(vma, head),
  });
  return memory.folios.add(folio);
}

/** Private pages are copied as a whole, where somebody else has them, too. */
function writePoolPage(toucher: Toucher, vma: Vma, head: number, folioId: number): FaultOutcome {
  const { mm } = toucher;
  const { folios, tablePages } = mm.memory;
  const folio = folios.get(folioId);
  if (hasFlag(vma, VM.SHARED)) return 'done';
  // Who else holds it is not asked.
  if (folio.kind === 'anonymous' && !folio.isShared && !folio.isInFlight) {
    folio.isExclusive = true;
    folio.isDirty = true;
    return 'done';
  }
  const copyId = allocatePoolFolio(toucher, vma, head);
  if (copyId === null) return 'fault';
  const copy = folios.get(copyId);
  copy.isDirty = true;
  copy.words = folio.words === null ? null : new Map(folio.words);
  mm.vmas.prepareAnonVma(vma);
  mm.mapFolio(head, copyId, tablePages);
  return 'done';
}
