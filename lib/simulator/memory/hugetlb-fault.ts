/**
 * Page faults in mappings of a pool's huge pages: a page of the pool, on a node that the policy
 * allows, or SIGBUS.
 *
 * Source: mm/hugetlb.c, hugetlb_no_page(), hugetlb_add_to_page_cache(), hugetlb_wp() and
 * dequeue_hugetlb_folio_vma().
 */

import type { Access } from '../../backend/backend.ts';
import { searchFor } from '../policy/placement.ts';
import { Folio } from './folio.ts';
import type { MemoryObject } from './memory-object.ts';
import { folioIdOf, isFolio } from './page-entry.ts';
import type { FaultOutcome, Toucher } from './toucher.ts';
import { hasFlag, interleaveIndexAt, offsetOf, rangePolicyAt, VM, type Vma } from './vma.ts';

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
