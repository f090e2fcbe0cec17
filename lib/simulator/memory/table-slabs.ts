/**
 * Where tables of a page table are kept: side by side in large arrays, because an array of its own
 * for each table costs more than half of what is in it. Tables are named by numbers.
 *
 * Source: include/linux/mm.h, pte_alloc_one(), which takes whole pages likewise.
 */

/** Entries of a slab, but for those of small page tables. */
const SLAB_ENTRIES = 2 ** 20;
/** The first slab has so many tables, each further one twice as many. */
const FIRST_SLAB_TABLES = 4;

interface Slab {
  readonly entries: Uint32Array;
  /** Places that were in use and are not any more. */
  readonly free: number[];
  /** Places from here on were never in use. */
  unusedPlace: number;
  readonly placeCount: number;
}

export class TableSlabs {
  readonly #tableEntries: number;
  /** Places that numbers are given for in each slab, whether or not it has them. */
  readonly #slabPlaces: number;
  readonly #slabs: (Slab | undefined)[] = [];
  /** Slabs below this number are full. */
  #roomySlab = 0;
  /** Whose size the next slab doubles. */
  #lastPlaceCount = FIRST_SLAB_TABLES / 2;

  /** @param tableEntries a power of 2 */
  constructor(tableEntries: number) {
    this.#tableEntries = tableEntries;
    this.#slabPlaces = SLAB_ENTRIES / tableEntries;
  }

  /** A table's number; what is in it is left over from others. */
  allocate(): number {
    for (; this.#roomySlab < this.#slabs.length; this.#roomySlab += 1) {
      const slab = this.#slabs[this.#roomySlab] ?? this.#makeSlab(this.#roomySlab);
      const place = takePlace(slab);
      if (place !== undefined) return this.#roomySlab * this.#slabPlaces + place;
    }
    const slab = this.#makeSlab(this.#roomySlab);
    return this.#roomySlab * this.#slabPlaces + (takePlace(slab) as number);
  }

  #makeSlab(index: number): Slab {
    const placeCount = Math.min(this.#lastPlaceCount * 2, this.#slabPlaces);
    this.#lastPlaceCount = placeCount;
    const entries = new Uint32Array(placeCount * this.#tableEntries);
    const slab = { entries, free: [], unusedPlace: 0, placeCount };
    this.#slabs[index] = slab;
    return slab;
  }

  /** Gives a table back; a slab that has no other goes with it. */
  release(table: number): void {
    const index = Math.floor(table / this.#slabPlaces);
    const slab = this.#slabs[index] as Slab;
    slab.free.push(table % this.#slabPlaces);
    if (slab.free.length === slab.unusedPlace) this.#slabs[index] = undefined;
    this.#roomySlab = Math.min(this.#roomySlab, index);
  }

  /** The array that a table is in, from `offsetOf(table)` on. */
  entriesOf(table: number): Uint32Array {
    return (this.#slabs[Math.floor(table / this.#slabPlaces)] as Slab).entries;
  }

  offsetOf(table: number): number {
    return (table % this.#slabPlaces) * this.#tableEntries;
  }
}

function takePlace(slab: Slab): number | undefined {
  const place = slab.free.pop();
  if (place !== undefined) return place;
  if (slab.unusedPlace === slab.placeCount) return undefined;
  slab.unusedPlace += 1;
  return slab.unusedPlace - 1;
}
