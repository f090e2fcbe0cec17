/**
 * What move_pages finds at an address: a page and its node, or why there is none.
 *
 * Source: mm/migrate.c, do_pages_stat_array() and add_folio_for_migration(); before 6.12 mm/gup.c,
 * follow_page_pte() and no_page_table().
 */

import { ERRNO } from '../../core/errno.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import type { Folio } from '../memory/folio.ts';
import {
  folioIdOf,
  isFolio,
  isInline,
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
export function queryPage(space: AddressSpace, page: number): Lookup {
  const vma = space.vmas.lookup(page);
  return vma === undefined ? { errno: ERRNO.EFAULT } : findPage(space, vma, page);
}

function findPage(space: AddressSpace, vma: Vma, page: number): Lookup {
  const { folios, profile } = space.memory;
  const entry = space.pages.get(page);
  if (isZeroPage(entry)) return { errno: ERRNO.EFAULT };
  if (entry === NONE && vma.object === null) return { errno: profile.untouchedAnonymousStatus };
  if (vma.access === 'none' && !profile.protNonePagesAreVisible) return { errno: ERRNO.ENOENT };
  if (isInline(entry)) return { node: nodeOfInline(entry), folio: null };
  if (!isFolio(entry) || hasFlag(vma, VM.IO)) return { errno: ERRNO.ENOENT };
  const folio = folios.get(folioIdOf(entry));
  const isHidden = folio.kind === 'secret' && !profile.secretPagesAreVisible;
  return isHidden ? { errno: ERRNO.ENOENT } : { node: folio.node, folio };
}

/**
 * Takes the page at an address for a move to `node`: 'queued', 'there' already, or the errno that
 * its status gets.
 */
export function queuePage(
  space: AddressSpace,
  page: number,
  { node, movesShared, list }: { node: number; movesShared: boolean; list: PageList },
): 'queued' | 'there' | { readonly errno: number } {
  const vma = space.vmas.lookup(page);
  if (vma === undefined || hasFlag(vma, VM.IO)) return { errno: ERRNO.EFAULT };
  const found = findPage(space, vma, page);
  if ('errno' in found) return found;
  if (found.node === node) return 'there';
  const { folio } = found;
  if (folio?.isShared === true && !movesShared) return { errno: ERRNO.EACCES };
  const isPartOfPool = folio?.object?.type === 'hugetlb' && !isFirst(space, page);
  if (isPartOfPool && !space.memory.profile.hugePageMovesByAnyAddress) {
    return { errno: ERRNO.EACCES };
  }
  return list.isolate(space, page, 1) ? 'queued' : { errno: ERRNO.EBUSY };
}

function isFirst({ memory: { tablePages } }: AddressSpace, page: number): boolean {
  return page % tablePages === 0;
}
