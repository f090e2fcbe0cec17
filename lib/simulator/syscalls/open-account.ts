/** The account that a call's costs go to, where costs are counted. */

import type { CostAccount } from '../cost/cost-account.ts';
import type { MigrationKind } from '../interface/costs.ts';
import type { Process } from '../tasks/process.ts';
import type { Thread } from '../tasks/thread.ts';

/** Pages of `target` are to be moved, or looked at, by a call of `caller`. */
export function openAccount(
  caller: Thread,
  target: Process,
  kind: MigrationKind,
): CostAccount | null {
  const { costs } = caller.space.memory;
  if (costs === null) return null;
  const cpus = new Set(target.threads.map(({ cpu }) => cpu));
  cpus.delete(caller.cpu);
  return costs.account(kind, cpus.size);
}
