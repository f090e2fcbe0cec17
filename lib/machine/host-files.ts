/** Files of the host that a simulated machine can map: it has none of its own. */

import type { Access } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';

/** Which file it is. */
export interface HostFileName {
  /** The one that it has under every path. */
  readonly name: string;
  /** Of the file itself: another one may get the name. */
  readonly identity: string;
}

export interface HostFiles {
  /** All of a file. As of openat(2): ENOENT, EACCES, EISDIR; ENODEV for what is no regular file. */
  read(path: string, access: Access): SyscallResult<HostFileName & { readonly bytes: Uint8Array }>;
  /** Writes into it, never behind its end; how many bytes. A file that has lost its name takes all
   *  of them, and nobody sees them. */
  write(file: HostFileName, offsetBytes: number, bytes: Uint8Array): SyscallResult<number>;
}
