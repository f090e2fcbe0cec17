/**
 * What arrays of the program show: memory that the engine has, or bytes of a mapping.
 *
 * Source: madvise(2) with MADV_POPULATE_READ and MADV_POPULATE_WRITE.
 */

import type { Access } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import { MADV } from '../core/uapi.ts';
import type { Caller } from './caller.ts';
import { DONE, failure, success } from './syscalls/answer.ts';
import { madvise } from './syscalls/madvise.ts';
import { mmap, roomFor } from './syscalls/mapping-calls.ts';
import { addressOf, pageOf } from './syscalls/range-argument.ts';

/** EFAULT: it shows nothing. */
export function viewAddress(caller: Caller, view: Uint8Array): SyscallResult<bigint> {
  const find = (): SyscallResult<bigint> => {
    if (view.length === 0) return failure('view', ERRNO.EFAULT);
    const address = locate(caller, view);
    return address === undefined ? failure('view', ERRNO.ENOMEM) : success(address);
  };
  // Only the first look at a buffer changes anything.
  const pageCount = caller.mappings.pagesNeededBy(view.buffer);
  if (pageCount === 0) return caller.ask('view', find);
  return caller.callOn(roomFor(caller.thread.mm, pageCount), 'view', find);
}

export function touchView(
  caller: Caller,
  view: Uint8Array,
  access: Access,
): SyscallResult<undefined> {
  if (view.length === 0) return caller.ask('madvise', () => DONE);
  const found = viewAddress(caller, view);
  if (!found.ok) return failure('madvise', found.errno);
  const { value: address } = found;
  const range = { address, lengthBytes: BigInt(view.length) };
  return caller.callOn(range, 'madvise', (thread) => {
    const { pageSizeBytes } = thread.mm.memory;
    const start = pageOf(address, pageSizeBytes);
    const pageCount = pageOf(address + BigInt(view.length - 1), pageSizeBytes) + 1 - start;
    const advice = access === 'write' ? MADV.POPULATE_WRITE : MADV.POPULATE_READ;
    return madvise(thread, { address: addressOf(start, pageSizeBytes), pageCount, advice });
  });
}

/** Undefined where a new area finds no room. */
function locate({ machine, thread, mappings }: Caller, view: Uint8Array): bigint | undefined {
  const { pageSizeBytes } = machine.memory;
  const area = mappings.areaOf(view.buffer, (pageCount) => {
    const where = { address: 0n, access: 'write', isShared: false, object: null } as const;
    const mapped = mmap(machine, thread, { ...where, pageCount, offset: 0 });
    return mapped.ok ? pageOf(mapped.value, pageSizeBytes) : undefined;
  });
  if (area === undefined) return undefined;
  return addressOf(area.start, pageSizeBytes) + BigInt(area.leadBytes + view.byteOffset);
}
