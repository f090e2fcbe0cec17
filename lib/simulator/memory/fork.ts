/**
 * The child's copy of an address space: private pages are shared until one side writes, pinned
 * ones are copied at once, those of shared mappings are found again at the first touch. Of what is
 * wiped it has the mapping and its policy alone.
 *
 * Source: kernel/fork.c, dup_mmap(); mm/rmap.c, anon_vma_fork(); mm/memory.c, vma_needs_copy(),
 * copy_page_range() and copy_present_page().
 */

import { type FaultOutcome, faultPage, type Toucher } from './fault.ts';
import type { Folio } from './folio.ts';
import type { Mm } from './mm.ts';
import { folioIdOf, isFolio, isInline, isMigration, migratingFolioId, NONE } from './page-entry.ts';
import { forkLinks, hasFlag, NO_ANON, VM, type Vma } from './vma.ts';

/** Fills the child's empty address space. `parent` allocates what has to be copied. */
export function dupMmap(parent: Toucher, child: Mm): FaultOutcome {
  child.isWithoutHugePages = parent.mm.isWithoutHugePages;
  child.program = parent.mm.program;
  for (const vma of parent.mm.vmas) {
    if (hasFlag(vma, VM.DONTCOPY)) continue;
    const isWiped = hasFlag(vma, VM.WIPEONFORK);
    const links = isWiped ? NO_ANON : forkLinks(vma);
    child.inherit({ ...vma, ...links, flags: vma.flags & ~VM.LOCKED });
    if (isWiped) continue;
    // What faults find again is not copied: also pages of zeros where nothing else ever was.
    if (vma.anonVma === null && !hasFlag(vma, VM.MIXEDMAP | VM.IO)) continue;
    const outcome = copyPages(parent, child, vma);
    if (outcome !== 'done') return outcome;
  }
  return 'done';
}

function copyPages(parent: Toucher, child: Mm, vma: Vma): FaultOutcome {
  const { mm } = parent;
  const pinned: number[] = [];
  mm.pages.forEachRun(vma.start, vma.end, (page, pageCount, entry) => {
    if (entry === NONE) return;
    if (isMigration(entry)) mm.memory.folios.get(migratingFolioId(entry)).isExclusive = false;
    if (!isInline(entry) && !isFolio(entry)) child.pages.fill(page, page + pageCount, entry);
    else pinned.push(...sharePages(mm, child, { page, pageCount, entry }));
  });
  const { policy, counter, cpuNode, memsAllowed } = parent;
  const own = { policy, counter, cpuNode, memsAllowed };
  const toucher: Toucher = { ...own, mm: child, hintFault: () => undefined };
  for (const page of pinned) {
    // A copy is made whatever rights the mapping has.
    const outcome = faultPage(toucher, child.vmas.lookup(page) as Vma, page, 'write');
    if (outcome !== 'done') return outcome;
  }
  for (const page of pinned) {
    mm.memory.folios.get(folioIdOf(mm.pages.get(page))).isExclusive = true;
  }
  return 'done';
}

/** Both sides map the pages from now on; those that are pinned. */
function sharePages(
  mm: Mm,
  child: Mm,
  { page, pageCount, entry }: { page: number; pageCount: number; entry: number },
): number[] {
  const pinned: number[] = [];
  const isHuge = isFolio(entry) && pageCount === mm.pages.tablePages && mm.pages.isHuge(page);
  if (isHuge) {
    const folio = mm.memory.folios.get(folioIdOf(entry));
    if (folio.pins === 0 || folio.isOfPool) {
      shareFolio(mm, child, page, pageCount);
      return folio.pins === 0 ? [] : [page];
    }
    mm.pages.splitHuge(page);
  }
  for (let at = page; at < page + pageCount; at += 1) {
    if (shareFolio(mm, child, at).pins > 0) pinned.push(at);
  }
  return pinned;
}

function shareFolio(mm: Mm, child: Mm, page: number, pageCount = 1): Folio {
  const folioId = mm.folioAt(page);
  const folio = mm.memory.folios.get(folioId);
  if (folio.isOnList) folio.isExclusive = false;
  child.mapFolio(page, folioId, pageCount);
  return folio;
}
