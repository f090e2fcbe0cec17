/**
 * mincore(2): which pages of a process are in memory.
 *
 * Source: mm/mincore.c, do_mincore() and mincore_pte_range(): of anonymous memory those that are
 * mapped in, of files and shared memory those that anybody has.
 *
 * Deviation: files are their process's own, can_do_mincore(); what waits to be written to a swap
 * device has left memory.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Mm } from '../memory/mm.ts';
import { GUARD, NONE, SWAPPED } from '../memory/page-entry.ts';
import { offsetOf, type Vma } from '../memory/vma.ts';
import { failure, success } from './answer.ts';
import { addressOf, isAligned, pageOf, TASK_SIZE } from './range-argument.ts';

/** The runs of pages that are. EINVAL, ENOMEM. */
export function mincore(mm: Mm, { address, pageCount }: PageSpan): SyscallResult<PageSpan[]> {
  const { pageSizeBytes } = mm.memory;
  if (!isAligned(address, pageSizeBytes)) return failure('mincore', ERRNO.EINVAL);
  const last = address + BigInt(pageCount) * BigInt(pageSizeBytes);
  if (last > TASK_SIZE) return failure('mincore', ERRNO.ENOMEM);
  const start = pageOf(address, pageSizeBytes);
  const end = start + pageCount;
  if (!mm.vmas.covers(start, end)) return failure('mincore', ERRNO.ENOMEM);
  const runs: { start: number; end: number }[] = [];
  for (const vma of mm.vmas.within(start, end)) {
    forEachResident(mm, vma, [Math.max(start, vma.start), Math.min(end, vma.end)], (at, until) => {
      const before = runs.at(-1);
      if (before?.end === at) before.end = until;
      else runs.push({ start: at, end: until });
    });
  }
  return success(
    runs.map((run) => ({
      address: addressOf(run.start, pageSizeBytes),
      pageCount: run.end - run.start,
    })),
  );
}

function forEachResident(
  mm: Mm,
  vma: Vma,
  [start, end]: readonly [number, number],
  take: (start: number, end: number) => void,
): void {
  const { object } = vma;
  if (object === null) {
    for (const part of mm.pages.partsWithTables(start, end)) {
      mm.pages.forEachRun(part.start, part.end, (page, count, entry) => {
        if (isInMemory(entry)) take(page, page + count);
      });
    }
    return;
  }
  mm.pages.forEachRun(start, end, (page, count, entry) => {
    if (isInMemory(entry)) take(page, page + count);
    else if (entry === NONE) {
      for (let at = page; at < page + count; at += 1) {
        if (object.pages.has(offsetOf(vma, at))) take(at, at + 1);
      }
    }
  });
}

function isInMemory(entry: number): boolean {
  return entry !== NONE && entry !== GUARD && entry !== SWAPPED;
}
