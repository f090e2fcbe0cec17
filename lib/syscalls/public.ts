/**
 * node-numa/syscalls: the six system calls bare, for those who want exactly them. The kernel's
 * numbers and masks beside them. docs/syscalls.md describes each call like a manual page.
 */

export type * from '../backend/backend.ts';
export type { SyscallFailure, SyscallResult, SyscallSuccess } from '../backend/syscall-result.ts';
export { ERRNO, errnoName } from '../core/errno.ts';
export { NodeMask } from '../core/node-mask.ts';
export { nodemaskWords, nodesOfWords } from '../core/nodemask-words.ts';
export { MPOL, MPOL_F, MPOL_MF, MPOL_MODE_FLAG } from '../core/uapi.ts';
export { openSyscalls } from './open-syscalls.ts';
export type {
  MbindCall,
  MigratePagesCall,
  Nodemask,
  SetMempolicyCall,
  Syscalls,
} from './syscalls.ts';
