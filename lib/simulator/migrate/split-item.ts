/**
 * Huge pages that are on a migration's list and become base pages there, each of which then moves
 * by itself.
 *
 * Source: mm/migrate.c, try_split_folio().
 */

import type { Steps } from '../memory/in-flight.ts';
import { splitFolio } from '../memory/split-folio.ts';
import { type Item, itemsOf, type MigratingFolio } from './migrating-folio.ts';
import { PageList } from './page-list.ts';
import { forget, type MigrationRun } from './run.ts';

/** Nobody holds it, and nobody else has it locked. */
export function canSplit({ folio, isTransparentHuge }: MigratingFolio): boolean {
  return isTransparentHuge && !folio.isHeld && folio.lockedBy === null && folio.busyTries === 0;
}

/** Some of its pages are unmapped: newer kernels do not carry them along. */
export function isSplitFirst(item: MigratingFolio): boolean {
  const { splitsPartlyMapped } = item.memory.facts;
  return item.folio.isPartlyMapped && splitsPartlyMapped && canSplit(item);
}

export function* splitItem(run: MigrationRun, item: MigratingFolio): Steps<Item[]> {
  const { memory, target } = run;
  const report = item.report('split', { note: `into ${item.folio.pageCount} base pages` });
  forget(run, item);
  item.folio.isIsolated = false;
  const keepsZeros = !memory.facts.splittingDropsZeros;
  const list = new PageList(memory.inFlight);
  for (const { mm, page } of splitFolio(memory, item.folioId, { keepsZeros })) {
    list.isolate(mm, page, 1);
  }
  yield report;
  return itemsOf(list, target);
}
