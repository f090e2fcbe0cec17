/**
 * The child's copy of an address space: private pages are shared until one side writes, pinned
 * ones are copied at once, those of shared mappings are found again at the first touch.
 *
 * Source: kernel/fork.c, dup_mmap(); mm/rmap.c, anon_vma_fork(); mm/memory.c, vma_needs_copy(),
 * copy_page_range() and copy_present_page().
 */

import type { AddressSpace } from './address-space.ts';
import { forkLinks } from './anon-vma.ts';
import { type FaultOutcome, faultPage, type Toucher } from './fault.ts';
import type { Folio } from './folio.ts';
import { folioIdOf, isFolio, isInline, isMigration, migratingFolioId, NONE } from './page-entry.ts';
import { hasFlag, VM, type Vma } from './vma.ts';

/** Fills the child's empty address space. `parent` allocates what has to be copied. */
export function copyAddressSpace(parent: Toucher, child: AddressSpace): FaultOutcome {
  child.isWithoutHugePages = parent.space.isWithoutHugePages;
  child.program = parent.space.program;
  for (const vma of parent.space.vmas) {
    if (hasFlag(vma, VM.DONTCOPY)) continue;
    child.inherit({ ...vma, ...forkLinks(vma), flags: vma.flags & ~VM.LOCKED });
    // What faults find again is not copied: also pages of zeros where nothing else ever was.
    if (vma.anonVma === null && !hasFlag(vma, VM.MIXEDMAP | VM.IO)) continue;
    const outcome = copyPages(parent, child, vma);
    if (outcome !== 'done') return outcome;
  }
  return 'done';
}

function copyPages(parent: Toucher, child: AddressSpace, vma: Vma): FaultOutcome {
  const { space } = parent;
  const pinned: number[] = [];
  space.pages.forEachRun(vma.start, vma.end, (page, pageCount, entry) => {
    if (entry === NONE) return;
    if (isMigration(entry)) space.memory.folios.get(migratingFolioId(entry)).isExclusive = false;
    if (!isInline(entry) && !isFolio(entry)) child.pages.fill(page, page + pageCount, entry);
    else pinned.push(...sharePages(space, child, { page, pageCount, entry }));
  });
  const { policy, counter, cpuNode, memsAllowed } = parent;
  const own = { policy, counter, cpuNode, memsAllowed };
  const toucher: Toucher = { ...own, space: child, hintFault: () => undefined };
  for (const page of pinned) {
    // A copy is made whatever rights the mapping has.
    const outcome = faultPage(toucher, child.vmas.lookup(page) as Vma, page, 'write');
    if (outcome !== 'done') return outcome;
  }
  for (const page of pinned) {
    space.memory.folios.get(folioIdOf(space.pages.get(page))).isExclusive = true;
  }
  return 'done';
}

/** Both sides map the pages from now on; those that are pinned. */
function sharePages(
  space: AddressSpace,
  child: AddressSpace,
  { page, pageCount, entry }: { page: number; pageCount: number; entry: number },
): number[] {
  const pinned: number[] = [];
  const isHuge = isFolio(entry) && pageCount === space.pages.tablePages && space.pages.isHuge(page);
  if (isHuge) {
    const folio = space.memory.folios.get(folioIdOf(entry));
    if (folio.pins === 0 || folio.isOfPool) {
      shareFolio(space, child, page, pageCount);
      return folio.pins === 0 ? [] : [page];
    }
    space.pages.splitHuge(page);
  }
  for (let at = page; at < page + pageCount; at += 1) {
    if (shareFolio(space, child, at).pins > 0) pinned.push(at);
  }
  return pinned;
}

function shareFolio(space: AddressSpace, child: AddressSpace, page: number, pageCount = 1): Folio {
  const folioId = space.folioAt(page);
  const folio = space.memory.folios.get(folioId);
  if (folio.isOnList) folio.isExclusive = false;
  child.mapFolio(page, folioId, pageCount);
  return folio;
}
