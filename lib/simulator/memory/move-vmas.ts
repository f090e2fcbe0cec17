/**
 * Moves a range's mappings and pages to other addresses.
 *
 * Source: mm/mremap.c, move_vma() and move_page_tables().
 */

import { link, unlink } from './anon-vma.ts';
import type { Mm } from './mm.ts';
import { HUGE_ZERO_PAGE, isFolio, NONE } from './page-entry.ts';
import type { EntryRun } from './page-table.ts';

interface Run extends EntryRun {
  /** Page by page, though the entries are alike. */
  readonly isSplit: boolean;
}

/** What is mapped at the target is unmapped first. */
export function moveVmas(mm: Mm, start: number, end: number, target: number): void {
  const parts = mm.vmas.within(start, end);
  const shift = target - start;
  mm.unmap(target, target + (end - start));
  const { tablePages } = mm.memory;
  if (shift % tablePages !== 0) splitTables(mm, start, end);
  for (const edge of [start, end]) if (edge % tablePages !== 0) mm.pages.splitHuge(edge);
  const runs = takeRuns(mm, start, end);
  // The copy is there before the mapping goes.
  for (const part of parts) link(part);
  mm.vmas.remove(start, end);
  for (const part of parts) {
    const isUntouched = part.object === null && part.anonVma === null;
    const offset = isUntouched ? part.start + shift : part.offset;
    const moved = { ...part, start: part.start + shift, end: part.end + shift, offset };
    mm.vmas.insert(moved, { isNew: false });
    unlink(part);
  }
  for (const { page, pageCount, entry, isSplit } of runs) {
    mm.pages.fill(page + shift, page + pageCount + shift, entry);
    if (isSplit) mm.pages.splitHuge(page + shift);
  }
  mm.moveReserved(start, end, shift);
}

function takeRuns({ pages, memory }: Mm, start: number, end: number): Run[] {
  const runs: Run[] = [];
  pages.forEachRun(start, end, (page, pageCount, entry) => {
    if (entry === NONE) return;
    const isWholeTable = isFolio(entry) && pageCount === memory.tablePages;
    runs.push({ page, pageCount, entry, isSplit: isWholeTable && !pages.isHuge(page) });
  });
  pages.fill(start, end, NONE);
  return runs;
}

/** A huge page that does not fit its new address stays one piece, mapped page by page. */
function splitTables({ pages }: Mm, start: number, end: number): void {
  const { tablePages } = pages;
  for (let page = start - (start % tablePages); page < end; page += tablePages) {
    const entry = pages.get(page);
    if (isFolio(entry) || entry === HUGE_ZERO_PAGE) pages.splitHuge(page);
  }
}
