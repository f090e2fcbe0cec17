/**
 * mbind(2), and set_mempolicy_home_node(2), which changes the policies that it has made.
 *
 * Source: mm/mempolicy.c, kernel_mbind(), do_mbind(), mbind_range(),
 * alloc_migration_target_by_mpol() and SYSCALL_DEFINE4(set_mempolicy_home_node, ...).
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { CostAccount } from '../cost/cost-ledger.ts';
import type { Steps } from '../memory/in-flight.ts';
import type { Mm } from '../memory/mm.ts';
import { interleaveIndexAt, offsetOf, rangePolicyAt, type Vma } from '../memory/vma.ts';
import { migratePages, tellIsolated } from '../migrate/migrate-pages.ts';
import { putBackAll } from '../migrate/page-list.ts';
import { queuePages } from '../migrate/queue-pages.ts';
import { finish } from '../migrate/suspended-call.ts';
import type { MigrationTarget } from '../migrate/target-folio.ts';
import { hasNode } from '../nodes/nodemask.ts';
import {
  checkNodes,
  isEqualPolicy,
  type Mempolicy,
  type MempolicyArguments,
} from '../policy/mempolicy.ts';
import { searchFor } from '../policy/placement.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import {
  checkSplit,
  isAligned,
  type Pages,
  pagesOf,
  type RangeArgument,
} from './range-argument.ts';
import { decodePolicy, policyFor, type SetMempolicyArguments } from './set-mempolicy.ts';
import { openAccount } from './target-process.ts';

const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
const FLAGS = STRICT | MOVE | MOVE_ALL;

export interface MbindArguments extends SetMempolicyArguments, RangeArgument {
  readonly flags: number;
}

export function mbind(thread: Thread, call: MbindArguments): SyscallResult<undefined> {
  return finish(thread.mm.memory.inFlight, stepsOfMbind(thread, call));
}

/** The same, step by step. */
export function* stepsOfMbind(
  thread: Thread,
  call: MbindArguments,
): Steps<SyscallResult<undefined>> {
  return answer('mbind', yield* doMbind(thread, call));
}

function* doMbind(thread: Thread, call: MbindArguments): Steps<number> {
  const { memory } = thread.mm;
  const given = decodePolicy(memory, call);
  if ('errno' in given) return given.errno;
  const asked = call.flags | 0;
  if ((asked & ~FLAGS) !== 0) return ERRNO.EINVAL;
  if ((asked & MOVE_ALL) !== 0 && !thread.process.credentials.canSetNice) return ERRNO.EPERM;
  if (!isAligned(call.address, memory.pageSizeBytes)) return ERRNO.EINVAL;
  const flags = given.mode.isNone ? asked & ~STRICT : asked;
  const pages = pagesOf(call, memory.pageSizeBytes);
  if ('errno' in pages) return pages.errno;
  if (pages.start === pages.end) return 0;
  const errno = checkNodes(given);
  if (errno !== 0) return errno;
  const policy = policyFor(thread, given);
  if (policy !== null && 'errno' in policy) return policy.errno;
  return yield* apply(thread, pages, { given, policy, flags });
}

interface Change {
  readonly given: MempolicyArguments;
  readonly policy: Mempolicy | null;
  readonly flags: number;
}

/** The range is walked, then the policy set, then pages move: the kernel's order. */
function* apply(thread: Thread, pages: Pages, { given, policy, flags }: Change): Steps<number> {
  const { mm } = thread;
  const account = openAccount(thread, thread.process, 'mbind');
  if ((flags & (MOVE | MOVE_ALL)) !== 0) account?.countCall();
  const queued = queuePages({
    mm,
    ...pages,
    account,
    flags,
    isMisplaced: (node) => !hasNode(given.user, node),
    takesHoles: policy === null,
  });
  const errno = queued.errno === 0 ? setRangePolicy(mm, pages, policy) : queued.errno;
  if (errno !== 0) {
    putBackAll(queued.list.entries);
    return errno;
  }
  const target = targetOf(thread, { pages, policy, account });
  yield* tellIsolated(queued.list);
  const { failedCount, isOutOfMemory } = yield* migratePages(mm.memory, queued.list, target);
  const isMissed = failedCount > 0 || isOutOfMemory || queued.leftFolios > 0;
  return isMissed && (flags & STRICT) !== 0 ? ERRNO.EIO : 0;
}

/** Mapping by mapping, upwards; those before a failure keep the new policy. */
function setRangePolicy(mm: Mm, pages: Pages, policy: Mempolicy | null): number {
  for (const part of mm.vmas.within(pages.start, pages.end)) {
    const errno = changeRangePolicy(mm, part, policy);
    if (errno !== 0) return errno;
  }
  return 0;
}

/** Pages go where the new policy would put them, seen from the caller. */
function targetOf(
  thread: Thread,
  {
    pages,
    policy,
    account,
  }: {
    readonly pages: Pages;
    readonly policy: Mempolicy | null;
    readonly account: CostAccount | null;
  },
): MigrationTarget {
  const { mm } = thread;
  const { interleave, facts } = mm.memory;
  const given = policy ?? thread.policy;
  // An object keeps the policy that another mapping gave it where this one has the given already.
  const asksRange =
    !facts.movesByGivenPolicy &&
    mm.vmas.within(pages.start, pages.end).some(({ object }) => object?.kind.keepsPolicy === true);
  return {
    account,
    isUniform: !asksRange && !given?.mode.interleaving,
    by: thread,
    searchFor: (page, folio, known) => {
      const vma = known ?? (mm.vmas.lookup(page) as Vma);
      const isByThread = folio?.isMerged === true && !facts.mergedPagesFollowNewPolicy;
      const index = interleaveIndexAt(vma, page, folio?.pageCount);
      const ofRange = asksRange ? (rangePolicyAt(vma, page) ?? thread.policy) : given;
      const chosen = isByThread ? thread.policy : ofRange;
      return searchFor({ policy: chosen, index }, thread, interleave);
    },
  };
}

/**
 * One mapping, or part of it, gets another policy: 0, EINVAL or ENOMEM. A mapping that has the
 * policy already is left alone, and so is its object. One that joins its neighbours is set as a
 * whole: the object is told of all that it maps.
 *
 * Source: mbind_range() and vma_replace_policy(); mm/shmem.c, shmem_set_policy().
 */
export function changeRangePolicy(mm: Mm, part: Vma, policy: Mempolicy | null): number {
  if (isEqualPolicy(part.policy, policy)) return 0;
  const errno = checkSplit(mm, part);
  if (errno !== 0) return errno;
  mm.modify(part.start, part.end, { policy });
  const joined = mm.vmas.lookup(part.start) as Vma;
  if (joined.object?.kind.keepsPolicy === true) {
    joined.object.policy.set(joined.offset, offsetOf(joined, joined.end), policy);
  }
  return 0;
}

interface HomeNodeCall extends RangeArgument {
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
