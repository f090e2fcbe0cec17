/**
 * Pages taken off their lists for a migration: runs of ordinary pages, and folios. While they are
 * here nobody else can take them.
 *
 * Source: mm/vmscan.c, folio_isolate_lru(); mm/migrate.c, putback_movable_pages().
 */

import type { Folio } from '../memory/folio.ts';
import type { InFlight } from '../memory/in-flight.ts';
import { freeIfUnused } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import {
  isInline,
  isIsolatedInline,
  isolatedInline,
  listedInline,
  nodeOfInline,
} from '../memory/page-entry.ts';
import type { Vma } from '../memory/vma.ts';

/** Ordinary pages of one node, in a row. */
export interface IsolatedRun {
  readonly mm: Mm;
  readonly page: number;
  readonly pageCount: number;
  readonly node: number;
}

/** A folio, and a page that maps it. */
export interface IsolatedFolio {
  readonly mm: Mm;
  readonly page: number;
  readonly folio: Folio;
  readonly folioId: number;
  /** As it was then: it may be unmapped before the page moves. */
  readonly vma: Vma;
}

export type Isolated = IsolatedRun | IsolatedFolio;

export class PageList {
  readonly entries: Isolated[] = [];
  /** Somebody looks on: each page has a number of its own, and goes step by step. */
  readonly isWatched: boolean;
  #toldCount = 0;

  constructor({ isStepped }: InFlight) {
    this.isWatched = isStepped;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Folios that were taken since this was last asked. */
  takeUntold(): IsolatedFolio[] {
    const untold = this.entries.slice(this.#toldCount);
    this.#toldCount += untold.length;
    return untold.filter((entry) => 'folio' in entry);
  }

  /** Takes pages with equal entries; false where they are on no list, or taken already. */
  isolate(mm: Mm, page: number, pageCount: number): boolean {
    const entry = mm.pages.get(page);
    if (!isInline(entry)) return this.#isolateFolio(mm, page);
    if (this.isWatched) {
      for (let at = page; at < page + pageCount; at += 1) this.#isolateFolio(mm, at);
      return true;
    }
    if (isIsolatedInline(entry)) return false;
    mm.pages.fill(page, page + pageCount, isolatedInline(entry));
    this.entries.push({ mm, page, pageCount, node: nodeOfInline(entry) });
    return true;
  }

  #isolateFolio(mm: Mm, page: number): boolean {
    const { folios, inFlight } = mm.memory;
    const folioId = mm.folioAt(page);
    const folio = folios.get(folioId);
    if (!folio.isOnList || folio.isIsolated) return false;
    folio.isIsolated = true;
    inFlight.current?.isolated.add(folio);
    const vma = mm.vmas.lookup(page) as Vma;
    this.entries.push({ mm, page, folio, folioId, vma });
    return true;
  }
}

/** Ends the isolation of every entry. */
export function putBackAll(entries: readonly Isolated[]): void {
  for (const entry of entries) putBack(entry);
}

/** Ends the isolation of ordinary pages that have not moved, or of a folio, wherever it is now. */
export function putBack(entry: Isolated): void {
  const { mm } = entry;
  if (!('folio' in entry)) {
    const { page, pageCount } = entry;
    mm.pages.fill(page, page + pageCount, listedInline(mm.pages.get(page)));
    return;
  }
  entry.folio.isIsolated = false;
  mm.memory.inFlight.current?.isolated.delete(entry.folio);
  freeIfUnused(mm.memory, entry.folioId);
}
