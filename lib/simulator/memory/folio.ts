/**
 * Pages that are more than an entry of one page table: 2^order base pages allocated together, on
 * one node, with everything that may keep them there.
 *
 * Source: include/linux/mm_types.h, struct folio.
 */

import { assert } from '../../core/assert.ts';
import type { MemoryObject } from './memory-object.ts';

/** `anonymous`, a page of an `object`, or `merged` by KSM. */
export type FolioKind = 'anonymous' | 'object' | 'merged';

/** Has a folio locked, and goes on by a step when others wait for it. */
export interface LockOwner {
  goOn(): void;
}

/** Of a page's last hint fault; the kernel keeps 8 bits of the thread's number. */
export interface LastFault {
  readonly cpuNode: number;
  readonly tid: number;
}

export class Folio {
  readonly kind: FolioKind;
  readonly pageCount: number;
  node: number;
  /** Entries that map one of its pages. */
  mapCount = 0;
  /** References of pipes and the like, which do not survive copy-on-write. */
  references = 0;
  /** FOLL_PIN: long-term references; a fork copies such a page for the child. */
  pins = 0;
  /** One address space may write without asking who else sees it. */
  isExclusive = true;
  /** Taken off its list by a migration, which holds a reference. */
  isIsolated = false;
  /** The call that holds the folio's lock, and a reference. Source: folio_lock(). */
  lockedBy: LockOwner | null = null;
  /** How often somebody else holds a reference when a migration looks. */
  busyTries = 0;
  /** How often a migration finds it being written back. */
  writebackTries = 0;
  /** To all who map it. */
  isDirty = false;
  /** An entry may be dirty: what unmaps them all makes the folio so. */
  hasDirtyEntry = false;
  /** An entry may be marked by balancing, in whichever address space. */
  hasMarkedEntry = false;
  /** Of a large folio: some of its pages have been unmapped while others were not. */
  isPartlyMapped = false;
  /** null until balancing has looked at it. Source: folio_xchg_last_cpupid(). */
  lastFault: LastFault | null = null;
  /** The object whose page it is, and the offset in it. */
  readonly object: MemoryObject | null;
  readonly index: number;
  /** Words written, by byte offset; what is not here is 0. */
  words: Map<number, bigint> | null = null;

  constructor(
    kind: FolioKind,
    node: number,
    { pageCount = 1, object = null, index = 0 }: FolioOptions = {},
  ) {
    this.kind = kind;
    this.node = node;
    this.pageCount = pageCount;
    this.object = object;
    this.index = index;
  }

  /** Mapped more than once, as far as the kernel can tell. */
  get isShared(): boolean {
    return this.mapCount > this.pageCount;
  }

  /** Of no object: KSM's pages are anonymous, too. Source: folio_test_anon(). */
  get isAnonymous(): boolean {
    return this.kind !== 'object';
  }

  /** Source: folio_test_ksm(). */
  get isMerged(): boolean {
    return this.kind === 'merged';
  }

  /** On a list of its node, but for pages of drivers. */
  get isOnList(): boolean {
    return this.object === null || this.object.kind.isOnList;
  }

  /** Why it cannot move, whoever asks. */
  get moveRefusal(): string | undefined {
    return this.object?.kind.refusesMove(this);
  }

  /** A huge page of the pool. */
  get isOfPool(): boolean {
    return this.object?.kind.isHugetlb === true;
  }

  /** On its way to another node, or taken off its list for that: the migration has a reference. */
  get isInFlight(): boolean {
    return this.isIsolated || this.lockedBy !== null;
  }

  /** A write of its only user needs no copy. Source: wp_can_reuse_anon_folio(). */
  get isReusable(): boolean {
    return this.kind === 'anonymous' && !this.isShared && !this.isHeld && !this.isInFlight;
  }

  /** Held by more than its mappings and its object. */
  get isHeld(): boolean {
    return this.references > 0 || this.pins > 0;
  }
}

export interface FolioOptions {
  readonly pageCount?: number;
  readonly object?: MemoryObject | null;
  readonly index?: number;
}

/** All folios by number, as page table entries name them. */
export class FolioTable {
  readonly #folios: (Folio | undefined)[] = [];
  readonly #free: number[] = [];

  add(folio: Folio): number {
    const id = this.#free.pop() ?? this.#folios.length;
    this.#folios[id] = folio;
    return id;
  }

  get(id: number): Folio {
    const folio = this.#folios[id];
    assert(folio !== undefined, 'a page names a folio that there is');
    return folio;
  }

  remove(id: number): void {
    this.#folios[id] = undefined;
    this.#free.push(id);
  }

  *[Symbol.iterator](): Generator<readonly [number, Folio]> {
    for (const [id, folio] of this.#folios.entries()) if (folio !== undefined) yield [id, folio];
  }
}
