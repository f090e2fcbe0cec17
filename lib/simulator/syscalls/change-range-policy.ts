/**
 * One mapping, or part of it, gets another policy: it is cut or joined, and an object that keeps
 * policies learns of it.
 *
 * Source: mm/mempolicy.c, mbind_range() and vma_replace_policy(); mm/shmem.c, shmem_set_policy().
 */

import type { AddressSpace } from '../memory/address-space.ts';
import { offsetOf, type Vma } from '../memory/vma.ts';
import { isEqualPolicy, type Mempolicy } from '../policy/mempolicy.ts';
import { checkSplit } from './check-split.ts';

/**
 * 0, EINVAL or ENOMEM. A mapping that has the policy already is left alone, and so is its object.
 * One that joins its neighbours is set as a whole: the object is told of all that it maps.
 */
export function changeRangePolicy(
  space: AddressSpace,
  part: Vma,
  policy: Mempolicy | null,
): number {
  if (isEqualPolicy(part.policy, policy)) return 0;
  const errno = checkSplit(space, part);
  if (errno !== 0) return errno;
  space.modify(part.start, part.end, { policy });
  const joined = space.vmas.lookup(part.start) as Vma;
  if (joined.object?.hasPolicy === true) {
    joined.object.policy.set(joined.offset, offsetOf(joined, joined.end), policy);
  }
  return 0;
}
