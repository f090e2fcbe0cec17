/**
 * What a page migration tells while it goes on: one event for each step of the kernel's algorithm.
 * docs/migration.md has a table of the steps, old and new.
 */

/** A step. Source: mm/migrate.c and mm/rmap.c; docs/migration.md names the function of each. */
export type MigrationStep =
  | 'isolate'
  | 'pass'
  | 'allocate-target'
  | 'lock-source'
  | 'wait-writeback'
  | 'lock-target'
  | 'unmap'
  | 'flush-tlb'
  | 'lock-mapping'
  | 'check-references'
  | 'switch-mapping'
  | 'unlock-mapping'
  | 'copy'
  | 'copy-flags'
  | 'add-to-lru'
  | 'restore'
  | 'unlock'
  | 'free-source'
  | 'wait-lock'
  | 'back-out'
  | 'free-target'
  | 'split'
  | 'freed-meanwhile'
  | 'put-back'
  | 'wait-access';

/** All steps: those of a migration in which nothing is in the way, in their order, then others. */
export const MIGRATION_STEPS: readonly MigrationStep[] = Object.freeze([
  'isolate',
  'pass',
  'allocate-target',
  'lock-source',
  'wait-writeback',
  'lock-target',
  'unmap',
  'flush-tlb',
  'lock-mapping',
  'check-references',
  'switch-mapping',
  'unlock-mapping',
  'copy',
  'copy-flags',
  'add-to-lru',
  'restore',
  'unlock',
  'free-source',
  'wait-lock',
  'back-out',
  'free-target',
  'split',
  'freed-meanwhile',
  'put-back',
  'wait-access',
] as const);

/** Of a pass: `async` waits for nothing, `sync` for locks and writeback. */
export type MigrationMode = 'async' | 'sync';

/** A folio, as an event tells of it: where it was when the event happened. */
export interface FolioState {
  /** Its number on this machine: a source and its target have different ones. */
  readonly folio: number;
  readonly node: number;
  /** Base pages. */
  readonly pageCount: number;
  /** Page-table entries that map it. */
  readonly mapCount: number;
}

export interface MigrationEvent {
  /** Position among all events of the machine, from 0 on. */
  readonly index: number;
  /** Number of the call that did the step, from 0 on. */
  readonly call: number;
  readonly step: MigrationStep;
  /** The folio that is to move; `null` in `pass`. */
  readonly source: FolioState | null;
  /** The folio that replaces it, once there is one. */
  readonly target: FolioState | null;
  /** Address of a page of it, in the process that the call named. */
  readonly address: bigint | null;
  readonly mode: MigrationMode | null;
  /** From 0 on. */
  readonly pass: number | null;
  /** What happened, in a few words. */
  readonly note: string;
  /** Nobody can act before the next step: a spin lock is held. */
  readonly isAtomic: boolean;
}
