/**
 * Pages taken off their lists for a migration: runs of ordinary pages, and folios. While they are
 * here nobody else can take them.
 *
 * Source: mm/vmscan.c, folio_isolate_lru(); mm/migrate.c, putback_movable_pages().
 */

import type { AddressSpace } from '../memory/address-space.ts';
import type { Folio } from '../memory/folio.ts';
import {
  folioIdOf,
  inlineEntry,
  isInline,
  isIsolatedInline,
  isolatedInline,
  nodeOfInline,
} from '../memory/page-entry.ts';

/** Ordinary pages of one node, in a row. */
export interface IsolatedRun {
  readonly space: AddressSpace;
  readonly page: number;
  readonly pageCount: number;
  readonly node: number;
}

/** A folio, and a page that maps it. */
export interface IsolatedFolio {
  readonly space: AddressSpace;
  readonly page: number;
  readonly folio: Folio;
}

export type Isolated = IsolatedRun | IsolatedFolio;

export class PageList {
  readonly entries: Isolated[] = [];

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Takes pages with equal entries; false where they are on no list, or taken already. */
  isolate(space: AddressSpace, page: number, pageCount: number): boolean {
    const entry = space.pages.get(page);
    if (isInline(entry)) {
      if (isIsolatedInline(entry)) return false;
      space.pages.fill(page, page + pageCount, isolatedInline(entry));
      this.entries.push({ space, page, pageCount, node: nodeOfInline(entry) });
      return true;
    }
    const folio = space.memory.folios.get(folioIdOf(entry));
    if (folio.kind === 'driver' || folio.isIsolated) return false;
    folio.isIsolated = true;
    this.entries.push({ space, page, folio });
    return true;
  }
}

/** Ends the isolation of every page of a list; nothing has moved. */
export function putBack({ entries }: PageList): void {
  for (const entry of entries) {
    if ('folio' in entry) entry.folio.isIsolated = false;
    else putBackRun(entry, entry.page, entry.pageCount, entry.node);
  }
}

/** Ends the isolation of ordinary pages, on whatever node they are now. */
export function putBackRun(
  { space }: Pick<IsolatedRun, 'space'>,
  page: number,
  pageCount: number,
  node: number,
): void {
  space.pages.fill(page, page + pageCount, inlineEntry(node));
}
