/**
 * Takes a range out of automatic NUMA balancing: the kernel leaves alone what has a policy of its
 * own without `numa-balancing`. The cheapest such policy is LOCAL, which names no node.
 *
 * Source: mm/mempolicy.c, vma_policy_mof(); kernel/sched/fair.c, task_numa_work().
 */

import type { PageSpan } from '../../backend/backend.ts';
import { local, modeWord } from '../../core/memory-policy.ts';
import { POLICY_MODES } from '../../core/policy-modes.ts';
import type { Context } from '../context.ts';
import type { PageRange } from '../pages/page-range.ts';
import { type PolicyPart, policiesOf } from '../policy/policy-parts.ts';
import { policyOfValue } from '../policy/read-policy.ts';

/** What `exemptFromBalancing()` found and did, in base pages. */
export interface BalancingExemption {
  readonly pages: {
    readonly total: number;
    /** Had no policy of their own, and have `local` now. */
    readonly exempted: number;
    /** Have a policy of their own that exempts them; left as it is. */
    readonly alreadyExempt: number;
    /** Have a policy of their own with the flag `numa-balancing`; left as it is, and balanced. */
    readonly stillBalanced: number;
  };
  /** Whether balancing leaves every page of the range alone now. */
  readonly complete: boolean;
}

type ExemptionOutcome = Exclude<keyof BalancingExemption['pages'], 'total'>;

/** Policy by policy: a part of the range with one of its own keeps it. */
export function exemptRange(context: Context, range: PageRange): BalancingExemption {
  const { address, pageCount } = range;
  const counts: Record<ExemptionOutcome, number> = {
    exempted: 0,
    alreadyExempt: 0,
    stillBalanced: 0,
  };
  const parts = context.unwrap(
    policiesOf(context.backend, { address, pageCount }),
    'looking for the parts of the range',
  );
  for (const part of parts) {
    const finding = findingOf(context, part);
    counts[finding] += part.pageCount;
    if (finding === 'exempted') setLocal(context, part);
  }
  const { stillBalanced } = counts;
  return { pages: { total: pageCount, ...counts }, complete: stillBalanced === 0 };
}

function findingOf(context: Context, part: PolicyPart): ExemptionOutcome {
  const { mode, flags } = policyOfValue(context, part.policy);
  if (POLICY_MODES[mode].isNone) return 'exempted';
  return flags.includes('numa-balancing') ? 'stillBalanced' : 'alreadyExempt';
}

function setLocal(context: Context, { address, pageCount }: PageSpan): void {
  const lengthBytes = pageCount * context.backend.pageSizeBytes;
  const request = { address, lengthBytes, mode: modeWord(local()), nodemask: null, flags: 0 };
  const asked = `exempting ${lengthBytes} bytes from balancing`;
  context.unwrap(context.backend.mbind(request), asked, { policy: 'local', address, lengthBytes });
}
