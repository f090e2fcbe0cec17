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
  isFolio,
  isInline,
  NONE,
  nodeOfInline,
} from './page-entry.ts';
import { PageTable } from './page-table.ts';
import type { Vma } from './vma.ts';
import { VmaSet } from './vma-set.ts';

export class AddressSpace {
  readonly memory: Memory;
  readonly vmas: VmaSet = new VmaSet();
  readonly pages: PageTable;

  constructor(memory: Memory) {
    this.memory = memory;
    this.pages = new PageTable(memory.tablePages);
  }

  /** Adds a mapping where there is none. */
  map(vma: Vma): void {
    if (vma.object !== null) vma.object.users += vma.end - vma.start;
    this.vmas.insert(vma);
  }

  /** Unmaps whatever there is in the range. */
  unmap(start: number, end: number): void {
    const parts = this.vmas.within(start, end);
    this.vmas.remove(start, end);
    for (const part of parts) {
      this.dropPages(part.start, part.end);
      if (part.object !== null) leaveObject(this.memory, part.object, part.end - part.start);
    }
  }

  /** Takes the entries of a range away, and gives back memory that nothing else uses. */
  dropPages(start: number, end: number): void {
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
    this.memory.folios.get(folioId).mapCount -= pageCount;
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
    const folioId = this.memory.folios.add(folio);
    this.pages.set(page, folioEntry(folioId));
    return folioId;
  }

  /** Node of a present page's memory; undefined where there is no page. */
  nodeAt(page: number): number | undefined {
    const entry = this.pages.get(page);
    if (isInline(entry)) return nodeOfInline(entry);
    return isFolio(entry) ? this.memory.folios.get(folioIdOf(entry)).node : undefined;
  }

  /** Moves a range's mappings and pages to another place, which is unmapped first. */
  move(start: number, end: number, target: number): void {
    const parts = this.vmas.within(start, end);
    this.unmap(target, target + (end - start));
    const shift = target - start;
    const entries: [number, number, number][] = [];
    this.pages.forEachRun(start, end, (...run) => void entries.push(run));
    this.pages.fill(start, end, NONE);
    this.vmas.remove(start, end);
    for (const part of parts) {
      const isUntouched = part.object === null && part.anonVma === null;
      const offset = isUntouched ? part.start + shift : part.offset;
      const moved = { ...part, start: part.start + shift, end: part.end + shift, offset };
      this.vmas.insert(moved);
    }
    for (const [page, pageCount, entry] of entries) {
      if (entry !== NONE) this.pages.fill(page + shift, page + pageCount + shift, entry);
    }
  }

  /** Ends with its process. */
  clear(): void {
    for (const { start, end } of this.vmas) this.unmap(start, end);
  }
}
