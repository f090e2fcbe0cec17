/**
 * The child's copy of an address space: private pages are shared until one side writes, pinned
 * ones are copied at once, those of shared mappings are found again at the first touch.
 *
 * Source: kernel/fork.c, dup_mmap(); mm/memory.c, copy_page_range() and copy_present_page().
 */

import type { AddressSpace } from './address-space.ts';
import { type FaultOutcome, type Toucher, touchPages } from './fault.ts';
import type { Folio } from './folio.ts';
import { folioIdOf, isFolio, isInline, NONE } from './page-entry.ts';
import { hasFlag, VM, type Vma } from './vma.ts';

/** Fills the child's empty address space. `parent` allocates what has to be copied. */
export function copyAddressSpace(parent: Toucher, child: AddressSpace): FaultOutcome {
  for (const vma of parent.space.vmas) {
    if (hasFlag(vma, VM.DONTCOPY)) continue;
    child.map({ ...vma, flags: vma.flags & ~VM.LOCKED });
    if (hasFlag(vma, VM.SHARED)) continue;
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
    if (!isInline(entry) && !isFolio(entry)) {
      child.pages.fill(page, page + pageCount, entry);
      return;
    }
    for (let at = page; at < page + pageCount; at += 1) {
      const folio = shareFolio(space, child, at);
      if (folio.pins > 0) pinned.push(at);
    }
  });
  const toucher = { ...parent, space: child };
  for (const page of pinned) {
    const outcome = touchPages(toucher, page, page + 1, 'write');
    if (outcome !== 'done') return outcome;
    space.memory.folios.get(folioIdOf(space.pages.get(page))).isExclusive = true;
  }
  return 'done';
}

/** Both sides map the page from now on. */
function shareFolio(space: AddressSpace, child: AddressSpace, page: number): Folio {
  const folioId = space.folioAt(page);
  const folio = space.memory.folios.get(folioId);
  folio.isExclusive = false;
  child.mapFolio(page, folioId);
  return folio;
}
