/**
 * The memory of one process: its mappings and its page table, kept consistent with each other and
 * with the nodes' free memory.
 *
 * Source: include/linux/mm_types.h, struct mm_struct; mm/memory.c, unmap_page_range().
 */

import { Folio } from './folio.ts';
import { freeIfUnused, leaveObject, type Memory } from './memory.ts';
import {
  folioEntry,
  folioIdOf,
  inlineEntry,
  isDirtyEntry,
  isFolio,
  isInline,
  isMarked,
  markedEntry,
  NONE,
  nodeOfInline,
  unmarkedEntry,
} from './page-entry.ts';
import { PageTable } from './page-table.ts';
import { offsetOf, type Vma } from './vma.ts';
import { type VmaChange, VmaSet } from './vma-set.ts';

/** What a program has from the start. */
export interface Program {
  /** Exclusive end. */
  readonly heap: { readonly start: number; readonly end: number };
  readonly stackPage: number;
  /** First page and number of pages of what the kernel maps. */
  readonly vdso: { readonly start: number; readonly pageCount: number };
  readonly vvar: { readonly start: number; readonly pageCount: number };
}

export class Mm {
  readonly memory: Memory;
  readonly vmas: VmaSet;
  readonly pages: PageTable;
  /** First pages of private huge pages that the pool has promised. */
  readonly reserved: Set<number> = new Set();
  /** prctl(PR_SET_THP_DISABLE). */
  isWithoutHugePages = false;
  /** Where numa_maps finds the heap and the stack; null in a process without a program. */
  program: Program | null = null;

  constructor(memory: Memory) {
    this.memory = memory;
    this.vmas = new VmaSet(memory.facts);
    this.pages = new PageTable(memory.tablePages);
    memory.mms.add(this);
  }

  /** Adds a mapping where there is none. */
  map(vma: Vma): void {
    if (vma.object !== null) vma.object.users += vma.end - vma.start;
    this.vmas.insert(vma, { isNew: true });
  }

  /** Makes a mapping longer, where there is none behind it. Source: vma_merge_extend(). */
  extend(vma: Vma, end: number): void {
    if (vma.object !== null) vma.object.users += end - vma.end;
    const further = { ...vma, start: vma.end, end, offset: offsetOf(vma, vma.end) };
    this.vmas.insert(further, { isNew: false });
  }

  /** Adds a parent's mapping, in ascending order; a fork joins none. Source: dup_mmap(). */
  inherit(vma: Vma): void {
    if (vma.object !== null) vma.object.users += vma.end - vma.start;
    this.vmas.append(vma);
  }

  /** Unmaps whatever there is in the range. */
  unmap(start: number, end: number): void {
    const parts = this.vmas.within(start, end);
    this.vmas.remove(start, end);
    this.#dropReserved(start, end);
    for (const part of parts) {
      this.dropPages(part.start, part.end);
      if (part.object !== null) leaveObject(this.memory, part.object, part.end - part.start);
    }
  }

  /** Takes the entries of a range away, and gives back memory that nothing else uses. */
  dropPages(start: number, end: number): void {
    for (const edge of [start, end]) {
      if (edge % this.pages.tablePages !== 0) this.pages.splitHuge(edge);
    }
    this.pages.forEachRun(start, end, (page, pageCount, entry) => {
      if (entry === NONE) return;
      this.pages.fill(page, page + pageCount, NONE);
      this.#release(entry, pageCount);
    });
  }

  #release(entry: number, pageCount: number): void {
    if (isInline(entry)) this.memory.physical.giveBack(nodeOfInline(entry), pageCount);
    if (!isFolio(entry)) return;
    const folioId = folioIdOf(entry);
    const folio = this.memory.folios.get(folioId);
    folio.mapCount -= pageCount;
    if (isDirtyEntry(entry)) folio.isDirty = true;
    if (folio.mapCount < folio.pageCount) folio.isPartlyMapped = true;
    freeIfUnused(this.memory, folioId);
  }

  /** Maps a folio's pages, from its first on, in place of whatever was there. */
  mapFolio(page: number, folioId: number, pageCount = 1): void {
    this.dropPages(page, page + pageCount);
    this.memory.folios.get(folioId).mapCount += pageCount;
    this.pages.fill(page, page + pageCount, folioEntry(folioId));
  }

  /** Puts ordinary pages of one node, which must have them available, where nothing is. */
  mapInline(page: number, pageCount: number, node: number): void {
    this.memory.physical.take(node, pageCount);
    this.pages.fill(page, page + pageCount, inlineEntry(node));
  }

  /** The folio of a present page, made of an ordinary page where it was none. */
  folioAt(page: number): number {
    const entry = this.pages.get(page);
    if (isFolio(entry)) return folioIdOf(entry);
    const folio = new Folio('anonymous', nodeOfInline(entry));
    folio.mapCount = 1;
    folio.isDirty = true;
    folio.hasMarkedEntry = isMarked(entry);
    const folioId = this.memory.folios.add(folio);
    const named = folioEntry(folioId);
    this.pages.set(page, folio.hasMarkedEntry ? markedEntry(named) : named);
    return folioId;
  }

  /** Ends balancing's wait for an access to the folio that is mapped there, as a whole. */
  unmark(page: number): void {
    const folioId = folioIdOf(this.pages.get(page));
    const { pageCount } = this.memory.folios.get(folioId);
    // Which of its pages is mapped there does not matter.
    const first = Math.max(0, page - pageCount + 1);
    this.pages.forEachRun(first, page + pageCount, (at, count, entry) => {
      if (!isMarked(entry) || folioIdOf(entry) !== folioId) return;
      this.pages.fill(at, at + count, unmarkedEntry(entry));
    });
  }

  /** Node of a present page's memory; undefined where there is no page. */
  nodeAt(page: number): number | undefined {
    const entry = this.pages.get(page);
    if (isInline(entry)) return nodeOfInline(entry);
    return isFolio(entry) ? this.memory.folios.get(folioIdOf(entry)).node : undefined;
  }

  /** Changes the attributes of mappings inside a range, cutting them where it begins and ends. */
  modify(start: number, end: number, change: VmaChange): void {
    for (const edge of [start, end]) {
      const isCut = this.vmas.splitsFor(edge, edge) > 0 && edge % this.pages.tablePages !== 0;
      if (isCut) this.pages.splitHuge(edge);
    }
    this.vmas.modify(start, end, change);
  }

  /** Promises of huge pages follow their mapping. */
  moveReserved(start: number, end: number, shift: number): void {
    const moved = this.#reservedIn(start, end);
    for (const page of moved) this.reserved.delete(page);
    for (const page of moved) this.reserved.add(page + shift);
  }

  #dropReserved(start: number, end: number): void {
    for (const page of this.#reservedIn(start, end)) {
      this.reserved.delete(page);
      this.memory.pool.unreserve(1);
    }
  }

  #reservedIn(start: number, end: number): number[] {
    const size = this.pages.tablePages;
    const first = Math.ceil(start / size);
    const count = Math.max(0, Math.ceil(end / size) - first);
    if (count > this.reserved.size) {
      return [...this.reserved].filter((page) => page >= start && page < end);
    }
    const all = Array.from({ length: count }, (_, index) => (first + index) * size);
    return all.filter((page) => this.reserved.has(page));
  }

  /** Ends with its process. */
  clear(): void {
    this.unmap(0, Number.MAX_SAFE_INTEGER);
    this.memory.mms.delete(this);
  }
}
