/** Files below /proc and /sys, as a process of the contract reads them with its user's rights. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';

/** With the trait `files`: of a world, as the privileged test itself reads them. */
export interface TextFiles {
  readText(path: string): Promise<SyscallResult<string>>;
  readNames(path: string): Promise<SyscallResult<string[]>>;
}

/** The same by a process, with its user's rights. */
export interface FileCalls extends TextFiles {
  /** The entries of another process's pagemap, or of its own by its number. */
  pagemap(pid: number, address: bigint, pageCount: number): Promise<SyscallResult<bigint[]>>;
}
