/** What mincore(2) writes, a byte for each page, as runs of pages that are in memory. */

import type { PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import type { Addon } from './addon.ts';

/** Pages asked for at a time: bytes that stay in the caches of a CPU. */
const PAGES_AT_A_TIME = 2 ** 20;
const [ABSENT, RESIDENT] = [0, 1];

export function residentRuns(
  addon: Addon,
  { address, pageCount }: PageSpan,
  pageSizeBytes: number,
): SyscallResult<PageSpan[]> {
  const runs: { address: bigint; pageCount: number }[] = [];
  const addressOf = (page: number): bigint => address + BigInt(page) * BigInt(pageSizeBytes);
  const words = new BigUint64Array(Math.ceil(Math.min(pageCount, PAGES_AT_A_TIME) / 8));
  // An empty span is asked for as well: its address may be wrong.
  for (let first = 0; first === 0 || first < pageCount; first += PAGES_AT_A_TIME) {
    const count = Math.min(PAGES_AT_A_TIME, pageCount - first);
    const result = addon.mincore(addressOf(first), count, words);
    if (!result.ok) return result;
    const bytes = Buffer.from(words.buffer, 0, count);
    for (let start = bytes.indexOf(RESIDENT); start >= 0; ) {
      const stop = bytes.indexOf(ABSENT, start);
      const end = stop < 0 ? count : stop;
      const last = runs.at(-1);
      const isNext = last !== undefined && addressOf(first + start) === endOf(last, pageSizeBytes);
      if (isNext) last.pageCount += end - start;
      else runs.push({ address: addressOf(first + start), pageCount: end - start });
      start = bytes.indexOf(RESIDENT, end);
    }
  }
  return { ok: true, value: runs };
}

function endOf({ address, pageCount }: PageSpan, pageSizeBytes: number): bigint {
  return address + BigInt(pageCount) * BigInt(pageSizeBytes);
}
