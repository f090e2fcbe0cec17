/**
 * Which of a range's memory is in huge pages, told by smaps, which counts whole mappings: what of
 * one lies outside of the range is counted where the mapping is not the range's own.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap().
 */

import type { PageSpan } from '../../backend/backend.ts';
import { parseSmaps } from '../../procfs/smaps.ts';
import type { Context } from '../context.ts';

/** Bytes of memory that is there in huge pages. */
export interface HugePagesFound {
  /** In transparent huge pages that are mapped as one. */
  readonly transparentBytes: number;
  /** In pages of a pool. */
  readonly poolBytes: number;
  /** Whether the memory is of a pool, touched or not. */
  readonly isOfPool: boolean;
  /** Of the pages that the kernel manages it in: a pool's, or base pages. */
  readonly pageSizeBytes: number;
}

/** @throws NumaError of a /proc that is closed */
export async function foundHugePages(
  context: Context,
  { address, pageCount }: PageSpan,
): Promise<HugePagesFound> {
  const { backend } = context;
  const text = context.unwrap(await backend.readText('/proc/self/smaps'), 'reading smaps');
  const end = address + BigInt(pageCount) * BigInt(backend.pageSizeBytes);
  const own = parseSmaps(text).filter((entry) => entry.start < end && entry.end > address);
  const sizes = own.map(({ kernelPageSizeBytes }) => kernelPageSizeBytes);
  const pageSizeBytes = Math.max(backend.pageSizeBytes, ...sizes);
  const isOfPool = pageSizeBytes > backend.pageSizeBytes;
  const sum = (bytesOf: (entry: (typeof own)[number]) => number): number =>
    own.reduce((total, entry) => total + bytesOf(entry), 0);
  return {
    transparentBytes: sum(({ hugeBytes }) => hugeBytes),
    poolBytes: isOfPool ? sum(({ residentBytes }) => residentBytes) : 0,
    isOfPool,
    pageSizeBytes,
  };
}
