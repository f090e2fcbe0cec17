/** What get_mempolicy(2) writes for a backend, which has room for any mask. */

import type { GetMempolicyRequest, GetMempolicyValue } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { success } from './syscalls/answer.ts';
import { getMempolicy } from './syscalls/get-mempolicy.ts';
import type { Thread } from './tasks/thread.ts';

/** More than any mask takes. */
const MASK_BYTES = 2n ** 16n;

export function policyOf(
  thread: Thread,
  request: Required<GetMempolicyRequest> & { readonly possibleNodeCount: number },
): SyscallResult<GetMempolicyValue> {
  const { maxnode } = request;
  const { result, mode, words } = getMempolicy(thread, {
    ...request,
    maxnode: BigInt(maxnode),
    hasMask: maxnode !== 0,
    hasMode: true,
    writableMaskBytes: MASK_BYTES,
    isModeWritable: true,
  });
  return result.ok ? success({ mode: mode ?? 0, nodemask: BigUint64Array.from(words) }) : result;
}
