/**
 * The files of procfs and sysfs that a simulated machine has.
 *
 * Source: proc(5), sysfs(5).
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { failure } from '../syscalls/answer.ts';

/** The text of a file. */
export function textOf(_path: string): SyscallResult<string> {
  return failure('open', ERRNO.ENOENT);
}

/** The names in a folder. */
export function namesOf(_path: string): SyscallResult<string[]> {
  return failure('scandir', ERRNO.ENOENT);
}
