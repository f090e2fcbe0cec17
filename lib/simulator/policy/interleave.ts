/**
 * The node of a page under INTERLEAVE and WEIGHTED_INTERLEAVE: by its offset for user pages, by the
 * thread's counter for the page cache.
 *
 * Source: mm/mempolicy.c, interleave_nid(), weighted_interleave_nid(), interleave_nodes() and
 * weighted_interleave_nodes().
 */

import { MPOL } from '../../core/uapi.ts';
import { nextNodeIn, nodesIn } from '../nodes/nodemask.ts';
import type { Mempolicy } from './mempolicy.ts';

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

export function isInterleavingMode(mode: number): boolean {
  return mode === MPOL.INTERLEAVE || mode === MPOL.WEIGHTED_INTERLEAVE;
}

function weightOf(weights: Weights, node: number): number {
  return weights.get(node) ?? 1;
}

/** By offset: `index` is the page's place in its object or address space. */
export function interleavedNode(
  policy: Mempolicy,
  index: number,
  { weights, indexBits }: InterleaveRules,
): number {
  const nodes = nodesIn(policy.nodes);
  if (policy.mode === MPOL.WEIGHTED_INTERLEAVE) return weightedNode(nodes, index, weights);
  // Offsets are exact as numbers, below 2^53: a modulo of 2^64 leaves them as they are.
  return nodes[(index % 2 ** indexBits) % nodes.length] as number;
}

function weightedNode(nodes: readonly number[], index: number, weights: Weights): number {
  const sum = nodes.reduce((total, node) => total + weightOf(weights, node), 0);
  let place = index % sum;
  for (const node of nodes) {
    const weight = weightOf(weights, node);
    if (place < weight) return node;
    place -= weight;
  }
  return nodes[0] as number;
}

/** One round of turns: nodes in the order in which consecutive indices have them. */
export function interleavingTurns(policy: Mempolicy, { weights }: InterleaveRules): number[] {
  const nodes = nodesIn(policy.nodes);
  if (policy.mode !== MPOL.WEIGHTED_INTERLEAVE) return nodes;
  return nodes.flatMap((node) => Array<number>(weightOf(weights, node)).fill(node));
}

/** Whose turn an index is, and the indices from it on of which each next one has the next turn. */
export function turnAt(
  policy: Mempolicy,
  index: number,
  turnCount: number,
  { indexBits }: InterleaveRules,
): { readonly turn: number; readonly indexCount: number } {
  if (policy.mode === MPOL.WEIGHTED_INTERLEAVE) {
    return { turn: index % turnCount, indexCount: Number.POSITIVE_INFINITY };
  }
  const counted = index % 2 ** indexBits;
  return { turn: counted % turnCount, indexCount: 2 ** indexBits - counted };
}

/** The node that the next counted allocation uses. */
export function nextCountedNode(policy: Mempolicy, counter: Readonly<InterleaveCounter>): number {
  const keeps = policy.mode === MPOL.WEIGHTED_INTERLEAVE && counter.weightLeft > 0;
  return keeps ? counter.previous : nextNodeIn(counter.previous, policy.nodes);
}

/** Takes the counter's next node. */
export function takeCountedNode(
  policy: Mempolicy,
  counter: InterleaveCounter,
  { weights }: InterleaveRules,
): number {
  const node = nextCountedNode(policy, counter);
  if (policy.mode === MPOL.WEIGHTED_INTERLEAVE) {
    const isSame = counter.weightLeft > 0;
    counter.weightLeft = (isSame ? counter.weightLeft : weightOf(weights, node)) - 1;
  }
  counter.previous = node;
  return node;
}
