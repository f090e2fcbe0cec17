/**
 * Sets of node numbers as the kernel's nodemask_t: bit n stands for node n.
 *
 * Source: include/linux/nodemask.h; lib/bitmap.c, bitmap_fold(), bitmap_onto() and bitmap_remap().
 */

import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { checkInteger } from '../../core/check-arguments.ts';
import { NODE_ID_MAX } from '../../core/uapi.ts';

export type Nodemask = bigint;

export const NO_NODES: Nodemask = 0n;
/** No node: NUMA_NO_NODE. */
export const NO_NODE = -1;

export function maskOf(nodes: Iterable<number>): Nodemask {
  let mask = NO_NODES;
  for (const node of nodes) mask |= 1n << BigInt(node);
  return mask;
}

/** What a number's bit operations take at once: node numbers go up to 1023. */
const WORD_BITS = 32;
const WORD: bigint = BigInt(WORD_BITS);

/** Ascending. */
export function nodesIn(mask: Nodemask): number[] {
  const nodes: number[] = [];
  for (let rest = mask, start = 0; rest !== 0n; rest >>= WORD, start += WORD_BITS) {
    let word = Number(BigInt.asUintN(WORD_BITS, rest)) | 0;
    // Bit by bit from the lowest on.
    for (; word !== 0; word &= word - 1)
      nodes.push(start + WORD_BITS - 1 - Math.clz32(word & -word));
  }
  return nodes;
}

export function hasNode(mask: Nodemask, node: number): boolean {
  return node >= 0 && ((mask >> BigInt(node)) & 1n) === 1n;
}

/** A caller's node, which must be in the mask. @throws TypeError, RangeError */
export function checkNodeIn(mask: Nodemask, node: unknown, rule: string): number {
  const checked = checkInteger(node, 'node', 0, NODE_ID_MAX);
  if (hasNode(mask, checked)) return checked;
  throw invalidArgumentValue('node', rule, node);
}

export function isSubset(part: Nodemask, whole: Nodemask): boolean {
  return (part & ~whole) === 0n;
}

/** NO_NODE for the empty set. */
export function firstNode(mask: Nodemask): number {
  return nodesIn(mask)[0] ?? NO_NODE;
}

/** The next higher node of the set, from its lowest on again after the highest. */
export function nextNodeIn(after: number, mask: Nodemask): number {
  const nodes = nodesIn(mask);
  return nodes.find((node) => node > after) ?? nodes[0] ?? NO_NODE;
}

/** `relative` as ordinals within `allowed`, counted round and round. */
export function relativeTo(relative: Nodemask, allowed: Nodemask): Nodemask {
  const places = nodesIn(allowed);
  if (places.length === 0) return NO_NODES;
  return maskOf(nodesIn(relative).map((node) => places[node % places.length] as number));
}

/**
 * Each node of `mask` that is in `from` becomes the node of the same ordinal in `to`, counted round
 * and round; the others stay.
 */
export function remap(mask: Nodemask, from: Nodemask, to: Nodemask): Nodemask {
  const sources = nodesIn(from);
  const targets = nodesIn(to);
  if (targets.length === 0) return mask;
  return maskOf(
    nodesIn(mask).map((node) => {
      const ordinal = sources.indexOf(node);
      return ordinal < 0 ? node : (targets[ordinal % targets.length] as number);
    }),
  );
}
