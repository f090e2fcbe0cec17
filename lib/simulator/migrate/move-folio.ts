/**
 * The second half of moving a folio: references are checked, the contents copied, the object told,
 * and the target mapped wherever the source was. Older kernels copy after the object was told,
 * newer ones before.
 *
 * Source: mm/migrate.c, migrate_folio_move(), move_to_new_folio(), __migrate_folio(),
 * folio_migrate_mapping() and remove_migration_ptes(); on 6.1 migrate_folio().
 */

import type { Steps } from '../memory/in-flight.ts';
import {
  type FolioAttempt,
  forget,
  type MigratingFolio,
  type MigrationRun,
  unlock,
} from './migrating-folio.ts';
import { operations } from './operations.ts';
import { freeSource } from './target-folio.ts';
import { restore } from './unmap-folio.ts';

/** `again`: EAGAIN. `failed`: it cannot be moved at all. */
export type FolioOutcome = 'moved' | 'again' | 'failed';

export function* moveFolio(
  run: MigrationRun,
  item: MigratingFolio,
  attempt: FolioAttempt,
): Steps<FolioOutcome> {
  const refusal = item.folio.moveRefusal;
  if (refusal !== undefined) {
    yield item.report('check-references', { ...attempt, note: refusal });
    return 'failed';
  }
  const { copiesFirst } = run.memory.facts;
  if (copiesFirst) {
    // A look before the work: what is found here would be found behind it.
    if (!(yield* checkReferences(item, attempt))) return 'again';
    yield* copy(run, item, attempt);
  }
  if (!(yield* switchMapping(item, attempt))) return 'again';
  if (!copiesFirst) yield* copy(run, item, attempt);
  operations.copyFlags(item);
  yield item.report('copy-flags', attempt);
  yield* finish(run, item, attempt);
  return 'moved';
}

function* checkReferences(
  item: MigratingFolio,
  attempt: FolioAttempt,
  isAtomic = false,
): Steps<boolean> {
  const extra = operations.extraReferences(item.folio);
  const isFree = extra === 0 && operations.isInMapping(item);
  const found = extra === 0 ? 'no longer in its object' : `${extra} references too many`;
  const note = isFree ? 'as many as expected' : `EAGAIN: ${found}`;
  yield item.report('check-references', { ...attempt, note, isAtomic: isAtomic && isFree });
  return isFree;
}

/** Under the object's lock nobody finds the folio there; anonymous memory has no such lock. */
function* switchMapping(item: MigratingFolio, attempt: FolioAttempt): Steps<boolean> {
  const isCached = !item.folio.isAnonymous;
  if (isCached) yield item.report('lock-mapping', { ...attempt, isAtomic: true });
  if (!(yield* checkReferences(item, attempt, isCached))) {
    if (isCached) yield item.report('unlock-mapping', attempt);
    return false;
  }
  operations.switchMapping(item);
  const note = isCached ? 'the object has the target now' : 'the target has the offset now';
  yield item.report('switch-mapping', { ...attempt, note, isAtomic: isCached });
  if (isCached) yield item.report('unlock-mapping', attempt);
  return true;
}

function* copy(run: MigrationRun, item: MigratingFolio, attempt: FolioAttempt): Steps<void> {
  const { folio, target } = item;
  run.target.account?.countCopied(folio.node, target.node, folio.pageCount);
  for (const half of ['first', 'second'] as const) {
    operations.copy(item, half);
    yield item.report('copy', { ...attempt, note: `the ${half} half` });
  }
}

function* finish(run: MigrationRun, item: MigratingFolio, attempt: FolioAttempt): Steps<void> {
  const { memory } = run;
  const { folio, target, targetId } = item;
  target.isIsolated = false;
  run.owner.isolated.delete(target);
  yield item.report('add-to-lru', { ...attempt, note: `on node ${target.node}` });
  if (item.wasMapped) yield* restore(item, targetId as number, attempt);
  const isPart = target.mapCount > 0 && target.mapCount < target.pageCount;
  const isInParts = target.pageCount > 1 && !item.mm.pages.isHuge(item.page);
  if (isPart || (isInParts && memory.facts.movingMapsPartly)) target.isPartlyMapped = true;
  const unlocked = item.report('unlock', attempt);
  const freed = item.report('free-source', { ...attempt, note: `of node ${folio.node}` });
  unlock(item);
  operations.releaseTarget(memory, targetId as number);
  yield unlocked;
  forget(run, item);
  memory.migrated.moved += folio.pageCount;
  freeSource(item, target.node);
  yield freed;
}
