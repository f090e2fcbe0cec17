/** Where the pages of these tests lie, and how calls name them and their nodes. */

import { PAGE_SIZE_BYTES } from '../../differential/program.ts';

const BASE = 0x4000_0000_0000n;

export function addressOf(page: number): bigint {
  return BASE + BigInt(page * PAGE_SIZE_BYTES);
}

export function maskOf(node: number): { readonly words: BigUint64Array; readonly maxnode: number } {
  return { words: BigUint64Array.of(1n << BigInt(node)), maxnode: 65 };
}
