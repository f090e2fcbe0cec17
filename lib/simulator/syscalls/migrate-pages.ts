/**
 * migrate_pages(2).
 *
 * Source: mm/mempolicy.c, kernel_migrate_pages(), do_migrate_pages() and migrate_to_node().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { CostAccount } from '../cost/cost-ledger.ts';
import type { MachineState } from '../machine.ts';
import type { Steps } from '../memory/in-flight.ts';
import type { Mm } from '../memory/mm.ts';
import { migratePages, tellIsolated } from '../migrate/migrate-pages.ts';
import { queuePages } from '../migrate/queue-pages.ts';
import { finish } from '../migrate/suspended-call.ts';
import { exactly } from '../migrate/target-folio.ts';
import { hasNode, isSubset, NO_NODES, type Nodemask, nodesIn } from '../nodes/nodemask.ts';
import type { Allocator } from '../policy/placement.ts';
import type { Thread } from '../tasks/thread.ts';
import { failure, success } from './answer.ts';
import { decodeMask, type UserMask } from './decode-mask.ts';
import { findTarget, openAccount } from './target-process.ts';

export interface MigratePagesArguments {
  readonly pid: number;
  readonly from: UserMask;
  readonly to: UserMask;
}

export function kernelMigratePages(
  machine: MachineState,
  thread: Thread,
  call: MigratePagesArguments,
): SyscallResult<number> {
  return finish(machine.memory.inFlight, stepsOfMigratePages(machine, thread, call));
}

/** The same, step by step. */
export function* stepsOfMigratePages(
  machine: MachineState,
  thread: Thread,
  { pid, from, to }: MigratePagesArguments,
): Steps<SyscallResult<number>> {
  const fail = (errno: number): SyscallResult<number> => failure('migrate_pages', errno);
  const { pageSizeBytes, physical } = machine.memory;
  const old = decodeMask(from, pageSizeBytes);
  if (!old.ok) return fail(old.errno);
  const wanted = decodeMask(to, pageSizeBytes);
  if (!wanted.ok) return fail(wanted.errno);
  const target = findTarget(machine, thread, pid);
  if ('errno' in target) return fail(target.errno);
  const { canSetNice } = thread.process.credentials;
  if (!canSetNice && !isSubset(wanted.mask, target.memsAllowed)) return fail(ERRNO.EPERM);
  const allowed = wanted.mask & thread.memsAllowed & physical.memoryNodes;
  if (allowed === NO_NODES || !target.hasMemory) return fail(ERRNO.EINVAL);
  const flags = canSetNice ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE;
  const account = openAccount(thread, target, 'migrate_pages');
  account?.countCall();
  const left = yield* migrateBetween(target.mm, {
    from: old.mask,
    to: allowed,
    flags,
    by: thread,
    account,
  });
  return left < 0 ? fail(-left) : success(left);
}

interface MoveBetween {
  readonly from: Nodemask;
  readonly to: Nodemask;
  readonly flags: number;
  readonly by: Allocator;
  readonly account: CostAccount | null;
}

/** Pages left behind, or a negative errno. A change of a cpuset does the same. */
export function* migrateBetween(
  mm: Mm,
  { from, to, flags, by, account }: MoveBetween,
): Steps<number> {
  let left = 0;
  for (const pair of nodePairs(from, to)) {
    const queued = queuePages({
      mm,
      start: 0,
      end: Number.MAX_SAFE_INTEGER,
      flags,
      isMisplaced: (node) => node === pair.from,
      takesHoles: true,
      account,
    });
    const { memory } = mm;
    yield* tellIsolated(queued.list);
    const result = yield* migratePages(memory, queued.list, exactly(pair.to, by, account));
    if (result.isOutOfMemory) return -ERRNO.ENOMEM;
    const counted = { nothing: 0, folios: queued.leftFolios, pages: queued.leftPages };
    left += result.failedCount + counted[memory.facts.countsUnisolated];
  }
  return left;
}

/** From one node to another. */
interface NodePair {
  readonly from: number;
  readonly to: number;
}

/** The pairs in the order in which they are worked off: the far end of a chain first. */
function nodePairs(from: Nodemask, to: Nodemask): NodePair[] {
  const pairs: NodePair[] = [];
  const left = nodesIn(from);
  for (;;) {
    const pair = nextPair(left, from, to);
    if (pair === undefined) return pairs;
    pairs.push(pair);
    left.splice(left.indexOf(pair.from), 1);
  }
}

/** The first pair whose target is no source any more; else the last that is one at all. */
function nextPair(left: readonly number[], from: Nodemask, to: Nodemask): NodePair | undefined {
  const sources = nodesIn(from);
  const targets = nodesIn(to);
  let last: NodePair | undefined;
  for (const source of left) {
    if (sources.length !== targets.length && hasNode(to, source)) continue;
    const target = targets[sources.indexOf(source) % targets.length] as number;
    if (target === source) continue;
    last = { from: source, to: target };
    if (!left.includes(target)) break;
  }
  return last;
}
