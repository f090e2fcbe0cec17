/**
 * set_mempolicy(2).
 *
 * Source: mm/mempolicy.c, kernel_set_mempolicy() and do_set_mempolicy().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Memory } from '../memory/memory.ts';
import {
  checkNodes,
  type Mempolicy,
  type MempolicyArguments,
  makeMempolicy,
  splitModeWord,
} from '../policy/mempolicy.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { decodeMask, type UserMask } from './decode-mask.ts';

/** Mode word and mask of a policy call. */
export interface SetMempolicyArguments {
  /** An `int`. */
  readonly mode: number;
  readonly nodemask: UserMask;
}

export function setMempolicy(
  thread: Thread,
  call: SetMempolicyArguments,
): SyscallResult<undefined> {
  const given = decodePolicy(thread.mm.memory, call);
  if ('errno' in given) return answer('set_mempolicy', given.errno);
  const errno = checkNodes(given);
  if (errno !== 0) return answer('set_mempolicy', errno);
  const made = policyFor(thread, given);
  if (made !== null && 'errno' in made) return answer('set_mempolicy', made.errno);
  thread.setPolicy(made);
  return answer('set_mempolicy', 0);
}

/** Mode word first, then the mask: what both policy calls begin with. */
export function decodePolicy(
  { facts, pageSizeBytes }: Memory,
  { mode: word, nodemask }: SetMempolicyArguments,
): MempolicyArguments | { readonly errno: number } {
  const split = splitModeWord(word | 0, facts);
  if (split === null) return { errno: ERRNO.EINVAL };
  const decoded = decodeMask(nodemask, pageSizeBytes);
  return decoded.ok ? { ...split, user: decoded.mask } : { errno: decoded.errno };
}

/** The policy that arguments mean for this thread. */
export function policyFor(
  { memsAllowed, mm: { memory } }: Thread,
  given: MempolicyArguments,
): Mempolicy | null | { readonly errno: number } {
  const { facts, physical } = memory;
  return makeMempolicy(given, { memsAllowed, memoryNodes: physical.memoryNodes, facts });
}
