/**
 * The machine's interleave weights: written node by node, or taken from the firmware's bandwidths.
 *
 * Source: mm/mempolicy.c, struct weighted_interleave_state, mempolicy_set_node_perf() and
 * reduce_interleave_weights().
 */

import type { Weights } from './interleave.ts';

/** What the bandwidths of all nodes are reduced to before their common divisor is taken out. */
const WEIGHTINESS = 32;

/** MB/s by node, as the firmware tells them: empty where it tells nothing. */
export type Bandwidths = ReadonlyMap<number, number>;

export class InterleaveWeights {
  /** A node without an entry has 1. */
  readonly table: Map<number, number> = new Map();
  readonly bandwidths: Bandwidths;
  readonly #memoryNodes: readonly number[];
  #isAutomatic: boolean;

  /** Where the kernel can choose weights, it does until one is written. */
  constructor(
    memoryNodes: readonly number[],
    { bandwidths, isAutomatic }: { bandwidths: Bandwidths; isAutomatic: boolean },
  ) {
    this.#memoryNodes = memoryNodes;
    this.bandwidths = bandwidths;
    this.#isAutomatic = isAutomatic;
    if (isAutomatic && bandwidths.size > 0) this.setAutomatic(true);
  }

  get isAutomatic(): boolean {
    return this.#isAutomatic;
  }

  weightOf(node: number): number {
    return this.table.get(node) ?? 1;
  }

  /** A weight that is written ends automatic weights; those of the other nodes stay. */
  set(node: number, weight: number): void {
    this.table.set(node, weight);
    this.#isAutomatic = false;
  }

  /** Weights stay as they are when they are no longer automatic. */
  setAutomatic(isAutomatic: boolean): void {
    if (isAutomatic) {
      for (const [node, weight] of this.#reduced()) this.table.set(node, weight);
    }
    this.#isAutomatic = isAutomatic;
  }

  #reduced(): Weights {
    const speeds = this.#memoryNodes.map((node) => this.bandwidths.get(node) ?? 0);
    const sum = speeds.reduce((total, speed) => total + speed, 0);
    const shares = speeds.map((speed) => Math.max(1, Math.floor((WEIGHTINESS * speed) / sum)));
    const divisor = shares.reduce(greatestCommonDivisor);
    return new Map(this.#memoryNodes.map((node, i) => [node, (shares[i] as number) / divisor]));
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
