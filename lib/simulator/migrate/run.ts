/**
 * One call of migrate_pages() inside the kernel: what it moves, where to, for whom.
 *
 * Source: mm/migrate.c, struct migrate_pages_stats and the arguments of migrate_pages().
 */

import type { MigrationMode } from '../interface/migration-event.ts';
import type { Steps, Suspended } from '../memory/in-flight.ts';
import type { Memory } from '../memory/memory.ts';
import type { MigratingFolio } from './migrating-folio.ts';
import type { MigrationTarget } from './migration-target.ts';
import { operations } from './operations.ts';

export interface MigrationRun {
  readonly memory: Memory;
  readonly target: MigrationTarget;
  /** The call that holds the locks. */
  readonly owner: Suspended;
  /** Others may act between two steps. */
  readonly isWatched: boolean;
  /** Huge pages are not split to be moved: the mode of automatic balancing. */
  readonly keepsHuge: boolean;
}

/** One attempt at one folio. */
export interface FolioAttempt {
  readonly mode: MigrationMode;
  readonly pass: number;
}

/** Whether the next pass would find what this one did: nothing has moved, and nobody else acts. */
export function isInVain(
  { isWatched }: MigrationRun,
  open: readonly unknown[],
  again: readonly unknown[],
): boolean {
  return !isWatched && again.length === open.length;
}

/** Ends the call's locks of a folio and of its target. */
export function unlock({ folio, target }: MigratingFolio): void {
  folio.lockedBy = null;
  target.lockedBy = null;
}

/** The folio is done with, moved or gone. */
export function forget({ owner }: MigrationRun, { folio }: MigratingFolio): void {
  owner.isolated.delete(folio);
}

/** Back on its list, where it was. */
export function* putBackFolio(run: MigrationRun, item: MigratingFolio): Steps<void> {
  forget(run, item);
  const report = item.report('put-back', { note: `on node ${item.folio.node}` });
  operations.putBack(run.memory, item.folio, item.folioId);
  yield report;
}
