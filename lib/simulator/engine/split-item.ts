/**
 * Huge pages that are on a migration's list and become base pages there, each of which then moves
 * by itself.
 *
 * Source: mm/migrate.c, try_split_folio().
 */

import type { Steps } from '../memory/in-flight.ts';
import { splitFolio } from '../memory/split-folio.ts';
import type { Vma } from '../memory/vma.ts';
import { MigratingFolio } from './migrating-folio.ts';
import { forget, type Run } from './run.ts';

/** Nobody holds it, and nobody else has it locked. */
export function canSplit({ folio, isTransparentHuge }: MigratingFolio): boolean {
  return isTransparentHuge && !folio.isHeld && folio.lockedBy === null && folio.busyTries === 0;
}

/** Some of its pages are unmapped: newer kernels do not carry them along. */
export function isSplitFirst(item: MigratingFolio): boolean {
  const { splitsPartlyMapped } = item.memory.profile;
  return item.folio.isPartlyMapped && splitsPartlyMapped && canSplit(item);
}

export function* splitItem(run: Run, item: MigratingFolio): Steps<MigratingFolio[]> {
  const { memory, target } = run;
  const report = item.report('split', { note: `into ${item.folio.pageCount} base pages` });
  forget(run, item);
  item.folio.isIsolated = false;
  const keepsZeros = !memory.profile.splittingDropsZeros;
  const pieces = splitFolio(memory, item.folioId, { keepsZeros }).map(({ space, page }) => {
    const folioId = space.folioAt(page);
    const folio = memory.folios.get(folioId);
    folio.isIsolated = true;
    run.owner.isolated.add(folio);
    const vma = space.vmas.lookup(page) as Vma;
    return new MigratingFolio({ space, page, folio, folioId, vma }, target);
  });
  yield report;
  return pieces;
}
