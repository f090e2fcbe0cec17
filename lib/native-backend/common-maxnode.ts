/**
 * migrate_pages(2) takes two node masks and one `maxnode` for both.
 */

import type { NodemaskArgument } from '../backend/backend.ts';

const BITS_PER_WORD = 64n;

export interface MaskPair {
  readonly maxnode: number;
  readonly from: BigUint64Array | null;
  readonly to: BigUint64Array | null;
}

/**
 * Gives both masks the larger `maxnode`, without a bit that the smaller one had cut off. A
 * `maxnode` of 0, which the kernel refuses with EINVAL, stays 0.
 */
export function commonMaxnode(
  from: NodemaskArgument | null,
  to: NodemaskArgument | null,
): MaskPair {
  const maxnodes = [from, to].flatMap((mask) => (mask === null ? [] : [mask.maxnode]));
  const maxnode = maxnodes.includes(0) ? 0 : Math.max(1, ...maxnodes);
  return { maxnode, from: widen(from, maxnode), to: widen(to, maxnode) };
}

function widen(mask: NodemaskArgument | null, maxnode: number): BigUint64Array | null {
  if (mask === null) return null;
  if (mask.maxnode >= maxnode) return mask.words;
  const bits = BigInt(mask.maxnode - 1);
  const words = new BigUint64Array(Math.ceil((maxnode - 1) / Number(BITS_PER_WORD)));
  for (let index = 0; BigInt(index) * BITS_PER_WORD < bits; index += 1) {
    const bitsHere = Number(bits - BigInt(index) * BITS_PER_WORD);
    words[index] = BigInt.asUintN(Math.min(bitsHere, 64), mask.words[index] ?? 0n);
  }
  return words;
}
