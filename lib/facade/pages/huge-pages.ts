/**
 * How much of a range's memory is in huge pages. smaps counts whole mappings, and the kernel joins
 * neighbours that are alike: of one that reaches beyond the range the pages in it are looked for in
 * pagemap, where the kernel tells huge ones (6.7).
 *
 * Source: proc_pid_smaps(5), PAGEMAP_SCAN(2const); fs/proc/task_mmu.c, show_smap() and
 * pagemap_thp_category().
 */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { PAGE_IS } from '../../core/uapi.ts';
import { parseSmaps } from '../../procfs/smaps.ts';
import { RUNS_AT_A_TIME } from './present-parts.ts';
import type { PagesOfProcess, Residency } from './residency.ts';

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
  /** False where neighbours may be in the counts: their mapping is one with the range's, and the
   *  kernel (before 6.7) tells of mappings alone. */
  readonly isExact: boolean;
}

/** The failure is that of a /proc that is closed. */
export async function foundHugePages(
  backend: Backend,
  range: PageSpan,
): Promise<SyscallResult<HugePagesFound>> {
  const smaps = await backend.readText('/proc/self/smaps');
  return smaps.ok ? { ok: true, value: hugePagesIn(backend, range, smaps.value) } : smaps;
}

/** The same in what `residency()` tells. */
export async function addHugePages(
  { backend, address, pageCount }: PagesOfProcess,
  residency: Residency,
): Promise<SyscallResult<Residency>> {
  const found = await foundHugePages(backend, { address, pageCount });
  const hugePages = found.ok ? Object.freeze(found.value) : null;
  return { ok: true, value: Object.freeze({ ...residency, hugePages }) };
}

function hugePagesIn(backend: Backend, range: PageSpan, smaps: string): HugePagesFound {
  const size = BigInt(backend.pageSizeBytes);
  const end = range.address + BigInt(range.pageCount) * size;
  const own = parseSmaps(smaps).filter((entry) => entry.start < end && entry.end > range.address);
  const sizes = own.map(({ kernelPageSizeBytes }) => kernelPageSizeBytes);
  const pageSizeBytes = Math.max(backend.pageSizeBytes, ...sizes);
  let [transparentBytes, poolBytes, isExact] = [0, 0, true];
  for (const entry of own) {
    const address = entry.start > range.address ? entry.start : range.address;
    const partEnd = entry.end < end ? entry.end : end;
    const isOfPool = entry.kernelPageSizeBytes > backend.pageSizeBytes;
    let bytes = isOfPool ? entry.residentBytes : entry.hugeBytes;
    if (bytes > 0 && partEnd - address < entry.end - entry.start) {
      const pageCount = Number((partEnd - address) / size);
      const scanned = scannedPages(backend, { address, pageCount });
      isExact &&= scanned !== undefined;
      bytes = Math.min(bytes, (scanned ?? pageCount) * backend.pageSizeBytes);
    }
    if (isOfPool) poolBytes += bytes;
    else transparentBytes += bytes;
  }
  const isOfPool = pageSizeBytes > backend.pageSizeBytes;
  return { transparentBytes, poolBytes, isOfPool, pageSizeBytes, isExact };
}

/** Base pages of a span that are in huge pages; `undefined` where nobody looks for them. */
function scannedPages(backend: Backend, { address, pageCount }: PageSpan): number | undefined {
  const size = BigInt(backend.pageSizeBytes);
  const end = address + BigInt(pageCount) * size;
  const categories = PAGE_IS.PRESENT | PAGE_IS.PFNZERO | PAGE_IS.HUGE;
  const limits = { pid: 0, categories, runsMax: RUNS_AT_A_TIME, pagesMax: 0 };
  let pages = 0;
  for (let at = address; at < end; ) {
    const found = backend.pagemapScan({
      address: at,
      pageCount: Number((end - at) / size),
      ...limits,
    });
    if (!found.ok || found.value.walkEnd <= at) return undefined;
    for (const run of found.value.runs) {
      if (run.categories === (PAGE_IS.PRESENT | PAGE_IS.HUGE)) pages += run.pageCount;
    }
    at = found.value.walkEnd;
  }
  return pages;
}
