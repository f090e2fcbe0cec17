/**
 * References that keep pages where they are: a pipe's (vmsplice), or a registered buffer's pins.
 *
 * Source: fs/splice.c, vmsplice_to_pipe(); io_uring/rsrc.c, io_sqe_buffer_register(); mm/gup.c.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { allows, dirtyPresent, touchPages } from '../memory/fault.ts';
import type { Mm } from '../memory/mm.ts';
import { folioIdOf, isFolio, isInline, isMarked, isPage } from '../memory/page-entry.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { type Reference, releaseReference, takeReference } from '../tasks/references.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, failure, success } from './answer.ts';
import { pageOf } from './range-argument.ts';

export interface PinCall {
  readonly address: bigint;
  readonly pageCount: number;
  readonly kind: Reference['kind'];
  /** Behind a page that is not mapped for writing, all are dirty. Source: FOLL_TOUCH. */
  readonly dirtiesBehindFault?: boolean;
}

/** Faults the pages in, for reading or, for a pin, writing. The value names the reference. */
export function pinPages(thread: Thread, call: PinCall): SyscallResult<number> {
  const { mm } = thread;
  const start = pageOf(call.address, mm.memory.pageSizeBytes);
  const end = start + call.pageCount;
  if (mm.vmas.within(start, end).some(isForeign)) return failure('pin', ERRNO.EFAULT);
  let isFast = true;
  for (let page = start; page < end; page += 1) {
    isFast &&= isMappedForWriting(mm, page);
    // What is mapped for writing is there already, and a pin by itself writes nothing; a page of a
    // file is not, until a write has been a fault.
    const isThere = isFolio(mm.pages.get(page)) && isWrittenUntold(mm.vmas.lookup(page));
    const access = call.kind === 'pin' && !isThere ? 'write' : 'read';
    if (touchPages(thread, page, page + 1, access) === 'done') {
      if (call.dirtiesBehindFault === true && !isFast) dirtyPresent(mm, page, page + 1);
      continue;
    }
    // A pipe takes as much as there is, and has too little then.
    const isPart = page > start && call.kind === 'reference';
    return failure('pin', isPart ? ERRNO.ENOBUFS : ERRNO.EFAULT);
  }
  const folioIds: number[] = [];
  for (let page = start; page < end; page += 1) {
    // The zero page is nobody's: a reference to it holds nothing.
    if (isPage(mm.pages.get(page))) folioIds.push(mm.folioAt(page));
  }
  return success(thread.process.keep(takeReference(mm.memory, call.kind, folioIds)));
}

/** Whether it is found without faults and locks. Source: gup_fast_pte_range(). */
function isMappedForWriting(mm: Mm, page: number): boolean {
  const area = mm.vmas.lookup(page);
  const entry = mm.pages.get(page);
  if (area === undefined || !allows(area, 'write') || isMarked(entry)) return false;
  if (!isFolio(entry)) return isInline(entry);
  const { isAnonymous, isExclusive } = mm.memory.folios.get(folioIdOf(entry));
  return isWrittenUntold(area) || (isAnonymous && isExclusive);
}

/** Shared, and mapped for writing at once: nobody wants to know of its first write. */
function isWrittenUntold(area: Vma | undefined): boolean {
  if (area === undefined || !hasFlag(area, VM.SHARED) || !allows(area, 'write')) return false;
  return area.object?.kind.isFile !== true;
}

/** Memory that the kernel has no pages of, or may not look into. Source: check_vma_flags(). */
function isForeign(area: Vma): boolean {
  return hasFlag(area, VM.IO) || area.object?.kind.isReachable === false;
}

/** EBADF is not told apart: a name that is none is EINVAL. */
export function unpinPages(thread: Thread, descriptor: number): SyscallResult<undefined> {
  const { references } = thread.process;
  const reference = references.get(descriptor);
  if (reference === undefined) return answer('unpin', ERRNO.EINVAL);
  references.delete(descriptor);
  releaseReference(thread.mm.memory, reference);
  return answer('unpin', 0);
}
