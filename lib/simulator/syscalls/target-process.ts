/**
 * The process that a call names: whether the caller may look into it, and who pays for it.
 *
 * Source: mm/migrate.c, find_mm_struct(); mm/mempolicy.c, kernel_migrate_pages().
 */

import { ERRNO } from '../../core/errno.ts';
import type { CostAccount } from '../cost/cost-ledger.ts';
import type { MigrationKind } from '../interface/costs.ts';
import type { MachineState } from '../machine.ts';
import { mayRead } from '../tasks/credentials.ts';
import type { Process } from '../tasks/process.ts';
import type { Thread } from '../tasks/thread.ts';

/** pid 0 is the caller. ESRCH, EPERM. */
export function findTarget(
  machine: MachineState,
  { process: caller }: Thread,
  pid: number,
): Process | { readonly errno: number } {
  if (pid === 0) return caller;
  const target = machine.findProcess(pid);
  if (target === undefined) return { errno: ERRNO.ESRCH };
  const { credentials, hasMemory } = target;
  // Who has no memory has none that could be hidden.
  const shown = hasMemory ? credentials : { ...credentials, isDumpable: true };
  if (target === caller || mayRead(caller.credentials, shown)) return target;
  return { errno: ERRNO.EPERM };
}

/**
 * Pages of `target` are to be moved, or looked at, by a call of `caller`; null where nobody counts
 * costs.
 */
export function openAccount(
  caller: Thread,
  target: Process,
  kind: MigrationKind,
): CostAccount | null {
  const { costs } = caller.mm.memory;
  if (costs === null) return null;
  const cpus = new Set(target.threads.map(({ cpu }) => cpu));
  cpus.delete(caller.cpu);
  return costs.account(kind, cpus.size);
}
