/**
 * The page table of one address space. Entries are kept by tables of as many as one page holds, as
 * the kernel's last level: a table whose entries are all alike is a single number, an untouched one
 * is nothing, so that a machine of terabytes fits.
 */

import { lowerBound, type Span } from '../../core/sorted-spans.ts';
import { HUGE_ZERO_PAGE, isZeroPage, NONE, ZERO_PAGE } from './page-entry.ts';
import { TableSlabs } from './table-slabs.ts';

/** Consecutive pages with equal entries. */
export interface EntryRun {
  readonly page: number;
  readonly pageCount: number;
  readonly entry: number;
}

/** Called for consecutive pages with equal entries. */
export type VisitRun = (page: number, pageCount: number, entry: number) => void;

/** Called for consecutive pages: of one table, where `entries[offset]` is the first one's, or with
 *  one entry for all, which may be as many tables without entries as there are in a row. */
export type VisitPart = (
  page: number,
  pageCount: number,
  entries: number | Uint32Array,
  offset: number,
) => void;

export class PageTable {
  /** Entries of one table: what a huge page replaces. */
  readonly tablePages: number;
  /** By index: the entry that all pages of the table have, or the table as `namedTable` has it. */
  readonly #tables = new Map<number, number>();
  readonly #slabs: TableSlabs;
  /** The numbers of all tables, ascending; null after a change, until somebody asks. */
  #order: number[] | null = null;
  /** Told of pages that hold nothing any more, or only zeros. */
  whenEmptied: ((start: number, end: number) => void) | null = null;
  /** Told of pages that hold something now. */
  whenFilled: ((start: number, end: number) => void) | null = null;

  constructor(tablePages: number) {
    this.tablePages = tablePages;
    this.#slabs = new TableSlabs(tablePages);
  }

  get(page: number): number {
    const size = this.tablePages;
    const known = this.#tables.get(Math.floor(page / size));
    if (known === undefined) return NONE;
    if (isEntry(known)) return known;
    const table = namedTable(known);
    return this.#slabs.entriesOf(table)[this.#slabs.offsetOf(table) + (page % size)] as number;
  }

  set(page: number, entry: number): void {
    this.fill(page, page + 1, entry);
  }

  /** Gives all pages from `start` up to `end`, exclusive, one entry. */
  fill(start: number, end: number, entry: number): void {
    const size = this.tablePages;
    if (entry === NONE || isZeroPage(entry)) this.whenEmptied?.(start, end);
    else this.whenFilled?.(start, end);
    if (entry === NONE && end - start > size) {
      for (const index of this.#tablesIn(start, end)) this.#fillTable(index, start, end, NONE);
      return;
    }
    for (let index = Math.floor(start / size); index * size < end; index += 1) {
      this.#fillTable(index, start, end, entry);
    }
  }

  /** As far as the range lies in the table. */
  #fillTable(index: number, start: number, end: number, entry: number): void {
    const size = this.tablePages;
    const first = index * size;
    const page = Math.max(start, first);
    const last = Math.min(end, first + size);
    if (page === first && last === first + size) this.#setUniform(index, entry);
    else if ((this.#tables.get(index) ?? NONE) !== entry) {
      const { entries, offset } = this.#own(index);
      entries.fill(entry, offset + page - first, offset + last - first);
    }
  }

  /** Gives pages of one folio another entry; they stay mapped as they are, as one or each. */
  replace(page: number, pageCount: number, entry: number): void {
    const isWhole = this.isHuge(page);
    this.fill(page, page + pageCount, entry);
    if (!isWhole) this.splitHuge(page);
  }

  /** Gives pages that have none yet the entries of `turns`, over and over, from `turn` on. */
  fillInTurns(start: number, end: number, turns: Uint32Array, turn: number): void {
    this.whenFilled?.(start, end);
    let next = turn;
    for (let page = start; page < end; ) {
      const index = Math.floor(page / this.tablePages);
      const first = index * this.tablePages;
      const last = Math.min(end, first + this.tablePages);
      const { entries, offset } = this.#own(index);
      for (let at = offset + page - first; at < offset + last - first; at += 1) {
        entries[at] = turns[next] as number;
        next = next + 1 === turns.length ? 0 : next + 1;
      }
      page = last;
    }
  }

  #setUniform(index: number, entry: number): void {
    const known = this.#tables.get(index);
    if (known !== undefined && !isEntry(known)) this.#slabs.release(namedTable(known));
    if (entry === NONE) {
      if (this.#tables.delete(index)) this.#order = null;
    } else this.#setTable(index, entry);
  }

  #setTable(index: number, known: number): void {
    if (this.#order !== null && !this.#tables.has(index)) this.#order = null;
    this.#tables.set(index, known);
  }

  /** The tables of the range that hold something, ascending: no more work than there are. */
  *#tablesIn(start: number, end: number): Generator<number> {
    const size = this.tablePages;
    if ((end - start) / size <= Math.max(1, this.#tables.size)) {
      for (let index = Math.floor(start / size); index * size < end; index += 1) {
        if (this.#tables.has(index)) yield index;
      }
      return;
    }
    this.#order ??= [...this.#tables.keys()].sort((a, b) => a - b);
    const order = this.#order;
    const first = lowerBound(order, (index) => (index + 1) * size > start);
    for (let at = first; at < order.length; at += 1) {
      const index = order[at] as number;
      if (index * size >= end) return;
      yield index;
    }
  }

  /** The table's own entries, from `offset` on; made where it had none. */
  #own(index: number): { readonly entries: Uint32Array; readonly offset: number } {
    const known = this.#tables.get(index) ?? NONE;
    const table = isEntry(known) ? this.#slabs.allocate() : namedTable(known);
    const entries = this.#slabs.entriesOf(table);
    const offset = this.#slabs.offsetOf(table);
    if (isEntry(known)) {
      entries.fill(known, offset, offset + this.tablePages);
      this.#setTable(index, namedTable(table));
    }
    return { entries, offset };
  }

  /** The parts of a range, ascending, whose tables hold something. */
  *partsWithTables(start: number, end: number): Generator<Span> {
    const size = this.tablePages;
    for (const index of this.#tablesIn(start, end)) {
      yield { start: Math.max(start, index * size), end: Math.min(end, (index + 1) * size) };
    }
  }

  /** Where the page's table ends, exclusive: what lies behind may be mapped otherwise. */
  tableEnd(page: number): number {
    return (Math.floor(page / this.tablePages) + 1) * this.tablePages;
  }

  /** Whether a whole table's pages are mapped by one entry, as a huge page is. */
  isHuge(page: number): boolean {
    const known = this.#tables.get(Math.floor(page / this.tablePages));
    return known !== undefined && isEntry(known);
  }

  /** Gives each page of a table an entry of its own. Source: __split_huge_pmd(). */
  splitHuge(page: number): void {
    const index = Math.floor(page / this.tablePages);
    const known = this.#tables.get(index);
    if (known === undefined || !isEntry(known)) return;
    const { entries, offset } = this.#own(index);
    if (known === HUGE_ZERO_PAGE) entries.fill(ZERO_PAGE, offset, offset + this.tablePages);
  }

  /** Visits every page of the range, by tables: one entry for all, or an entry for each, which the
   *  visitor may change. */
  forEachPart(start: number, end: number, visit: VisitPart): void {
    let page = start;
    for (const index of this.#tablesIn(start, end)) {
      const first = Math.max(start, index * this.tablePages);
      if (first > page) visit(page, first - page, NONE, 0);
      page = Math.min(end, (index + 1) * this.tablePages);
      const known = this.#tables.get(index) ?? NONE;
      if (isEntry(known)) visit(first, page - first, known, 0);
      else {
        const table = namedTable(known);
        const offset = this.#slabs.offsetOf(table) + (first % this.tablePages);
        visit(first, page - first, this.#slabs.entriesOf(table), offset);
      }
    }
    if (page < end) visit(page, end - page, NONE, 0);
  }

  /** Number of pages from `start` on, below `end`, that have one entry. */
  runLength(start: number, end: number): number {
    const entry = this.get(start);
    for (let page = start; page < end; ) {
      const last = Math.min(end, (Math.floor(page / this.tablePages) + 1) * this.tablePages);
      const known = this.#tables.get(Math.floor(page / this.tablePages)) ?? NONE;
      if (isEntry(known)) {
        if (known !== entry) return page - start;
      } else {
        const table = namedTable(known);
        const entries = this.#slabs.entriesOf(table);
        const offset = this.#slabs.offsetOf(table) + (page % this.tablePages);
        const offsetEnd = offset + last - page;
        for (let at = offset; at < offsetEnd; at += 1) {
          if (entries[at] !== entry) return page + at - offset - start;
        }
      }
      page = last;
    }
    return Math.max(0, end - start);
  }

  /** Visits every page of the range, by runs of equal entries. The visitor may change its run. */
  forEachRun(start: number, end: number, visit: VisitRun): void {
    let runStart = start;
    let runEntry = -1;
    const close = (page: number): void => {
      if (runEntry >= 0 && page > runStart) visit(runStart, page - runStart, runEntry);
    };
    this.forEachPart(start, end, (page, pageCount, entries, offset) => {
      if (typeof entries === 'number') {
        if (entries === runEntry) return;
        close(page);
        [runStart, runEntry] = [page, entries];
        return;
      }
      for (let index = 0; index < pageCount; index += 1) {
        const entry = entries[offset + index] as number;
        if (entry === runEntry) continue;
        close(page + index);
        [runStart, runEntry] = [page + index, entry];
      }
    });
    close(end);
  }

  /** Visits the tables that hold something, in ascending order. */
  forEachTable(visit: VisitRun): void {
    const size = this.tablePages;
    for (const index of this.#tablesIn(0, Number.MAX_SAFE_INTEGER)) {
      this.forEachRun(index * size, (index + 1) * size, visit);
    }
  }
}

/** Whether it stands for itself: tables are below 0, where the engine keeps no number apart. */
function isEntry(known: number): boolean {
  return known >= 0;
}

/** A table's number as the page table has it, and back. */
function namedTable(table: number): number {
  return -1 - table;
}
