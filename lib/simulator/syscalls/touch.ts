/** Accesses to memory, and what becomes of a process whose access finds no memory. */

import type { Access } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Machine } from '../machine.ts';
import { touchPages } from '../memory/fault.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { pageOf } from './range-argument.ts';

export interface TouchCall {
  readonly address: bigint;
  readonly pageCount: number;
  readonly access: Access;
}

/**
 * Reads or writes each page. EFAULT where the access is not allowed; ESRCH where no memory was
 * left that the policy allows, which has ended the process.
 */
export function touch(
  machine: Machine,
  thread: Thread,
  { address, pageCount, access }: TouchCall,
): SyscallResult<undefined> {
  const start = pageOf(address, machine.memory.pageSizeBytes);
  const outcome = touchPages(thread, start, start + pageCount, access);
  if (outcome === 'killed') machine.exit(thread.process);
  const errno = { done: 0, fault: ERRNO.EFAULT, killed: ERRNO.ESRCH }[outcome];
  return answer('touch', errno);
}
