/**
 * Merging of equal pages (KSM): one pass of ksmd over all mappings that allow it. A write parts a
 * page from the others again, as any write to what is shared.
 *
 * Source: mm/ksm.c, cmp_and_merge_page(), try_to_merge_two_pages() and write_protect_page(). Huge
 * pages, which the kernel splits for it, are left out.
 */

import type { Folio } from './folio.ts';
import { allocateFolio, type Memory } from './memory.ts';
import type { Mm } from './mm.ts';
import { folioIdOf, isFolio, isInline, isPage } from './page-entry.ts';
import { hasFlag, VM } from './vma.ts';

/** Default of max_page_sharing. */
const SHARING_MAX = 256;

/** A page that may be merged. */
interface Candidate {
  readonly mm: Mm;
  readonly page: number;
}

/** Pages by their contents. */
type Trees = Map<string, { stable: number | null; unstable: Candidate | null }>;

export function mergeEqualPages(memory: Memory): void {
  const trees: Trees = new Map();
  for (const mm of memory.mms) {
    for (const { mm: owner, page } of candidatesOf(mm)) {
      mergePage(memory, trees, { mm: owner, page });
    }
  }
}

/** Pages of a process that are merged now: ksm_merging_pages. */
export function mergedPageCount({ pages, vmas, memory }: Mm): number {
  let count = 0;
  for (const { start, end } of vmas) {
    pages.forEachRun(start, end, (_page, pageCount, entry) => {
      const isMerged = isFolio(entry) && memory.folios.get(folioIdOf(entry)).isMerged;
      if (isMerged) count += pageCount;
    });
  }
  return count;
}

function candidatesOf(mm: Mm): Candidate[] {
  const found: Candidate[] = [];
  for (const vma of mm.vmas) {
    if (!hasFlag(vma, VM.MERGEABLE) || hasFlag(vma, VM.SHARED)) continue;
    mm.pages.forEachRun(vma.start, vma.end, (page, pageCount, entry) => {
      if (!isPage(entry) || !isMergeable(mm, entry)) return;
      for (let at = page; at < page + pageCount; at += 1) found.push({ mm, page: at });
    });
  }
  return found;
}

/** Anonymous, and held by nobody who could write without being noticed. */
function isMergeable({ memory }: Mm, entry: number): boolean {
  if (isInline(entry)) return true;
  const folio = memory.folios.get(folioIdOf(entry));
  if (folio.isInFlight) return false;
  if (folio.isMerged) return true;
  return folio.kind === 'anonymous' && folio.pageCount === 1 && !folio.isHeld;
}

function mergePage(memory: Memory, trees: Trees, { mm, page }: Candidate): void {
  const folioId = mm.folioAt(page);
  const folio = memory.folios.get(folioId);
  const key = contentsOf(folio);
  const tree = trees.get(key) ?? { stable: null, unstable: null };
  trees.set(key, tree);
  if (folio.isMerged) {
    if (folio.mapCount < SHARING_MAX) tree.stable ??= folioId;
  } else if (tree.stable !== null) {
    mm.mapFolio(page, tree.stable);
    if (memory.folios.get(tree.stable).mapCount >= SHARING_MAX) tree.stable = null;
  } else if (tree.unstable === null) {
    tree.unstable = { mm, page };
  } else {
    // The page met second is the one that is kept.
    tree.stable = allocateFolio(memory, 'merged', folio.node);
    const merged = memory.folios.get(tree.stable);
    merged.words = folio.words;
    mm.mapFolio(page, tree.stable);
    tree.unstable.mm.mapFolio(tree.unstable.page, tree.stable);
    tree.unstable = null;
  }
}

/** Equal for equal contents. */
function contentsOf({ words }: Folio): string {
  const written = [...(words ?? [])].filter(([, word]) => word !== 0n);
  return written
    .sort(([a], [b]) => a - b)
    .map(([place, word]) => `${place}:${word}`)
    .join();
}
