/**
 * Pages taken off their lists for a migration: runs of ordinary pages, and folios. While they are
 * here nobody else can take them.
 *
 * Source: mm/vmscan.c, folio_isolate_lru(); mm/migrate.c, putback_movable_pages().
 */

import type { AddressSpace } from '../memory/address-space.ts';
import type { Folio } from '../memory/folio.ts';
import { freeIfUnused } from '../memory/memory.ts';
import {
  inlineEntry,
  isInline,
  isIsolatedInline,
  isolatedInline,
  nodeOfInline,
} from '../memory/page-entry.ts';
import type { Vma } from '../memory/vma.ts';

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
  readonly folioId: number;
  /** As it was then: it may be unmapped before the page moves. */
  readonly vma: Vma;
}

export type Isolated = IsolatedRun | IsolatedFolio;

export class PageList {
  readonly entries: Isolated[] = [];
  #toldCount = 0;

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Where migrations go step by step, all entries are folios. */
  get folios(): IsolatedFolio[] {
    return this.entries.filter((entry) => 'folio' in entry);
  }

  /** Folios that were taken since this was last asked. */
  takeUntold(): IsolatedFolio[] {
    const untold = this.entries.slice(this.#toldCount);
    this.#toldCount += untold.length;
    return untold.filter((entry) => 'folio' in entry);
  }

  /** Takes pages with equal entries; false where they are on no list, or taken already. */
  isolate(space: AddressSpace, page: number, pageCount: number): boolean {
    const { inFlight } = space.memory;
    const entry = space.pages.get(page);
    if (isInline(entry) && !inFlight.isStepped) {
      if (isIsolatedInline(entry)) return false;
      space.pages.fill(page, page + pageCount, isolatedInline(entry));
      this.entries.push({ space, page, pageCount, node: nodeOfInline(entry) });
      return true;
    }
    if (isInline(entry)) {
      for (let at = page; at < page + pageCount; at += 1) this.#isolateFolio(space, at);
      return true;
    }
    return this.#isolateFolio(space, page);
  }

  #isolateFolio(space: AddressSpace, page: number): boolean {
    const { folios, inFlight } = space.memory;
    const folioId = space.folioAt(page);
    const folio = folios.get(folioId);
    if (folio.kind === 'driver' || folio.isIsolated) return false;
    folio.isIsolated = true;
    inFlight.current?.isolated.add(folio);
    const vma = space.vmas.lookup(page) as Vma;
    this.entries.push({ space, page, folio, folioId, vma });
    return true;
  }
}

/** Ends the isolation of every page of a list; nothing has moved. */
export function putBack({ entries }: { readonly entries: readonly Isolated[] }): void {
  for (const entry of entries) {
    if ('folio' in entry) putBackFolio(entry);
    else putBackRun(entry, entry.page, entry.pageCount, entry.node);
  }
}

function putBackFolio({ space, folio, folioId }: IsolatedFolio): void {
  folio.isIsolated = false;
  space.memory.inFlight.current?.isolated.delete(folio);
  freeIfUnused(space.memory, folioId);
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
