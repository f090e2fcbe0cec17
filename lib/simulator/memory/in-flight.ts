/**
 * Migrations under way: calls that stopped between two steps, what they have locked, and who looks
 * on. While there is none, and nobody looks, migrations do all of their steps at once.
 *
 * Source: mm/filemap.c, folio_lock(); mm/migrate.c, migration_entry_wait().
 */

import type { FolioState, MigrationEvent, MigrationMode } from '../interface/migration-event.ts';
import type { Folio, LockOwner } from './folio.ts';

/** What a step tells; the call that does it adds the rest of the event. */
export interface StepReport {
  readonly step: MigrationEvent['step'];
  readonly source?: FolioState | null;
  readonly target?: FolioState | null;
  readonly address?: bigint | null;
  readonly mode?: MigrationMode | null;
  readonly pass?: number | null;
  readonly note?: string;
  readonly isAtomic?: boolean;
  /** It cannot go on before this folio is unlocked. */
  readonly waitsFor?: Folio;
}

/** A call as a sequence of steps: between two of them others may act. */
export type Steps<T> = Generator<StepReport, T, undefined>;

/** A call that has begun, and may not have ended. */
export interface Suspended extends LockOwner {
  readonly isEnded: boolean;
  /** Folios that it has taken off their lists. */
  readonly isolated: Set<Folio>;
}

export class InFlight {
  /** Calls that have begun and not ended. */
  readonly calls: Set<Suspended> = new Set();
  /** Called after each step. */
  readonly listeners: Set<(event: MigrationEvent) => void> = new Set();
  /** The call that does a step right now. */
  current: Suspended | null = null;
  /** The call that holds a spin lock: nobody else can act before it lets go. */
  atomic: Suspended | null = null;
  /** Base pages that migrations may still take of a node, by a fault that was injected. */
  readonly targetLimits: Map<number, number> = new Map();
  #steppers = 0;
  #eventCount = 0;
  #callCount = 0;

  /** Whether migrations are to be done step by step. */
  get isStepped(): boolean {
    return this.#steppers > 0;
  }

  /** Steps that were done. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Has migrations done step by step, until the returned function is called. */
  stepBy(): () => void {
    this.#steppers += 1;
    let isOver = false;
    return () => {
      if (!isOver) this.#steppers -= 1;
      isOver = true;
    };
  }

  /** Counts pages taken for targets; false beyond an injected limit. */
  takeTargetPages(node: number, pageCount: number): boolean {
    const limit = this.targetLimits.get(node);
    if (limit === undefined) return true;
    if (limit < pageCount) return false;
    this.targetLimits.set(node, limit - pageCount);
    return true;
  }

  nextCall(): number {
    this.#callCount += 1;
    return this.#callCount - 1;
  }

  /** Tells all who look on. */
  tell(call: number, report: Omit<StepReport, 'waitsFor'>): MigrationEvent {
    const event = Object.freeze({
      source: null,
      target: null,
      address: null,
      mode: null,
      pass: null,
      note: '',
      isAtomic: false,
      ...report,
      index: this.#eventCount,
      call,
    });
    this.#eventCount += 1;
    for (const listener of [...this.listeners]) listener(event);
    return event;
  }

  /** Others spin until the lock is let go. */
  leaveAtomic(): void {
    while (this.atomic !== null && this.atomic !== this.current) this.atomic.goOn();
  }

  /** Sleeps until the folio's lock is free: meanwhile the call that has it goes on. */
  waitUnlocked(folio: Folio): void {
    while (folio.lockedBy !== null) folio.lockedBy.goOn();
  }
}
