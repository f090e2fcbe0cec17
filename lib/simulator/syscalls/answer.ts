/** Answers of simulated calls, as a backend gives them. */

import type {
  SyscallFailure,
  SyscallResult,
  SyscallSuccess,
} from '../../backend/syscall-result.ts';

export function success<T>(value: T): SyscallSuccess<T> {
  return { ok: true, value };
}

export const DONE: SyscallSuccess<undefined> = Object.freeze(success(undefined));

export function failure(syscall: string, errno: number): SyscallFailure {
  return { ok: false, errno, syscall };
}

/** Success for 0. */
export function answer(syscall: string, errno: number): SyscallResult<undefined> {
  return errno === 0 ? DONE : failure(syscall, errno);
}
