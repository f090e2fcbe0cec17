/**
 * Reads a node mask as the kernel does: how many bits count, what may stand behind them, and when
 * memory that cannot be read matters.
 *
 * Source: mm/mempolicy.c, get_nodes() and get_bitmap().
 */

import type { NodemaskArgument } from '../../backend/backend.ts';
import { ERRNO } from '../../core/errno.ts';
import { BITS_PER_WORD } from '../../core/nodemask-words.ts';
import { MAX_NUMNODES } from '../../core/uapi.ts';
import { BITS_PER_BYTE } from '../../core/units.ts';
import { NO_NODES, type Nodemask } from '../nodes/nodemask.ts';

/**
 * Memory of the caller: words of a mask, with the number of them that can be read before memory
 * ends. The simulator has no bytes behind addresses: what can be read is an array, or zeros.
 */
export interface MaskMemory {
  /** The word at an index, or undefined where the memory cannot be read. */
  word(index: number): bigint | undefined;
}

/** A mask whose words are all there; those behind it read as 0. */
export function maskMemory(words: BigUint64Array): MaskMemory {
  return { word: (index) => words[index] ?? 0n };
}

/** An address that nothing is mapped at. */
export const UNREADABLE: MaskMemory = { word: () => undefined };

/** A mask argument: where it is, `null` for NULL, and the number of bits with it. */
export interface UserMask {
  readonly memory: MaskMemory | null;
  readonly maxnode: bigint;
}

export type Decoded =
  | { readonly ok: true; readonly mask: Nodemask }
  | { readonly ok: false; readonly errno: number };

const FAULT: Decoded = { ok: false, errno: ERRNO.EFAULT };
const INVALID: Decoded = { ok: false, errno: ERRNO.EINVAL };

export function decodeMask({ memory, maxnode }: UserMask, pageSizeBytes: number): Decoded {
  const asked = BigInt.asUintN(64, maxnode - 1n);
  if (asked === 0n || memory === null) return { ok: true, mask: NO_NODES };
  if (asked > BigInt(pageSizeBytes) * BITS_PER_BYTE) return INVALID;
  const bits = Number(asked);
  const surplus = checkSurplus(memory, bits);
  if (surplus !== 0) return { ok: false, errno: surplus };
  return readMask(memory, Math.min(bits, MAX_NUMNODES));
}

/** Words above the largest mask, from the top: they must be zero. */
function checkSurplus(memory: MaskMemory, bits: number): number {
  for (let left = bits; left > MAX_NUMNODES; ) {
    const word = memory.word(Math.floor((left - 1) / BITS_PER_WORD));
    if (word === undefined) return ERRNO.EFAULT;
    if (word !== 0n) return ERRNO.EINVAL;
    left -= Math.min(left, BITS_PER_WORD);
  }
  return 0;
}

function readMask(memory: MaskMemory, bits: number): Decoded {
  let mask = NO_NODES;
  for (let index = Math.ceil(bits / BITS_PER_WORD) - 1; index >= 0; index -= 1) {
    const word = memory.word(index);
    if (word === undefined) return FAULT;
    mask |= word << BigInt(index * BITS_PER_WORD);
  }
  return { ok: true, mask: BigInt.asUintN(bits, mask) };
}

/** A mask as a call's caller has it. */
export function userMask(nodemask: NodemaskArgument | null): UserMask {
  if (nodemask === null) return { memory: null, maxnode: 0n };
  return { memory: maskMemory(nodemask.words), maxnode: BigInt(nodemask.maxnode) };
}
