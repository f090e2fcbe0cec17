/**
 * The first half of moving a folio: a target, both locks, and migration entries in place of all
 * entries that map it. Where something is in the way, everything is as it was before.
 *
 * Source: mm/migrate.c, migrate_folio_unmap(), migrate_folio_undo_src() and
 * migrate_folio_undo_dst(); mm/rmap.c, try_to_migrate().
 */

import { oneFolio } from '../memory/count-costs.ts';
import type { Steps } from '../memory/in-flight.ts';
import {
  type FolioAttempt,
  forget,
  type MigratingFolio,
  type MigrationRun,
  mayBePinned,
  unlock,
} from './migrating-folio.ts';
import { mappingsOf, operations } from './operations.ts';
import { allocateTarget, freeTarget } from './target-folio.ts';

/**
 * `again`: EAGAIN, the next pass may succeed. `busy`: EBUSY, this round has no further try.
 * `freed`: nobody has the folio any more.
 */
export type UnmapOutcome = 'unmapped' | 'again' | 'busy' | 'no-memory' | 'freed';

export function* unmapFolio(
  run: MigrationRun,
  item: MigratingFolio,
  attempt: FolioAttempt,
): Steps<UnmapOutcome> {
  if (isFreed(item)) return yield* dropFreed(run, item);
  if (!allocateTarget(run, item)) {
    yield item.report('allocate-target', { ...attempt, note: 'ENOMEM: no node has room' });
    return 'no-memory';
  }
  const where = `on node ${item.target.node}`;
  yield item.report('allocate-target', { ...attempt, note: where });
  const locked = yield* lockSource(run, item, attempt);
  if (locked !== 'locked') return locked;
  item.target.lockedBy = run.owner;
  yield item.report('lock-target', attempt);
  const counted = mayBePinned(item.folio) ? null : oneFolio(item.mm, item.page, item.folio);
  if (counted !== null) run.target.account?.countUnmapped(counted);
  const isUnmapped = yield* unmapAll(run, item, attempt);
  if (isUnmapped) return 'unmapped';
  yield* backOut(run, item, attempt, 'EAGAIN: still mapped');
  return 'again';
}

/** Whether the migration's own reference is the only one. */
function isFreed({ folio, folioId }: MigratingFolio): boolean {
  const isKept = folio.object?.pages.get(folio.index) === folioId;
  return folio.mapCount === 0 && !folio.isHeld && !isKept;
}

function* dropFreed(run: MigrationRun, item: MigratingFolio): Steps<UnmapOutcome> {
  forget(run, item);
  const report = item.report('freed-meanwhile', { note: 'nobody has the folio any more' });
  operations.putBack(run.memory, item.folio, item.folioId);
  yield report;
  return 'freed';
}

/** Whoever waits holds nothing that another migration could wait for. */
function* lockSource(
  run: MigrationRun,
  item: MigratingFolio,
  attempt: FolioAttempt,
): Steps<'locked' | 'again' | 'busy'> {
  const { folio } = item;
  const isPatient = attempt.mode === 'sync';
  while (folio.lockedBy !== null) {
    if (!isPatient) {
      yield* backOut(run, item, attempt, 'EAGAIN: somebody else has the lock');
      return 'again';
    }
    yield item.report('wait-lock', { ...attempt, waitsFor: folio });
  }
  folio.lockedBy = run.owner;
  yield item.report('lock-source', attempt);
  while (folio.writebackTries > 0) {
    folio.writebackTries -= 1;
    if (!isPatient) {
      yield* backOut(run, item, attempt, 'EBUSY: under writeback');
      return 'busy';
    }
    yield item.report('wait-writeback', attempt);
  }
  return 'locked';
}

/** Each mapping in turn; false where one is left. */
function* unmapAll(
  { memory }: MigrationRun,
  item: MigratingFolio,
  attempt: FolioAttempt,
): Steps<boolean> {
  const { folio, folioId } = item;
  for (const place of mappingsOf(memory, folioId, item.range)) {
    if (mayBePinned(folio)) {
      const note = 'the page may be pinned: its entry stays';
      yield item.report('unmap', { ...attempt, address: addressOf(place, memory), note });
      break;
    }
    operations.unmap(place, item);
    item.wasMapped = true;
    const entries = place.pageCount === 1 ? 'a migration entry' : `${place.pageCount} entries`;
    const note = `${entries} in place of it`;
    yield item.report('unmap', { ...attempt, address: addressOf(place, memory), note });
  }
  return folio.mapCount === 0;
}

function addressOf(
  { page }: { readonly page: number },
  { pageSizeBytes }: { readonly pageSizeBytes: number },
): bigint {
  return BigInt(page) * BigInt(pageSizeBytes);
}

/** Everything as before the attempt; the folio keeps its place on the call's list. */
export function* backOut(
  run: MigrationRun,
  item: MigratingFolio,
  attempt: FolioAttempt,
  why: string,
): Steps<void> {
  const isOwn = item.folio.lockedBy === run.owner;
  yield item.report('back-out', { ...attempt, note: why });
  if (item.wasMapped) yield* restore(item, item.folioId, attempt);
  item.wasMapped = false;
  if (isOwn) {
    unlock(item);
    yield item.report('unlock', attempt);
  }
  const report = item.report('free-target', attempt);
  freeTarget(run, item);
  yield report;
}

/** Maps the folio again wherever a migration entry is left: unmapped places stay so. */
export function* restore(
  item: MigratingFolio,
  folioId: number,
  attempt: FolioAttempt,
): Steps<void> {
  for (;;) {
    const place = operations.leftEntry(item);
    if (place === undefined) return;
    // A child may have been forked while its pages were migration entries.
    const restored = item.memory.folios.get(folioId);
    restored.isExclusive &&= item.folio.isExclusive;
    operations.restore(place, folioId);
    const address = addressOf(place, item.memory);
    const note = folioId === item.folioId ? 'the source again' : 'the target';
    yield item.report('restore', { ...attempt, address, note });
  }
}
