/**
 * The node of a page under INTERLEAVE and WEIGHTED_INTERLEAVE: by its offset for user pages, by the
 * thread's counter for the page cache; and the machine's weights, written node by node, or taken
 * from the firmware's bandwidths.
 *
 * Source: mm/mempolicy.c, interleave_nid(), weighted_interleave_nid(), interleave_nodes(),
 * weighted_interleave_nodes(), struct weighted_interleave_state, mempolicy_set_node_perf() and
 * reduce_interleave_weights().
 */

import { type Nodemask, nextNodeIn, nodesIn } from '../nodes/nodemask.ts';

/** The machine's weights, from 1 to 255; a node without an entry has 1. */
export type Weights = ReadonlyMap<number, number>;

/** A thread's place in the counted form. */
export interface InterleaveCounter {
  /** The node that was used last. */
  previous: number;
  /** Allocations that it may still have. */
  weightLeft: number;
}

/** How pages are counted: the machine's weights, and how wide its kernel's index is. */
export interface InterleaveRules {
  readonly weights: Weights;
  readonly indexBits: number;
}

/** How a mode's nodes take turns. */
export interface Interleaving {
  /** By offset: `index` is the page's place in its object or address space. */
  nodeAt(nodes: Nodemask, index: number, rules: InterleaveRules): number;
  /** One round of turns: nodes in the order in which consecutive indices have them. */
  turns(nodes: Nodemask, rules: InterleaveRules): number[];
  /** Whose turn an index is, and how many from it on have the next turn each. */
  turnAt(
    index: number,
    turnCount: number,
    rules: InterleaveRules,
  ): { readonly turn: number; readonly indexCount: number };
  /** The node that the next counted allocation uses. */
  nextCounted(nodes: Nodemask, counter: Readonly<InterleaveCounter>): number;
  /** Takes the counter's next node. */
  takeCounted(nodes: Nodemask, counter: InterleaveCounter, rules: InterleaveRules): number;
}

/** Each node once. Offsets are exact as numbers, below 2^53: a modulo of 2^64 leaves them as they
 *  are. */
export const IN_TURN: Interleaving = {
  nodeAt: (mask, index, { indexBits }) => {
    const nodes = nodesIn(mask);
    return nodes[(index % 2 ** indexBits) % nodes.length] as number;
  },
  turns: (mask) => nodesIn(mask),
  turnAt: (index, turnCount, { indexBits }) => {
    const counted = index % 2 ** indexBits;
    return { turn: counted % turnCount, indexCount: 2 ** indexBits - counted };
  },
  nextCounted: (mask, { previous }) => nextNodeIn(previous, mask),
  takeCounted: (mask, counter) => {
    counter.previous = nextNodeIn(counter.previous, mask);
    return counter.previous;
  },
};

/** Each node as often as its weight says. */
export const BY_WEIGHT: Interleaving = {
  nodeAt: (mask, index, { weights }) => {
    const nodes = nodesIn(mask);
    const sum = nodes.reduce((total, node) => total + weightOf(weights, node), 0);
    let place = index % sum;
    for (const node of nodes) {
      const weight = weightOf(weights, node);
      if (place < weight) return node;
      place -= weight;
    }
    return nodes[0] as number;
  },
  turns: (mask, { weights }) =>
    nodesIn(mask).flatMap((node) => Array<number>(weightOf(weights, node)).fill(node)),
  turnAt: (index, turnCount) => ({
    turn: index % turnCount,
    indexCount: Number.POSITIVE_INFINITY,
  }),
  nextCounted: (mask, { previous, weightLeft }) =>
    weightLeft > 0 ? previous : nextNodeIn(previous, mask),
  takeCounted: (mask, counter, { weights }) => {
    const node = BY_WEIGHT.nextCounted(mask, counter);
    const isSame = counter.weightLeft > 0;
    counter.weightLeft = (isSame ? counter.weightLeft : weightOf(weights, node)) - 1;
    counter.previous = node;
    return node;
  },
};

function weightOf(weights: Weights, node: number): number {
  return weights.get(node) ?? 1;
}

/** What the bandwidths of all nodes are reduced to before their common divisor is taken out. */
const WEIGHTINESS = 32;

/** MB/s by node, as the firmware tells them: empty where it tells nothing. */
type Bandwidths = ReadonlyMap<number, number>;

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
