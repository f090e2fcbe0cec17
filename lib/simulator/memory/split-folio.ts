/**
 * A large folio becomes base pages, each of which may then go its own way.
 *
 * Source: mm/huge_memory.c, split_huge_page_to_list_to_order() and __split_huge_page();
 * mm/migrate.c, try_to_map_unused_to_zeropage().
 */

import { Folio } from './folio.ts';
import type { Memory } from './memory.ts';
import type { Mm } from './mm.ts';
import { folioEntry, folioIdOf, inlineEntry, isFolio, ZERO_PAGE } from './page-entry.ts';
import { hasFlag, offsetOf, VM, type Vma } from './vma.ts';

/** Where a base page is mapped that was part of a folio. */
export interface Piece {
  readonly mm: Mm;
  readonly page: number;
}

/**
 * Splits a folio that nothing holds but its mappings; the pieces that somebody maps, by a place
 * each. Memory of the others is free again, and of those that hold only
 * zeros, if they are not kept.
 */
export function splitFolio(
  memory: Memory,
  folioId: number,
  { keepsZeros }: { keepsZeros: boolean },
): Piece[] {
  const { physical, folios, tablePages } = memory;
  const folio = folios.get(folioId);
  const places = placesOf(memory, folioId);
  folios.remove(folioId);
  physical.breakBlock(folio.node);
  const pieces: Piece[] = [];
  for (let index = 0; index < tablePages; index += 1) {
    const mappers = places.get(index) ?? [];
    if (mappers.length > 0 && mapPiece(folio, index, mappers, keepsZeros))
      pieces.push(mappers[0] as Piece);
    else physical.giveBack(folio.node, 1);
  }
  return pieces;
}

/** Which page of its folio is there: the mapping's offset tells, wherever the mapping has moved. */
export function indexInFolio(vma: Vma, page: number, { pageCount, index }: Folio): number {
  return pageCount === 1 ? 0 : offsetOf(vma, page) - index;
}

/** All places of each of its pages, by index. */
function placesOf({ mms, folios }: Memory, folioId: number): Map<number, Piece[]> {
  const folio = folios.get(folioId);
  const places = new Map<number, Piece[]>();
  for (const mm of mms) {
    mm.pages.forEachTable((first, pageCount, entry) => {
      if (!isFolio(entry) || folioIdOf(entry) !== folioId) return;
      for (let page = first; page < first + pageCount; page += 1) {
        const index = indexInFolio(mm.vmas.lookup(page) as Vma, page, folio);
        places.set(index, [...(places.get(index) ?? []), { mm, page }]);
      }
    });
  }
  return places;
}

/** False where zeros were left to the page of zeros. */
function mapPiece(
  whole: Folio,
  index: number,
  places: readonly Piece[],
  keepsZeros: boolean,
): boolean {
  const [{ mm }] = places as [Piece];
  const { pageSizeBytes } = mm.memory;
  const words = wordsOfPage(whole, index, pageSizeBytes);
  const isZero = words === null || [...words.values()].every((word) => word === 0n);
  const isDropped = isZero && !keepsZeros && !places.some(isLocked);
  const isPlain = places.length === 1 && words === null;
  const kept = (): number =>
    isPlain ? inlineEntry(whole.node) : folioEntry(newPiece(whole, words, places));
  const entry = isDropped ? ZERO_PAGE : kept();
  for (const { mm: mapper, page } of places) mapper.pages.set(page, entry);
  return !isDropped;
}

function isLocked({ mm, page }: Piece): boolean {
  const vma = mm.vmas.lookup(page);
  return vma !== undefined && hasFlag(vma, VM.LOCKED);
}

function newPiece(
  { node, isExclusive, isDirty }: Folio,
  words: Folio['words'],
  places: readonly Piece[],
): number {
  const [{ mm }] = places as [Piece];
  const piece = new Folio('anonymous', node);
  piece.mapCount = places.length;
  piece.isExclusive = isExclusive;
  piece.isDirty = isDirty;
  piece.words = words;
  return mm.memory.folios.add(piece);
}

/** What was written into one page of a folio, by byte offset in the page; null for nothing. */
export function wordsOfPage(
  { words, pageCount }: Folio,
  index: number,
  pageSizeBytes: number,
): Map<number, bigint> | null {
  if (words === null || pageCount === 1) return words === null ? null : new Map(words);
  const start = index * pageSizeBytes;
  const own = [...words].filter(([byte]) => byte >= start && byte < start + pageSizeBytes);
  return own.length === 0 ? null : new Map(own.map(([byte, word]) => [byte - start, word]));
}
