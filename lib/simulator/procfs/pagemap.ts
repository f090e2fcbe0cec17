/**
 * /proc/PID/pagemap: the state of each page.
 *
 * Source: proc_pid_pagemap(5); fs/proc/task_mmu.c, pagemap_open() and pagemap_pmd_range();
 * fs/proc/base.c, proc_pid_make_inode(): it belongs to the process's user, or to root.
 */

import type { PagemapScan, PagemapScanRequest, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { newArray } from '../../core/check-arguments.ts';
import { ERRNO } from '../../core/errno.ts';
import {
  PAGE_IS,
  PM_FILE,
  PM_MMAP_EXCLUSIVE,
  PM_PRESENT,
  PM_SWAP,
  ROOT_UID,
} from '../../core/uapi.ts';
import type { Mm } from '../memory/mm.ts';
import {
  folioIdOf,
  HUGE_ZERO_PAGE,
  isFolio,
  isPage,
  isZeroPage,
  SWAPPED,
} from '../memory/page-entry.ts';
import { failure, success } from '../syscalls/answer.ts';
import { addressOf, isAligned, pageOf, TASK_SIZE } from '../syscalls/range-argument.ts';
import type { Process } from '../tasks/process.ts';
import { memoryOf, type Reader } from './process-folder.ts';

/** pid 0 is the reader's own. ENOENT, EACCES, ESRCH. */
export function readPagemap(
  reader: Reader,
  span: PageSpan,
  pid: number,
): SyscallResult<BigUint64Array> {
  const memory = openPagemap(reader, pid);
  if (!memory.ok) return memory;
  if (memory.value === null) {
    return success(newArray(BigUint64Array, span.pageCount, 'pageCount'));
  }
  return success(pagemapOf(memory.value, span));
}

const CATEGORIES = PAGE_IS.PRESENT | PAGE_IS.SWAPPED | PAGE_IS.PFNZERO | PAGE_IS.HUGE;

/** Source: fs/proc/task_mmu.c, do_pagemap_scan(). */
export function scanPagemap(
  reader: Reader,
  request: PagemapScanRequest,
): SyscallResult<PagemapScan> {
  const memory = openPagemap(reader, request.pid);
  if (!memory.ok) return memory;
  const { pageSizeBytes, facts } = reader.machine.memory;
  if (!facts.hasPagemapScan) return failure('ioctl', ERRNO.ENOTTY);
  const { categories, pagesMax } = request;
  const isKnown = (categories & ~CATEGORIES) === 0;
  if (!isKnown || !isAligned(request.address, pageSizeBytes)) return failure('ioctl', ERRNO.EINVAL);
  const end = request.address + BigInt(request.pageCount) * BigInt(pageSizeBytes);
  if (end > TASK_SIZE) return failure('ioctl', ERRNO.EFAULT);
  // ESRCH where opening it told nothing.
  if (memory.value === null) return failure('ioctl', ERRNO.ESRCH);
  return success(scan(memory.value, request, pagesMax === 0 ? Number.POSITIVE_INFINITY : pagesMax));
}

function openPagemap(reader: Reader, pid: number): SyscallResult<Mm | null> {
  const { machine, thread } = reader;
  const target = pid === 0 ? thread.process : machine.findProcess(pid);
  if (target === undefined) return failure('open', ERRNO.ENOENT);
  const { uid } = thread.process.credentials;
  if (uid !== ROOT_UID && uid !== ownerOf(target)) return failure('open', ERRNO.EACCES);
  const memory = memoryOf(reader, target);
  if (memory === null) {
    if (machine.facts.pagemapNeedsMemory) return failure('open', ERRNO.ESRCH);
    return success(null);
  }
  return 'errno' in memory ? failure('open', memory.errno) : success(memory);
}

interface ScannedRun {
  readonly start: number;
  readonly end: number;
  readonly categories: number;
}

/**
 * Runs of equal categories, until there are enough of them, or of their pages. Without room for one
 * the kernel counts no pages either. Source: pagemap_scan_output().
 */
function scan(
  mm: Mm,
  { address, pageCount, categories, runsMax }: PagemapScanRequest,
  pagesMax: number,
): PagemapScan {
  const { pageSizeBytes } = mm.memory;
  const first = pageOf(address, pageSizeBytes);
  const runs: ScannedRun[] = [];
  let pagesLeft = pagesMax;
  let walkEnd: number | null = null;
  const take = (start: number, count: number, found: number): void => {
    if (runsMax === 0 || walkEnd !== null || (found & categories) === 0) return;
    const last = runs.at(-1);
    const isNext = last?.end === start && last.categories === found;
    if (!isNext && runs.length === runsMax) {
      walkEnd = start;
      return;
    }
    const end = start + Math.min(count, pagesLeft);
    pagesLeft -= end - start;
    if (isNext) runs[runs.length - 1] = { ...last, end };
    else runs.push({ start, end, categories: found });
    if (pagesLeft === 0) walkEnd = end;
  };
  for (const part of mm.pages.partsWithTables(first, first + pageCount)) {
    mm.pages.forEachRun(part.start, part.end, (page, count, entry) => {
      take(page, count, categoriesOf(mm, page, entry) & categories);
    });
    if (walkEnd !== null) break;
  }
  return {
    runs: runs.map(({ start, end, categories: found }) => ({
      address: addressOf(start, pageSizeBytes),
      pageCount: end - start,
      categories: found,
    })),
    walkEnd: addressOf(walkEnd ?? first + pageCount, pageSizeBytes),
  };
}

/** Source: pagemap_page_category(), pagemap_thp_category(), pagemap_hugetlb_category(). */
function categoriesOf(mm: Mm, page: number, entry: number): number {
  const bits = bitsOf(mm, entry);
  if ((bits & PM_SWAP) !== 0n) return PAGE_IS.SWAPPED;
  if ((bits & PM_PRESENT) === 0n) return 0;
  const zeros = isZeroPage(entry) ? PAGE_IS.PFNZERO : 0;
  return PAGE_IS.PRESENT | zeros | (isInHugePage(mm, page, entry) ? PAGE_IS.HUGE : 0);
}

function isInHugePage({ memory, pages }: Mm, page: number, entry: number): boolean {
  if (!isFolio(entry)) return entry === HUGE_ZERO_PAGE;
  const folio = memory.folios.get(folioIdOf(entry));
  return folio.isOfPool || (folio.pageCount > 1 && pages.isHuge(page));
}

/** Source: fs/proc/base.c, task_dump_owner(). */
function ownerOf({ hasMemory, credentials }: Process): number {
  return hasMemory && credentials.isDumpable ? credentials.uid : ROOT_UID;
}

/** The entry of each page of a range. */
function pagemapOf(mm: Mm, span: PageSpan): BigUint64Array {
  const entries = newArray(BigUint64Array, span.pageCount, 'pageCount');
  const first = pageOf(span.address, mm.memory.pageSizeBytes);
  mm.pages.forEachRun(first, first + span.pageCount, (page, pageCount, entry) => {
    const bits = bitsOf(mm, entry);
    if (bits !== 0n) entries.fill(bits, page - first, page - first + pageCount);
  });
  return entries;
}

function bitsOf({ memory: { folios } }: Mm, entry: number): bigint {
  if (entry === SWAPPED) return PM_SWAP;
  if (!isPage(entry)) return isZeroPage(entry) ? PM_PRESENT : 0n;
  if (!isFolio(entry)) return PM_PRESENT | PM_MMAP_EXCLUSIVE;
  const folio = folios.get(folioIdOf(entry));
  const file = folio.object === null ? 0n : PM_FILE;
  return PM_PRESENT | file | (folio.isShared ? 0n : PM_MMAP_EXCLUSIVE);
}
