/**
 * /proc/PID/pagemap: the state of each page.
 *
 * Source: proc_pid_pagemap(5); fs/proc/task_mmu.c, pagemap_open() and pagemap_pmd_range();
 * fs/proc/base.c, proc_pid_make_inode(): it belongs to the process's user, or to root.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import { folioIdOf, isFolio, isPage, isZeroPage, SWAPPED } from '../memory/page-entry.ts';
import { failure, success } from '../syscalls/answer.ts';
import { pageOf } from '../syscalls/range-argument.ts';
import type { Process } from '../tasks/process.ts';
import { memoryOf, type Reader } from './process-folder.ts';

const PRESENT = 1n << 63n;
const SWAP = 1n << 62n;
const FILE_OR_SHARED = 1n << 61n;

const ROOT = 0;

/** pid 0 is the reader's own. ENOENT, EACCES, ESRCH. */
export function readPagemap(
  reader: Reader,
  span: PageSpan,
  pid: number,
): SyscallResult<BigUint64Array> {
  const { machine, thread } = reader;
  const target = pid === 0 ? thread.process : machine.findProcess(pid);
  if (target === undefined) return failure('open', ERRNO.ENOENT);
  const { uid } = thread.process.credentials;
  if (uid !== ROOT && uid !== ownerOf(target)) return failure('open', ERRNO.EACCES);
  const memory = memoryOf(reader, target);
  if (memory === null) {
    if (machine.profile.pagemapNeedsMemory) return failure('open', ERRNO.ESRCH);
    return success(new BigUint64Array(span.pageCount));
  }
  return 'errno' in memory ? failure('open', memory.errno) : success(pagemapOf(memory, span));
}

/** Source: fs/proc/base.c, task_dump_owner(). */
function ownerOf({ hasMemory, credentials }: Process): number {
  return hasMemory && credentials.isDumpable ? credentials.uid : ROOT;
}

/** The entry of each page of a range. */
function pagemapOf(space: AddressSpace, span: PageSpan): BigUint64Array {
  const entries = new BigUint64Array(span.pageCount);
  const first = pageOf(span.address, space.memory.pageSizeBytes);
  space.pages.forEachRun(first, first + span.pageCount, (page, pageCount, entry) => {
    const bits = bitsOf(space, entry);
    if (bits !== 0n) entries.fill(bits, page - first, page - first + pageCount);
  });
  return entries;
}

function bitsOf({ memory: { folios } }: AddressSpace, entry: number): bigint {
  if (entry === SWAPPED) return SWAP;
  if (!isPage(entry)) return isZeroPage(entry) ? PRESENT : 0n;
  const isFile = isFolio(entry) && folios.get(folioIdOf(entry)).object !== null;
  return isFile ? PRESENT | FILE_OR_SHARED : PRESENT;
}
