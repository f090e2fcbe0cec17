/**
 * set_mempolicy_home_node(2).
 *
 * Source: mm/mempolicy.c, SYSCALL_DEFINE4(set_mempolicy_home_node, ...).
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { changeRangePolicy } from './mbind.ts';
import { isAligned, pagesOf, type RangeArgument } from './range-argument.ts';

export interface HomeNodeCall extends RangeArgument {
  readonly node: bigint;
  readonly flags: bigint;
}

export function setMempolicyHomeNode(thread: Thread, call: HomeNodeCall): SyscallResult<undefined> {
  return answer('set_mempolicy_home_node', doSetHomeNode(thread, call));
}

function doSetHomeNode({ mm }: Thread, call: HomeNodeCall): number {
  const { physical, pageSizeBytes } = mm.memory;
  if (!isAligned(call.address, pageSizeBytes) || call.flags !== 0n) return ERRNO.EINVAL;
  const homeNode = Number(call.node);
  if (!physical.isOnline(homeNode)) return ERRNO.EINVAL;
  const pages = pagesOf(call, pageSizeBytes);
  if ('errno' in pages) return pages.errno;
  if (pages.start === pages.end) return 0;
  let errno: number = ERRNO.ENOENT;
  for (const part of mm.vmas.within(pages.start, pages.end)) {
    const { policy } = part;
    if (policy === null) continue;
    if (!policy.mode.takesHomeNode) return ERRNO.EOPNOTSUPP;
    const refused = changeRangePolicy(mm, part, { ...policy, homeNode });
    if (refused !== 0) return refused;
    errno = 0;
  }
  return errno;
}
