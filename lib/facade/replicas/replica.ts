/**
 * The copy of one node, as a thread reads it.
 */

import { types } from 'node:util';
import { invalidArgumentType, invalidArgumentValue } from '../../core/argument-errors.ts';
import { isThenable } from '../../core/check-arguments.ts';
import { inspectAs } from '../../core/inspect.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { asArray, type ReplicaArrayName } from './replica-arrays.ts';
import { halfOf, type ReplicaWords } from './replica-words.ts';

/** Bytes of both halves of a copy, on its node. */
export type Halves = readonly [Uint8Array<SharedArrayBuffer>, Uint8Array<SharedArrayBuffer>];

/** @internal What the readers of a thread have in common. */
export interface Reading {
  readonly words: ReplicaWords;
  readonly arrayName: ReplicaArrayName;
  /** @throws NumaError NUMA_RELEASED */
  checkLive(verb: string): void;
}

/** Runs over bytes that may be overwritten; from then on over a copy of them. */
const TRIES = 2;

export class Replica<T> {
  /** The node that the bytes are on. */
  readonly node: NodeId;
  readonly #reading: Reading;
  readonly #halves: Halves;
  readonly #arrays: readonly [T, T];

  /** @internal Use `replicas.local()`. */
  constructor(node: NodeId, halves: Halves, reading: Reading) {
    this.node = node;
    this.#reading = reading;
    this.#halves = halves;
    const { arrayName } = reading;
    this.#arrays = [asArray<T>(arrayName, halves[0]), asArray<T>(arrayName, halves[1])];
  }

  /**
   * What `run` makes of the bytes, all of one version. Where two versions were published meanwhile
   * its result, or its error, does not count, and it is run again: it must change nothing, and come
   * to an end whatever it finds. The third time it has a copy. Synchronous; takes no lock.
   * @param run gets the memory itself: it must neither write to it, nor keep or return it
   * @throws what `run` throws; TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for one that
   *   returns a promise or the memory; NumaError NUMA_RELEASED
   */
  read<Result>(run: (array: T) => Result): Result {
    if (typeof run !== 'function') throw invalidArgumentType('run', 'a function', run);
    const { words } = this.#reading;
    for (let tries = 0; tries < TRIES; tries += 1) {
      this.#reading.checkLive('read');
      const version = words.whole;
      const array = this.#arrays[halfOf(version)];
      try {
        const result = run(array);
        if (words.wasWhole(version)) return checkResult(result, array);
      } catch (error) {
        if (words.wasWhole(version)) throw error;
      }
    }
    const copy = this.snapshot();
    return checkResult(run(copy), copy);
  }

  /**
   * A copy of the latest version, the caller's own.
   * @throws NumaError NUMA_RELEASED
   */
  snapshot(): T {
    const { words, arrayName } = this.#reading;
    // Copying one half takes less than publishing two versions: this ends.
    for (;;) {
      this.#reading.checkLive('snapshot');
      const version = words.whole;
      const copy = new Uint8Array(this.#halves[halfOf(version)]);
      if (words.wasWhole(version)) return asArray<T>(arrayName, copy);
    }
  }
}

/** @throws TypeError for what goes on with the memory when nobody looks any more */
function checkResult<Result>(result: Result, array: unknown): Result {
  if (isThenable(result)) {
    // Nobody will wait for it any more; its rejection must not end the process.
    Promise.resolve(result).catch(() => {});
    const rule = 'must be synchronous: the bytes change under what a promise goes on with';
    throw invalidArgumentValue('run', rule, result);
  }
  if (types.isArrayBufferView(result) && result.buffer === (array as ArrayBufferView).buffer) {
    throw invalidArgumentValue('run', 'must not return the memory: return a copy of it', result);
  }
  return result;
}

inspectAs(Replica, ({ node }) => `Replica(node ${node})`);
