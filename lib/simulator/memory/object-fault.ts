/**
 * Page faults in mappings of objects: shared memory, files, what the kernel maps into each process.
 *
 * Source: mm/memory.c, do_fault(), do_fault_around() and finish_fault(); mm/shmem.c, shmem_fault();
 * mm/filemap.c, filemap_map_pages().
 */

import { NO_NODE } from '../nodes/nodemask.ts';
import { countAllocation, countedSearchFor, findNode, searchFor } from '../policy/placement.ts';
import type { FaultOutcome, Toucher } from './fault.ts';
import type { Folio } from './folio.ts';
import { allocateFolio } from './memory.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Mm } from './mm.ts';
import { isFolio, isMigration, migratingFolioId, NONE } from './page-entry.ts';
import { hasFlag, isHugetlb, offsetOf, VM, type Vma } from './vma.ts';

/** Default of fault_around_bytes in debugfs. */
const FAULT_AROUND_BYTES = 2 ** 16;

/** The folio that an access to the page has to wait for: it is on its way. null for none. */
export function awaitedFolio(
  mm: Mm,
  vma: Vma,
  page: number,
): { readonly folioId: number; readonly folio: Folio } | null {
  const folioId = awaitedFolioId(mm, vma, page);
  if (folioId === undefined) return null;
  const folio = mm.memory.folios.get(folioId);
  return folio.lockedBy === null ? null : { folioId, folio };
}

function awaitedFolioId({ pages, memory }: Mm, vma: Vma, page: number): number | undefined {
  const entry = pages.get(page);
  if (isMigration(entry)) return migratingFolioId(entry);
  if (entry !== NONE || vma.object === null) return undefined;
  const offset = offsetOf(vma, page);
  const isOfPool = isHugetlb(vma);
  return vma.object.pages.get(isOfPool ? offset - (offset % memory.tablePages) : offset);
}

/** Maps a page of an object, allocated where it had none; `killed` without memory. */
export function faultObject(
  toucher: Toucher,
  vma: Vma,
  page: number,
  { isWrite }: { isWrite: boolean },
): FaultOutcome {
  const { mm } = toucher;
  const object = vma.object as MemoryObject;
  // A driver puts its pages in by itself; the kernel's own are found.
  if (!object.kind.fills && !hasFlag(vma, VM.SPECIAL)) return 'fault';
  if (!isWrite) mapAround(mm, vma, page);
  if (offsetOf(vma, page) >= object.sizePages) return 'fault';
  if (isFolio(mm.pages.get(page))) return 'done';
  const folioId = folioOfObject(toucher, vma, page);
  if (folioId === null) return object.kind.fills ? 'killed' : 'fault';
  const folio = mm.memory.folios.get(folioId);
  if (isWrite) folio.isDirty = true;
  // A page of a huge one is mapped with its whole.
  const first = page - (offsetOf(vma, page) - folio.index);
  mm.mapFolio(first, folioId, folio.pageCount);
  return 'done';
}

/**
 * A read maps what its object already has nearby: a window of pages from an aligned one on, or
 * from where the mapping begins.
 * Source: do_fault_around(), filemap_map_pages().
 */
function mapAround(mm: Mm, vma: Vma, page: number): void {
  const object = vma.object as MemoryObject;
  if (!object.kind.mapsAround) return;
  const windowPages = FAULT_AROUND_BYTES / mm.memory.pageSizeBytes;
  const whole = mm.vmas.lookup(page) as Vma;
  const first = Math.max(Math.floor(page / windowPages) * windowPages, whole.start);
  const end = Math.min(first + windowPages, whole.end, mm.pages.tableEnd(page));
  for (let at = first; at < end; at += 1) {
    const folioId = object.pages.get(offsetOf(whole, at));
    // Locked pages are passed over: nobody sleeps for a neighbour.
    if (folioId === undefined || mm.memory.folios.get(folioId).lockedBy !== null) continue;
    if (mm.pages.get(at) === NONE) mm.mapFolio(at, folioId);
  }
}

/** The folio of a page's object, allocated where it had none; null without memory. */
export function folioOfObject(toucher: Toucher, vma: Vma, page: number): number | null {
  const object = vma.object as MemoryObject;
  const index = offsetOf(vma, page);
  return object.pages.get(index) ?? fillObject(toucher, object, index);
}

/**
 * A new page of an object: shared memory by the policy of the object, the page cache by that of the
 * thread, whose interleaving takes nodes in turn. The number of its folio; null without memory, or
 * where a driver makes them. Source: mm/shmem.c, shmem_alloc_folio(); mm/filemap.c,
 * filemap_alloc_folio().
 */
export function fillObject(toucher: Toucher, object: MemoryObject, index: number): number | null {
  const { kind } = object;
  if (!kind.fills) return null;
  const { memory } = toucher.mm;
  const policy = (kind.keepsPolicy ? object.policy.lookup(index) : null) ?? toucher.policy;
  const search = kind.isFile
    ? countedSearchFor(policy, toucher, memory.interleave)
    : searchFor({ policy, index: object.inode + index }, toucher, memory.interleave);
  const node = findNode(memory.physical, search);
  if (node === NO_NODE) return null;
  const folioId = allocateFolio(memory, 'object', node, { object, index });
  countAllocation(memory.physical, search, node);
  object.pages.set(index, folioId);
  return folioId;
}
