/**
 * The one home of the kernel's `maxnode` rule: a node mask is passed as whole 64-bit words, and
 * `maxnode` is one more than the number of bits in them, because the kernel reads `maxnode - 1`
 * bits. A tight mask would lose its last node on every kernel.
 *
 * Source: mm/mempolicy.c, get_nodes(): it decrements maxnode before it reads; set_mempolicy(2)
 * speaks of a mask of up to maxnode bits. Where the two differ, the kernel is right.
 */

import { words64 } from './call-arguments.ts';
import { checkInteger, checkItems } from './check-arguments.ts';
import { MAX_NUMNODES } from './uapi.ts';

export const BITS_PER_WORD = 64;
/** The kernel takes masks of up to a page, which has at most 64 kB. */
const BIT_MAX = 2 ** 19 - 1;

/** A mask as the six system calls take it. */
export interface NodemaskWords {
  /** Bit `n % 64` of word `n / 64` stands for node n. */
  readonly words: BigUint64Array;
  /** One more than the number of bits in `words`. */
  readonly maxnode: number;
}

/**
 * Encodes node numbers for the kernel. An empty set is one word of zeros.
 * @throws TypeError, RangeError for what no mask can hold
 */
export function nodemaskWords(nodes: Iterable<number>): NodemaskWords {
  const list = checkItems(nodes, 'nodes', 'an iterable of node numbers').map((node) =>
    checkInteger(node, 'nodes', 0, BIT_MAX),
  );
  const highest = list.reduce((most, node) => Math.max(most, node), 0);
  const words = new BigUint64Array(Math.floor(highest / BITS_PER_WORD) + 1);
  for (const node of list) {
    const index = Math.floor(node / BITS_PER_WORD);
    words[index] = (words[index] ?? 0n) | (1n << BigInt(node % BITS_PER_WORD));
  }
  return { words, maxnode: maxnodeOf(words.length) };
}

/** Two masks with one `maxnode` for both, as migrate_pages takes them; `null` is NULL. */
export interface NodemaskPair {
  readonly maxnode: number;
  readonly from: BigUint64Array | null;
  readonly to: BigUint64Array | null;
}

/** Joins two masks of whole words: the larger `maxnode`, the shorter mask padded with zeros. */
export function nodemaskPair(from: NodemaskWords | null, to: NodemaskWords | null): NodemaskPair {
  const maxnode = Math.max(from?.maxnode ?? 0, to?.maxnode ?? 0);
  const wordCount = Math.ceil((maxnode - 1) / BITS_PER_WORD);
  const padded = (mask: NodemaskWords | null): BigUint64Array | null => {
    if (mask === null || mask.words.length >= wordCount) return mask?.words ?? null;
    const words = new BigUint64Array(wordCount);
    words.set(mask.words);
    return words;
  };
  return { maxnode, from: padded(from), to: padded(to) };
}

/** `maxnode` for a mask of this many 64-bit words. */
export function maxnodeOf(wordCount: number): number {
  return wordCount * BITS_PER_WORD + 1;
}

/** For a mask that is large enough for every kernel's number of possible nodes. */
export const MAXNODE_ALL: number = maxnodeOf(MAX_NUMNODES / BITS_PER_WORD);

/** The node numbers whose bits are set, ascending. @throws TypeError */
export function nodesOfWords(words: BigUint64Array): number[] {
  const checked = words64(words, 'words');
  const nodes: number[] = [];
  for (let index = 0; index < checked.length; index += 1) {
    for (let rest = checked[index] as bigint, bit = 0; rest !== 0n; rest >>= 1n, bit += 1) {
      if ((rest & 1n) === 1n) nodes.push(index * BITS_PER_WORD + bit);
    }
  }
  return nodes;
}
