/**
 * One call of migrate_pages() inside the kernel, what it moves, where to and for whom; and each
 * folio on its way: where it was met, which folio is to replace it, and what has been done so far.
 *
 * Source: mm/migrate.c, struct migrate_pages_stats, the arguments of migrate_pages(), and what it
 * keeps between its steps in lists and in __migrate_folio_record().
 */

import type { FolioState, MigrationMode } from '../interface/migration-event.ts';
import type { Folio } from '../memory/folio.ts';
import type { StepReport, Steps, Suspended } from '../memory/in-flight.ts';
import type { Memory } from '../memory/memory.ts';
import type { Mm } from '../memory/mm.ts';
import { offsetOf, type Vma } from '../memory/vma.ts';
import type { Search } from '../policy/placement.ts';
import { operations } from './operations.ts';
import type { Isolated, IsolatedFolio, PageList } from './page-list.ts';
import type { MigrationTarget } from './target-folio.ts';

export class MigratingFolio {
  readonly folio: Folio;
  readonly folioId: number;
  /** Where the call met it. */
  readonly mm: Mm;
  readonly page: number;
  /** Offset of its first page in mappings, as the reverse map has it; null where pages of several
   *  offsets were merged. */
  readonly offset: number | null;
  readonly search: Search;
  targetId: number | null = null;
  /** Of a pool: the target is memory from outside of it. */
  isTargetFresh = false;
  wasMapped = false;

  constructor({ mm, page, folio, folioId, vma }: IsolatedFolio, target: MigrationTarget) {
    this.mm = mm;
    this.page = page;
    this.folio = folio;
    this.folioId = folioId;
    this.offset = offsetIn(vma, page, folio);
    // mbind has changed the mapping since, and others may have unmapped it.
    this.search = target.searchFor(page, folio, mm.vmas.lookup(page) ?? vma);
  }

  get memory(): Memory {
    return this.mm.memory;
  }

  get range(): { readonly offset: number | null; readonly pageCount: number } {
    return { offset: this.offset, pageCount: this.folio.pageCount };
  }

  get target(): Folio {
    return this.memory.folios.get(this.targetId as number);
  }

  /** A transparent huge page: it can be split. */
  get isTransparentHuge(): boolean {
    return this.folio.pageCount > 1 && !this.folio.isOfPool;
  }

  /** What an event tells of it. */
  report(step: StepReport['step'], rest: Omit<StepReport, 'step'> = {}): StepReport {
    const address = BigInt(this.page) * BigInt(this.memory.pageSizeBytes);
    const target = this.targetId === null ? null : stateOf(this.targetId, this.target);
    return { step, source: stateOf(this.folioId, this.folio), target, address, ...rest };
  }
}

/** What a call moves: folios step by step, and entries of its list that go at once. */
export type Item = MigratingFolio | Isolated;

/** Nobody waits to see the steps of a page whose outcome is known before. */
export function itemsOf({ entries, isWatched }: PageList, target: MigrationTarget): Item[] {
  return entries.map((entry) => {
    const isAtOnce = !('folio' in entry) || (!isWatched && isSimple(entry));
    return isAtOnce ? entry : new MigratingFolio(entry, target);
  });
}

function isSimple({ mm, page, folio }: IsolatedFolio): boolean {
  if (folio.isOfPool || folio.moveRefusal !== undefined) return false;
  if (folio.isHeld) return mayBePinned(folio);
  const { pageCount, mapCount, isPartlyMapped } = folio;
  if (pageCount > 1) return mapCount === pageCount && !isPartlyMapped && mm.pages.isHuge(page);
  // C-6.2-27: the steps take marks away wherever it is mapped.
  return mapCount === 1 || !folio.hasMarkedEntry;
}

/** Who may be writing through a pin must not lose the page: its entry stays. Source:
 *  try_to_migrate_one(), folio_try_share_anon_rmap_pte(). */
export function mayBePinned({ kind, isExclusive, pins }: Folio): boolean {
  return kind === 'anonymous' && isExclusive && pins > 0;
}

/** Base pages of an item. */
export function pagesOfItem(item: Item): number {
  return 'folio' in item ? item.folio.pageCount : item.pageCount;
}

/** Of a run, one fails for all. */
export function pagesOfFirst(item: Item): number {
  return 'folio' in item ? item.folio.pageCount : 1;
}

export function pagesOfItems(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + pagesOfItem(item), 0);
}

function offsetIn(vma: Vma, page: number, { isMerged, pageCount, index }: Folio): number | null {
  if (isMerged) return null;
  return pageCount > 1 ? index : offsetOf(vma, page);
}

export function stateOf(id: number, { node, pageCount, mapCount }: Folio): FolioState {
  return Object.freeze({ folio: id, node, pageCount, mapCount });
}

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
