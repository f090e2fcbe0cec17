/**
 * Linux error numbers by name. Our own table, because the simulator answers with Linux's numbers
 * on hosts whose own numbers differ.
 *
 * Source: include/uapi/asm-generic/errno-base.h and errno.h.
 */

import { checkInteger } from './check-arguments.ts';

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ENOBUFS: 105,
} as const;

/**
 * Name of a Linux error number, `E<number>` for one that this table does not have.
 * @throws TypeError, RangeError for what is no integer
 */
export function errnoName(errno: number): string {
  checkInteger(errno, 'errno', Number.MIN_SAFE_INTEGER);
  return nameByErrno.get(errno) ?? `E${errno}`;
}

const nameByErrno: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, errno]) => [errno, name]),
);
