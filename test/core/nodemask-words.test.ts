/** Masks for the kernel: it reads one bit less than `maxnode`, and nothing may be lost by that. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  maxnodeOf,
  nodemaskPair,
  nodemaskWords,
  nodesOfWords,
} from '../../lib/core/nodemask-words.ts';
import { NODE_ID_MAX } from '../../lib/core/uapi.ts';

const BITS_PER_LONG = 64;

/** get_nodes() and get_bitmap() of mm/mempolicy.c: what the kernel makes of a mask. */
function kernelDecode(words: BigUint64Array, maxnodePassed: number): number[] {
  const bits = maxnodePassed - 1;
  const longs = Math.ceil(bits / BITS_PER_LONG);
  if (longs > words.length) throw new Error('the kernel would read behind the mask');
  const copy = words.slice(0, longs);
  if (bits % BITS_PER_LONG !== 0) {
    const valid = (1n << BigInt(bits % BITS_PER_LONG)) - 1n;
    copy[longs - 1] = (copy[longs - 1] ?? 0n) & valid;
  }
  const nodes: number[] = [];
  for (let bit = 0; bit < bits; bit += 1) {
    const word = copy[Math.floor(bit / BITS_PER_LONG)] ?? 0n;
    if (((word >> BigInt(bit % BITS_PER_LONG)) & 1n) === 1n) nodes.push(bit);
  }
  return nodes;
}

const nodes = fc
  .uniqueArray(fc.integer({ min: 0, max: NODE_ID_MAX }), { maxLength: 64 })
  .map((list) => list.sort((a, b) => a - b));

describe('a mask for the kernel', () => {
  test.each([
    [[0], [1n], 65],
    [[31], [2n ** 31n], 65],
    [[32], [2n ** 32n], 65],
    [[63], [2n ** 63n], 65],
    [[64], [0n, 1n], 129],
    [[127], [0n, 2n ** 63n], 129],
    [[0, 31, 63, 64, 127], [1n | (2n ** 31n) | (2n ** 63n), 1n | (2n ** 63n)], 129],
    [[NODE_ID_MAX], [...new Array<bigint>(15).fill(0n), 2n ** 63n], 1025],
    [[], [0n], 65],
  ])('of nodes %j is whole words, and maxnode one more than their bits', (list, words, maxnode) => {
    const made = nodemaskWords(list);
    expect([...made.words]).toEqual(words);
    expect(made.maxnode).toBe(maxnode);
    expect(made.maxnode).toBe(maxnodeOf(made.words.length));
    expect(kernelDecode(made.words, made.maxnode)).toEqual(list);
  });

  test('loses no node in the kernel, whichever they are', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        const { words, maxnode } = nodemaskWords(list);
        expect(kernelDecode(words, maxnode)).toEqual(list);
        expect((maxnode - 1) % BITS_PER_LONG).toBe(0);
        expect(words.length * BITS_PER_LONG).toBe(maxnode - 1);
      }),
    );
  });

  test('with a tight maxnode would lose its last node: the rule that this file exists for', () => {
    fc.assert(
      fc.property(
        nodes.filter((list) => list.length > 0),
        (list) => {
          const highest = list.at(-1) as number;
          const { words } = nodemaskWords(list);
          expect(kernelDecode(words, highest + 1)).toEqual(list.slice(0, -1));
          expect(kernelDecode(words, highest + 2)).toEqual(list);
        },
      ),
    );
  });

  test('is read back as the same nodes', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        expect(nodesOfWords(nodemaskWords(list).words)).toEqual(list);
        expect(nodesOfWords(nodemaskWords(new Set(list.toReversed())).words)).toEqual(list);
      }),
    );
    expect(nodesOfWords(new BigUint64Array(0))).toEqual([]);
    expect(nodesOfWords(new BigUint64Array([0n, 0n]))).toEqual([]);
    expect(nodesOfWords(new BigUint64Array([2n ** 64n - 1n]))).toHaveLength(BITS_PER_LONG);
  });
});

describe('two masks with one maxnode', () => {
  test('take the larger, and lose nothing', () => {
    fc.assert(
      fc.property(nodes, nodes, (first, second) => {
        const [from, to] = [nodemaskWords(first), nodemaskWords(second)];
        const pair = nodemaskPair(from, to);
        expect(pair.maxnode).toBe(Math.max(from.maxnode, to.maxnode));
        expect(pair.from?.length).toBe(pair.to?.length);
        expect(nodesOfWords(pair.from as BigUint64Array)).toEqual(first);
        expect(nodesOfWords(pair.to as BigUint64Array)).toEqual(second);
      }),
    );
  });

  test('keep NULL', () => {
    const to = nodemaskWords([1]);
    expect(nodemaskPair(null, to)).toEqual({ maxnode: 65, from: null, to: to.words });
    expect(nodemaskPair(to, null)).toEqual({ maxnode: 65, from: to.words, to: null });
    expect(nodemaskPair(null, null)).toEqual({ maxnode: 0, from: null, to: null });
  });
});
