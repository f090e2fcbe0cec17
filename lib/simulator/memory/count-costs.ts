/** What accesses, walks and moves are about, for whoever counts their cost. */

import type { CostAccount, CountedFolios } from '../cost/cost-ledger.ts';
import type { Toucher } from './fault.ts';
import type { Folio } from './folio.ts';
import type { Mm } from './mm.ts';
import { folioIdOf, isFolio, isInline, isZeroPage, NONE, nodeOfInline } from './page-entry.ts';

/** Each of the pages has been accessed once. Memory of devices is on no node. */
export function countTouches({ mm, cpuNode }: Toucher, start: number, end: number): void {
  const { costs } = mm.memory;
  if (costs === null) return;
  const pageCounts = new Map<number, number>();
  mm.pages.forEachRun(start, end, (_page, pageCount, entry) => {
    pageCounts.set(entry, (pageCounts.get(entry) ?? 0) + pageCount);
  });
  for (const [entry, pageCount] of pageCounts) {
    const node = nodeOf(mm, entry);
    if (node !== undefined) costs.countTouches(cpuNode, node, pageCount);
  }
}

function nodeOf({ memory }: Mm, entry: number): number | undefined {
  if (isInline(entry)) return nodeOfInline(entry);
  if (isZeroPage(entry)) return memory.zeroPageNode;
  return isFolio(entry) ? memory.folios.get(folioIdOf(entry)).node : undefined;
}

/**
 * A walk meets each entry of the tables that are there; a huge page has one.
 * Source: mm/pagewalk.c, walk_pmd_range().
 */
export function countWalk(account: CostAccount, mm: Mm, start: number, end: number): void {
  let entryCount = 0;
  mm.pages.forEachPart(start, end, (_page, pageCount, entries) => {
    if (entries === NONE) return;
    entryCount += typeof entries === 'number' && isMappedAtOnce(mm, entries) ? 1 : pageCount;
  });
  account.countWalk(entryCount);
}

function isMappedAtOnce({ memory, pages }: Mm, entry: number): boolean {
  if (!isFolio(entry)) return false;
  return memory.folios.get(folioIdOf(entry)).pageCount === pages.tablePages;
}

/** Ordinary pages: each is a folio that one entry maps. */
export function ordinaryFolios(pageCount: number): CountedFolios {
  return { folioCount: pageCount, pageCount, entryCount: pageCount };
}

/** A folio that is mapped at that page, as there everywhere: by an entry for each page, or one. */
export function oneFolio({ pages }: Mm, page: number, folio: Folio): CountedFolios {
  const { pageCount, mapCount } = folio;
  const isWhole = pageCount === pages.tablePages && pages.isHuge(page);
  return { folioCount: 1, pageCount, entryCount: isWhole ? mapCount / pageCount : mapCount };
}
