/**
 * What move_pages finds at an address: a page and its node, or why there is none.
 *
 * Source: mm/migrate.c, do_pages_stat_array() and add_folio_for_migration(); before 6.12 mm/gup.c,
 * follow_page_pte() and no_page_table().
 */

import { ERRNO } from '../../core/errno.ts';
import type { Folio } from '../memory/folio.ts';
import type { Mm } from '../memory/mm.ts';
import {
  DEVICE,
  folioIdOf,
  isFolio,
  isInline,
  isMarked,
  isolatedInline,
  isZeroPage,
  NONE,
  nodeOfInline,
} from '../memory/page-entry.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import type { PageList } from './page-list.ts';

/** A present page. */
export interface FoundPage {
  readonly node: number;
  /** null: an ordinary page. */
  readonly folio: Folio | null;
}

export type Lookup = FoundPage | { readonly errno: number };

/** Asked without moving. */
export function queryPage(mm: Mm, page: number): Lookup {
  const vma = mm.vmas.lookup(page);
  return vma === undefined ? { errno: ERRNO.EFAULT } : findPage(mm, vma, page);
}

/** Ordinary entries are below this number: places of a large mapping can be kept by entry. */
const SMALL_ENTRIES = 2 ** 13;
/** Smaller mappings are not worth it. */
const KEPT_PAGES_MIN = 256;
const UNKNOWN = -(2 ** 31);

/** The same for consecutive pages: node or negative errno of each. */
export function querySpan(mm: Mm, start: number, status: Int32Array): void {
  status.fill(-ERRNO.EFAULT);
  for (const vma of mm.vmas.within(start, start + status.length)) {
    const known = new Int32Array(vma.end - vma.start >= KEPT_PAGES_MIN ? SMALL_ENTRIES : 0);
    known.fill(UNKNOWN);
    mm.pages.forEachPart(vma.start, vma.end, (page, pageCount, entries, offset) => {
      const part = status.subarray(page - start, page - start + pageCount);
      if (typeof entries === 'number') part.fill(placeAt(mm, vma, page));
      else placesOf(mm, vma, { page, part, entries, offset, known });
    });
  }
}

interface TablePart {
  readonly page: number;
  readonly part: Int32Array;
  /** `entries[offset]` is the first page's. */
  readonly entries: Uint32Array;
  readonly offset: number;
  /** Places by entry, as far as they are known. */
  readonly known: Int32Array;
}

function placesOf(mm: Mm, vma: Vma, table: TablePart): void {
  const { page, part, entries, offset, known } = table;
  for (let index = 0; index < part.length; index += 1) {
    const entry = entries[offset + index] as number;
    let place = entry < known.length ? (known[entry] as number) : UNKNOWN;
    if (place === UNKNOWN) {
      place = placeAt(mm, vma, page + index);
      if (entry < known.length) known[entry] = place;
    }
    part[index] = place;
  }
}

function placeAt(mm: Mm, vma: Vma, page: number): number {
  const found = findPage(mm, vma, page);
  return 'errno' in found ? -found.errno : found.node;
}

/**
 * From a page on, pages of one mapping with equal entries, as a move leaves them: ordinary or
 * absent ones, and those of a folio that is there already. What one of them is answered, the others
 * are. At least 1.
 */
export function alikePages(
  mm: Mm,
  page: number,
  { end, isThere }: { readonly end: number; readonly isThere: boolean },
): number {
  const vma = mm.vmas.lookup(page);
  if (vma === undefined) return 1;
  const next = mm.pages.get(page + 1);
  if (!isInline(next) && next !== NONE && !(isThere && isFolio(next))) return 1;
  const first = mm.pages.get(page);
  const isQueued = isInline(first) && first === isolatedInline(next);
  if (first !== next && !isQueued) return 1;
  return 1 + mm.pages.runLength(page + 1, Math.min(end, vma.end));
}

function findPage(mm: Mm, vma: Vma, page: number): Lookup {
  const { folios, facts } = mm.memory;
  const entry = mm.pages.get(page);
  if (entry === NONE && !canFault(vma)) return { errno: facts.untouchedAnonymousErrno };
  const isProtected = vma.access === 'none' || isMarked(entry);
  if (isProtected && !facts.protNonePagesAreVisible) return { errno: ERRNO.ENOENT };
  if (isZeroPage(entry)) return { errno: ERRNO.EFAULT };
  if (isInline(entry)) return { node: nodeOfInline(entry), folio: null };
  if (entry === DEVICE) return { errno: facts.devicePageErrno };
  if (!isFolio(entry)) return { errno: ERRNO.ENOENT };
  const folio = folios.get(folioIdOf(entry));
  const isHidden = folio.object?.kind.isReachable === false && !facts.secretPagesAreVisible;
  return isHidden ? { errno: ERRNO.ENOENT } : { node: folio.node, folio };
}

/**
 * Takes the page at an address for a move to `node`: 'queued', 'there' already, or the errno that
 * its status gets.
 */
export function queuePage(
  mm: Mm,
  page: number,
  { node, movesShared, list }: { node: number; movesShared: boolean; list: PageList },
): 'queued' | 'there' | { readonly errno: number } {
  const vma = mm.vmas.lookup(page);
  if (vma === undefined || hasFlag(vma, VM.IO)) return { errno: ERRNO.EFAULT };
  const found = findPage(mm, vma, page);
  if ('errno' in found) return found;
  if (found.node === node) return 'there';
  const { folio } = found;
  if (folio?.isShared === true && !movesShared) return { errno: ERRNO.EACCES };
  const isPartOfPool = folio?.isOfPool === true && !isFirst(mm, page);
  if (isPartOfPool && !mm.memory.facts.hugePageMovesByAnyAddress) {
    return { errno: ERRNO.EACCES };
  }
  return list.isolate(mm, page, 1) ? 'queued' : { errno: ERRNO.EBUSY };
}

function isFirst({ memory: { tablePages } }: Mm, page: number): boolean {
  return page % tablePages === 0;
}

/** Anonymous memory, and what a driver has put in, has no function for faults. */
function canFault(vma: Vma): boolean {
  return vma.object !== null && (vma.object.kind.fills || hasFlag(vma, VM.SPECIAL));
}
