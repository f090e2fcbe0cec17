/** Files of the host that a simulated machine can map: it has none of its own. */

import type { Access } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';

export interface HostFiles {
  /** All of a file, by the one name that it has under every path. As of openat(2): ENOENT, EACCES,
   *  EISDIR; ENODEV for what is no regular file. */
  read(
    path: string,
    access: Access,
  ): SyscallResult<{ readonly name: string; readonly bytes: Uint8Array }>;
  /** Writes into it, never behind its end; how many bytes. */
  write(name: string, offsetBytes: number, bytes: Uint8Array): SyscallResult<number>;
}
