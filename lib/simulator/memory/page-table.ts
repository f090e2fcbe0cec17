/**
 * The page table of one address space. Entries are kept by tables of as many as one page holds, as
 * the kernel's last level: a table whose entries are all alike is a single number, an untouched one
 * is nothing, so that a machine of terabytes fits.
 */

import { HUGE_ZERO_PAGE, NONE, ZERO_PAGE } from './page-entry.ts';

/** Called for consecutive pages with equal entries. */
export type VisitRun = (page: number, pageCount: number, entry: number) => void;

/** Called for consecutive pages of one table; `entries[offset]` is the first one's. */
export type VisitPart = (
  page: number,
  pageCount: number,
  entries: number | Uint32Array,
  offset: number,
) => void;

export class PageTable {
  /** Entries of one table: what a huge page replaces. */
  readonly tablePages: number;
  readonly #tables = new Map<number, number | Uint32Array>();

  constructor(tablePages: number) {
    this.tablePages = tablePages;
  }

  get(page: number): number {
    const table = this.#tables.get(Math.floor(page / this.tablePages));
    if (table === undefined) return NONE;
    return typeof table === 'number' ? table : (table[page % this.tablePages] as number);
  }

  set(page: number, entry: number): void {
    this.fill(page, page + 1, entry);
  }

  /** Gives all pages from `start` up to `end`, exclusive, one entry. */
  fill(start: number, end: number, entry: number): void {
    const size = this.tablePages;
    for (let page = start; page < end; ) {
      const index = Math.floor(page / size);
      const first = index * size;
      const last = Math.min(end, first + size);
      if (page === first && last === first + size) this.#setUniform(index, entry);
      else this.#entriesFor(index, entry)?.fill(entry, page - first, last - first);
      page = last;
    }
  }

  #setUniform(index: number, entry: number): void {
    if (entry === NONE) this.#tables.delete(index);
    else this.#tables.set(index, entry);
  }

  /** The table's own entries, made where it had none; undefined where they hold `entry` already. */
  #entriesFor(index: number, entry: number): Uint32Array | undefined {
    const table = this.#tables.get(index) ?? NONE;
    if (typeof table !== 'number') return table;
    if (table === entry) return undefined;
    const entries = new Uint32Array(this.tablePages).fill(table);
    this.#tables.set(index, entries);
    return entries;
  }

  /** Whether a whole table's pages are mapped by one entry, as a huge page is. */
  isHuge(page: number): boolean {
    return typeof this.#tables.get(Math.floor(page / this.tablePages)) === 'number';
  }

  /** Gives each page of a table an entry of its own. Source: __split_huge_pmd(). */
  splitHuge(page: number): void {
    const index = Math.floor(page / this.tablePages);
    const table = this.#tables.get(index);
    if (typeof table !== 'number') return;
    const entry = table === HUGE_ZERO_PAGE ? ZERO_PAGE : table;
    this.#tables.set(index, new Uint32Array(this.tablePages).fill(entry));
  }

  /** Visits every page of the range, by tables: one entry for all, or an entry for each, which the
   *  visitor may change. */
  forEachPart(start: number, end: number, visit: VisitPart): void {
    const size = this.tablePages;
    for (let page = start; page < end; ) {
      const index = Math.floor(page / size);
      const first = index * size;
      const last = Math.min(end, first + size);
      visit(page, last - page, this.#tables.get(index) ?? NONE, page - first);
      page = last;
    }
  }

  /** Number of pages from `start` on, below `end`, that have one entry. */
  runLength(start: number, end: number): number {
    const size = this.tablePages;
    const entry = this.get(start);
    for (let page = start; page < end; ) {
      const index = Math.floor(page / size);
      const first = index * size;
      const last = Math.min(end, first + size);
      const table = this.#tables.get(index) ?? NONE;
      if (typeof table === 'number') {
        if (table !== entry) return page - start;
        page = last;
      } else {
        for (; page < last; page += 1) if (table[page - first] !== entry) return page - start;
      }
    }
    return Math.max(0, end - start);
  }

  /** Visits every page of the range, by runs of equal entries. The visitor may change its run. */
  forEachRun(start: number, end: number, visit: VisitRun): void {
    const size = this.tablePages;
    let runStart = start;
    let runEntry = -1;
    const close = (page: number): void => {
      if (runEntry >= 0 && page > runStart) visit(runStart, page - runStart, runEntry);
    };
    for (let page = start; page < end; ) {
      const index = Math.floor(page / size);
      const first = index * size;
      const last = Math.min(end, first + size);
      const table = this.#tables.get(index) ?? NONE;
      if (typeof table === 'number') {
        if (table !== runEntry) {
          close(page);
          [runStart, runEntry] = [page, table];
        }
      } else {
        for (let at = page - first; at < last - first; at += 1) {
          const entry = table[at] as number;
          if (entry === runEntry) continue;
          close(first + at);
          [runStart, runEntry] = [first + at, entry];
        }
      }
      page = last;
    }
    close(end);
  }

  /** Visits the tables that hold something, in ascending order. */
  forEachTable(visit: VisitRun): void {
    const size = this.tablePages;
    for (const index of [...this.#tables.keys()].sort((a, b) => a - b)) {
      this.forEachRun(index * size, (index + 1) * size, visit);
    }
  }
}
