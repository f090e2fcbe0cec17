/**
 * One folio after the other: each is unmapped, moved, and mapped again before the next. So move the
 * huge pages of a pool on all kernels, and on 6.1 all folios.
 *
 * Source: mm/migrate.c, migrate_pages() and unmap_and_move() of Linux 6.1; migrate_hugetlbs() and
 * unmap_and_move_huge_page() of later ones.
 */

import type { MigrationMode } from '../interface/migration-event.ts';
import type { Steps } from '../memory/in-flight.ts';
import { type BatchOptions, type BatchResult, canSplit, splitItem } from './migrate-batch.ts';
import {
  type Item,
  isInVain,
  MigratingFolio,
  type MigrationRun,
  pagesOfFirst,
  pagesOfItems,
} from './migrating-folio.ts';
import { moveAtOnce } from './move-at-once.ts';
import { moveFolio } from './move-folio.ts';
import { backOut, type UnmapOutcome, unmapFolio } from './unmap-folio.ts';

/** Source: NR_MAX_MIGRATE_PAGES_RETRY; before 6.3 a literal. */
const PASSES = 10;
/** From this pass on locks and writeback are waited for. */
const PATIENT_PASS = 3;

export function* migrateOneByOne(
  run: MigrationRun,
  items: readonly Item[],
  { mode, pieces }: Pick<BatchOptions, 'mode' | 'pieces'>,
): Steps<BatchResult> {
  let failedCount = 0;
  let failedPages = 0;
  let splitCount = 0;
  let left: Item[] = [];
  let open = [...items];
  for (let pass = 0; pass < PASSES && open.length > 0; pass += 1) {
    const patience: MigrationMode = pass < PATIENT_PASS ? 'async' : mode;
    yield { step: 'pass', mode: patience, pass, note: `one by one: ${open.length}` };
    const again: Item[] = [];
    for (const [index, item] of open.entries()) {
      const attempt = { mode: patience, pass, gives: mode };
      const isStepwise = item instanceof MigratingFolio;
      const rest = isStepwise ? item : moveAtOnce(run.memory, item, run.target);
      if (rest === 'stays') again.push(item);
      if (rest === 'moved' || rest === 'stays') continue;
      const folio = rest instanceof MigratingFolio ? rest : null;
      const outcome = folio === null ? 'no-memory' : yield* unmapAndMove(run, folio, attempt);
      if (outcome === 'again') again.push(rest);
      if (outcome === 'done' || outcome === 'again') continue;
      failedCount += 1;
      const isTooLarge = outcome === 'no-memory' && folio !== null && canSplit(folio);
      if (isTooLarge && pieces !== null && !run.keepsHuge) {
        splitCount += 1;
        pieces.push(...(yield* splitItem(run, folio)));
        continue;
      }
      failedPages += pagesOfFirst(rest);
      left.push(rest);
      if (outcome === 'failed') continue;
      failedPages += pagesOfItems(again);
      left = [...left, ...again, ...open.slice(index + 1)];
      return { failedCount, failedPages, splitCount, isOutOfMemory: true, left };
    }
    const isLast = isInVain(run, open, again);
    open = again;
    if (isLast) break;
  }
  failedCount += open.length;
  failedPages += pagesOfItems(open);
  left = [...left, ...open];
  return { failedCount, failedPages, splitCount, isOutOfMemory: false, left };
}

interface PatientAttempt {
  readonly mode: MigrationMode;
  readonly pass: number;
  /** The mode of the whole call: writeback is EBUSY only where that never waits. */
  readonly gives: MigrationMode;
}

function* unmapAndMove(
  run: MigrationRun,
  item: MigratingFolio,
  { mode, pass, gives }: PatientAttempt,
): Steps<'done' | 'again' | 'failed' | 'no-memory'> {
  const attempt = { mode, pass };
  const unmapped: UnmapOutcome = yield* unmapFolio(run, item, attempt);
  if (unmapped === 'freed') return 'done';
  if (unmapped === 'busy') return gives === 'sync' ? 'again' : 'failed';
  if (unmapped !== 'unmapped') return unmapped;
  yield item.report('flush-tlb', { ...attempt, note: 'for this folio' });
  const outcome = yield* moveFolio(run, item, attempt);
  if (outcome === 'moved') return 'done';
  yield* backOut(run, item, attempt, outcome === 'again' ? 'EAGAIN' : 'EBUSY');
  return outcome;
}
