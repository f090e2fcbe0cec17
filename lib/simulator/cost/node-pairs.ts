/** A number for each ordered pair of nodes; 0 until something is added. */

import { MAX_NUMNODES } from '../../core/uapi.ts';

const STRIDE = MAX_NUMNODES;

export class NodePairs {
  readonly #values = new Map<number, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(from: number, to: number, value: number): void {
    const key = from * STRIDE + to;
    this.#values.set(key, (this.#values.get(key) ?? 0) + value);
    this.#total += value;
  }

  get(from: number, to: number): number {
    return this.#values.get(from * STRIDE + to) ?? 0;
  }

  /** `[from, to, value]` in ascending order. */
  entries(): [from: number, to: number, value: number][] {
    return [...this.#values]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => [Math.floor(key / STRIDE), key % STRIDE, value]);
  }
}
