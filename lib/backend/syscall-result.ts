/**
 * The answer of a system call: a value, or the errno with the call that gave it.
 */

/** The call did what it was asked. */
export interface SyscallSuccess<T> {
  readonly ok: true;
  readonly value: T;
}

/** The system said no. */
export interface SyscallFailure {
  readonly ok: false;
  /** The kernel's errno, positive. */
  readonly errno: number;
  /** The kernel's or the library's name of the call, as in its man page. */
  readonly syscall: string;
  /** The file that it was about; absent where it was about none. */
  readonly path?: string;
}

export type SyscallResult<T> = SyscallSuccess<T> | SyscallFailure;
