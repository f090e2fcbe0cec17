/**
 * Moves a range's mappings and pages to other addresses.
 *
 * Source: mm/mremap.c, move_vma() and move_page_tables().
 */

import type { AddressSpace } from './address-space.ts';
import { link, unlink } from './anon-vma.ts';
import { HUGE_ZERO_PAGE, isFolio, NONE } from './page-entry.ts';

interface Run {
  readonly page: number;
  readonly pageCount: number;
  readonly entry: number;
  /** Page by page, though the entries are alike. */
  readonly isSplit: boolean;
}

/** What is mapped at the target is unmapped first. */
export function moveVmas(space: AddressSpace, start: number, end: number, target: number): void {
  const parts = space.vmas.within(start, end);
  const shift = target - start;
  space.unmap(target, target + (end - start));
  const { tablePages } = space.memory;
  if (shift % tablePages !== 0) splitTables(space, start, end);
  for (const edge of [start, end]) if (edge % tablePages !== 0) space.pages.splitHuge(edge);
  const runs = takeRuns(space, start, end);
  // The copy is there before the mapping goes.
  for (const part of parts) link(part);
  space.vmas.remove(start, end);
  for (const part of parts) {
    const isUntouched = part.object === null && part.anonVma === null;
    const offset = isUntouched ? part.start + shift : part.offset;
    const moved = { ...part, start: part.start + shift, end: part.end + shift, offset };
    space.vmas.insert(moved, { isNew: false });
    unlink(part);
  }
  for (const { page, pageCount, entry, isSplit } of runs) {
    space.pages.fill(page + shift, page + pageCount + shift, entry);
    if (isSplit) space.pages.splitHuge(page + shift);
  }
  space.moveReserved(start, end, shift);
}

function takeRuns({ pages, memory }: AddressSpace, start: number, end: number): Run[] {
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
function splitTables({ pages }: AddressSpace, start: number, end: number): void {
  const { tablePages } = pages;
  for (let page = start - (start % tablePages); page < end; page += tablePages) {
    const entry = pages.get(page);
    if (isFolio(entry) || entry === HUGE_ZERO_PAGE) pages.splitHuge(page);
  }
}
