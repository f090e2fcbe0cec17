/**
 * Page table entries: 32 bits for each page. An ordinary page (anonymous, small, mapped by one
 * address space alone) is nothing but its node, kept in the entry itself; every other page is a
 * folio that the entry names.
 *
 * A page becomes a folio as soon as something else has to know it: a second mapping, a reference,
 * contents.
 */

/** Not present, and never was or no longer. */
export const NONE = 0;

const TAG_BITS = 2;
const TAG_MASK = 3;
const TAG = { INLINE: 1, FOLIO: 2, SPECIAL: 3 } as const;
const NODE_BITS = 10;
const NODE_MASK = 2 ** NODE_BITS - 1;
const ISOLATED = 2 ** (TAG_BITS + NODE_BITS);
const MARKED = 2 ** 31;
const DIRTY = 2 ** 30;
const FOLIO_ID_MASK = 2 ** 28 - 1;

function special(kind: number): number {
  return (kind << TAG_BITS) | TAG.SPECIAL;
}

/** Reads as zeros, and is nobody's memory. */
export const ZERO_PAGE: number = special(0);
/** The same for a whole page table, at once. */
export const HUGE_ZERO_PAGE: number = special(1);
/** MADV_GUARD_INSTALL: any access is a fault. */
export const GUARD: number = special(2);
/** Written to a swap device. */
export const SWAPPED: number = special(3);
/** Memory of a device, which no node has. */
export const DEVICE: number = special(4);

export function inlineEntry(node: number): number {
  return (node << TAG_BITS) | TAG.INLINE;
}

export function isInline(entry: number): boolean {
  return (entry & TAG_MASK) === TAG.INLINE;
}

/** The node of an inline entry. */
export function nodeOfInline(entry: number): number {
  return (entry >> TAG_BITS) & NODE_MASK;
}

/** Taken off its list for a migration; only until that ends. */
export function isIsolatedInline(entry: number): boolean {
  return (entry & ISOLATED) !== 0;
}

export function isolatedInline(entry: number): number {
  return (entry | ISOLATED) >>> 0;
}

/** As it was before that. */
export function listedInline(entry: number): number {
  return (entry & ~ISOLATED) >>> 0;
}

export function folioEntry(folioId: number): number {
  return ((folioId << TAG_BITS) | TAG.FOLIO) >>> 0;
}

export function isFolio(entry: number): boolean {
  return (entry & TAG_MASK) === TAG.FOLIO;
}

export function folioIdOf(entry: number): number {
  return (entry >>> TAG_BITS) & FOLIO_ID_MASK;
}

/** Whether a write went through this entry, to a page that it had mapped before: pte_dirty(). */
export function isDirtyEntry(entry: number): boolean {
  return isFolio(entry) && (entry & DIRTY) !== 0;
}

export function dirtyEntry(entry: number): number {
  return (entry | DIRTY) >>> 0;
}

export function isZeroPage(entry: number): boolean {
  return entry === ZERO_PAGE || entry === HUGE_ZERO_PAGE;
}

/** Whether balancing waits for the next access to the page: pte_protnone(). */
export function isMarked(entry: number): boolean {
  return (entry & MARKED) !== 0;
}

export function markedEntry(entry: number): number {
  return (entry | MARKED) >>> 0;
}

export function unmarkedEntry(entry: number): number {
  return (entry & ~MARKED) >>> 0;
}

/** Bits that tell an inline entry which nothing waits for from all others. */
const ORDINARY_MASK = TAG_MASK | ISOLATED | MARKED;

/** Whether it is inline, neither isolated nor marked. */
export function isOrdinary(entry: number): boolean {
  return (entry & ORDINARY_MASK) === TAG.INLINE;
}

/**
 * In place of an entry while the folio that it named moves to another node: an access waits. It
 * names the folio that is left. Source: include/linux/swapops.h, make_migration_entry().
 */
export function migrationEntry(folioId: number): number {
  return ((folioId + 1) << TAG_BITS) >>> 0;
}

export function isMigration(entry: number): boolean {
  return entry !== NONE && (entry & TAG_MASK) === 0;
}

/** The folio that a migration entry names. */
export function migratingFolioId(entry: number): number {
  return (entry >>> TAG_BITS) - 1;
}

/** Whether there is memory behind it, on some node. */
export function isPage(entry: number): boolean {
  return isInline(entry) || isFolio(entry);
}
