/**
 * Which call of the addon a worker is in, in memory that its starter reads at the very moment at
 * which it ends the worker.
 */

import type { Addon } from '../../../lib/native-backend/addon.ts';
import { type EntryName, exportedNames } from '../entry-points.ts';

/** A word each: whether the loop runs, the place, unsettled promises; then calls of each entry. */
const READY = 0;
const PLACE = 1;
const PENDING = 2;
const CALLS = 3;
/** The low bits of a place: which entry. The others count, so that no two calls look the same. */
const ENTRY_BITS = 6;
const OUTSIDE = 2 ** ENTRY_BITS - 1;

export interface Place {
  /** `undefined` outside of all. */
  readonly entry: EntryName | undefined;
  /** Another number for each call. */
  readonly mark: number;
}

type AnyFunction = (...values: unknown[]) => unknown;

/** The words that a worker and its starter share. */
export class Places {
  readonly #words: Int32Array;
  readonly #names: readonly EntryName[];

  constructor(names: readonly EntryName[], memory?: SharedArrayBuffer) {
    if (names.length >= OUTSIDE) throw new Error('more entries than a place can name');
    this.#names = names;
    this.#words = new Int32Array(memory ?? new SharedArrayBuffer(4 * (CALLS + names.length)));
    if (memory === undefined) this.#words[PLACE] = OUTSIDE;
  }

  get memory(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  get isReady(): boolean {
    return Atomics.load(this.#words, READY) === 1;
  }

  get pending(): number {
    return Atomics.load(this.#words, PENDING);
  }

  callsOf(name: EntryName): number {
    return Atomics.load(this.#words, CALLS + this.#names.indexOf(name));
  }

  now(): Place {
    const mark = Atomics.load(this.#words, PLACE);
    return { entry: this.#names[mark & OUTSIDE], mark };
  }

  setReady(): void {
    Atomics.store(this.#words, READY, 1);
  }

  /** From now on each call of an export says when it begins and ends. */
  watch(addon: Addon): void {
    const exports = addon as unknown as Record<EntryName, AnyFunction>;
    this.#names.forEach((name, index) => {
      exports[name] = this.#watched(exports[name], index);
    });
  }

  #watched(call: AnyFunction, index: number): AnyFunction {
    const words = this.#words;
    let count = 0;
    return (...values) => {
      count += 1;
      const mark = (count << ENTRY_BITS) | index;
      Atomics.store(words, CALLS + index, count);
      Atomics.store(words, PLACE, mark);
      try {
        const result = call(...values);
        if (result instanceof Promise) this.#follow(result);
        return result;
      } finally {
        Atomics.store(words, PLACE, mark | OUTSIDE);
      }
    };
  }

  #follow(promise: Promise<unknown>): void {
    Atomics.add(this.#words, PENDING, 1);
    promise.then(() => Atomics.sub(this.#words, PENDING, 1));
  }
}

/** The names in an order that both threads agree on. */
export function namesOf(addon: Addon): EntryName[] {
  return exportedNames(addon).sort();
}
