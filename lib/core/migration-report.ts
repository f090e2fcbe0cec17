/**
 * The receipt of a move as plain data: every page accounted for, in the kernel's own words where
 * it gave any.
 */

import type { MappingKind } from './mapping-kind.ts';
import type { NodeId, NodeMask } from './node-mask.ts';

/** Number of pages by node; only nodes with pages. */
export type NodePages = Readonly<Record<NodeId, number>>;

/** What became of the pages; the members after `total` sum to it. Counts of base pages. */
export interface MigratedPages {
  readonly total: number;
  /** On the target node now, elsewhere before. */
  readonly moved: number;
  /** On the target node before and after. */
  readonly alreadyThere: number;
  /** Never touched or swapped out: nothing to move. */
  readonly notPresent: number;
  /** Only read so far: the shared page of zeros, which belongs to no range. */
  readonly zeroPage: number;
  /** Mapped by another process too, left in place; `includeShared` moves them. */
  readonly shared: number;
  /** Pinned, or in use by the kernel or a device: could not be moved. */
  readonly busy: number;
  /** Left behind because the target node had no free memory. */
  readonly noMemory: number;
  /** Not looked at or not tried, because the move ended before their turn. */
  readonly notAttempted: number;
  /** Refused for another reason; `failedBy` has them by errno name. */
  readonly failed: number;
}

/**
 * What a move came to:
 * - `complete`: every present page that was to move is on its target
 * - `spared`: the only others were left on purpose: pages that others map too, without
 *   `includeShared`
 * - `partial`: pages that were to move stayed behind; `pages` says why
 */
export type MigrationOutcome = 'complete' | 'spared' | 'partial';

export interface MigrationReport {
  /** The node that was asked for. */
  readonly target: NodeId;
  readonly pageSizeBytes: number;
  readonly pages: MigratedPages;
  /** Number of `failed` pages by errno name. */
  readonly failedBy: Readonly<Record<string, number>>;
  /** Pages by node as the kernel reported them before the move; of an aborted move, those looked
   *  at. */
  readonly before: NodePages;
  /** Pages by node after it, as the kernel reported them. */
  readonly after: NodePages;
  /** Every page that is present is on the target node: `outcome` is `complete`. */
  readonly complete: boolean;
  readonly outcome: MigrationOutcome;
  /** The move was ended by its AbortSignal. */
  readonly aborted: boolean;
  /** The way that the pages took. `mbind`: by a policy for each step, which was put back, because
   *  move_pages is refused; docs/capabilities.md tells what is lost with it. `copy`: copies took
   *  their place, by mremap; docs/migration.md tells what has to be promised for it. */
  readonly method: 'move_pages' | 'mbind' | 'copy';
  /** Why this way was chosen, or tried first. */
  readonly methodReason: string;
  /** Number of calls that moved or located pages, by name. */
  readonly syscalls: Readonly<Record<string, number>>;
  /** Steps that the move was made in, and the longest of them in nanoseconds. */
  readonly steps: { readonly count: number; readonly longestNs: number };
  /** Of the `noMemory` pages those that went to other nodes in place of the target, by node:
   *  `onFull: 'spill'`. */
  readonly spilled: NodePages;
  /** Wall-clock time of the whole verb, locating and rests included. */
  readonly durationNs: number;
  /** Kind of the backend that moved the pages. */
  readonly backend: string;
}

/**
 * A node, or what is in its way, as `MigratedPages` has it: `not-present` and `zero-page` have no
 * memory of their own, `shared`, `busy` and `no-memory` stayed where they were, `not-attempted`
 * were not looked at, `failed: E...` were refused otherwise.
 */
export type PageStatus = NodeId | PageStatusWord;

export type PageStatusWord =
  | 'not-present'
  | 'zero-page'
  | 'shared'
  | 'busy'
  | 'no-memory'
  | 'not-attempted'
  | `failed: ${string}`;

/** The receipt of a move of pages each to its own node. */
export interface PlacementReport
  extends Omit<MigrationReport, 'target' | 'methodReason' | 'spilled'> {
  /** Of each page of the range in their order: its target, where it is there now, else why not.
   *  Pages that were to stay have the node that they are on. */
  readonly statuses: readonly PageStatus[];
}

/** How far a move has come. */
export interface MigrationProgress {
  readonly pagesDone: number;
  readonly pagesTotal: number;
  /** Pages moved so far. */
  readonly moved: number;
}

/** What became of pages of a process that was to move in part. */
export interface SelectedPages extends MigratedPages {
  /** On nodes that were neither to be left nor to be filled: they stayed. */
  readonly notSelected: number;
}

/** What became of one mapping. Counts of base pages. */
export interface MappingMigration {
  readonly start: bigint;
  /** First address behind it. */
  readonly end: bigint;
  readonly kind: MappingKind;
  /** Path of its file, or the kernel's word in brackets; `null` for plain anonymous memory. */
  readonly name: string | null;
  readonly pages: SelectedPages;
  readonly failedBy: Readonly<Record<string, number>>;
  readonly before: NodePages;
  readonly after: NodePages;
}

/** The receipt of a move of some of a process's mappings. Counts of base pages. */
export interface MappingsMigrationReport {
  readonly pid: number;
  readonly from: NodeMask;
  readonly to: NodeMask;
  readonly pageSizeBytes: number;
  /** The sums of those of the mappings. */
  readonly pages: SelectedPages;
  readonly failedBy: Readonly<Record<string, number>>;
  readonly before: NodePages;
  readonly after: NodePages;
  /** Each selected mapping that had memory on a `from` node, in the order of their addresses. */
  readonly mappings: readonly MappingMigration[];
  /** Bytes on `from` nodes in mappings that the selection left out. */
  readonly notSelectedBytes: number;
  /** Every present page of the selected mappings that was on a `from` node is on its target, shared
   *  ones too: `outcome` is `complete`. */
  readonly complete: boolean;
  readonly outcome: MigrationOutcome;
  /** The move was ended by its AbortSignal. */
  readonly aborted: boolean;
  readonly method: 'move_pages';
  readonly syscalls: Readonly<Record<string, number>>;
  /** Steps that the move was made in, and the longest of them in nanoseconds. */
  readonly steps: { readonly count: number; readonly longestNs: number };
  /** Wall-clock time of the whole verb, rests included. */
  readonly durationNs: number;
  readonly backend: string;
}

/** The receipt that an error carries. */
export type AnyMigrationReport = MigrationReport | PlacementReport | MappingsMigrationReport;
