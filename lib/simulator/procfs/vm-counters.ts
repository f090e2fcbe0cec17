/**
 * What /proc/vmstat tells of migrations and of balancing.
 *
 * Source: mm/vmstat.c, vmstat_text.
 */

import type { VmCounters } from '../../machine/counters.ts';
import type { Memory } from '../memory/memory.ts';

export function vmCountersOf({ physical, migrated, facts }: Memory): VmCounters {
  const { pgpromoteCandidateNrl, ...counters } = physical.balancing;
  return {
    pgmigrateSuccess: migrated.moved,
    pgmigrateFail: migrated.failed,
    ...counters,
    pgpromoteCandidate: physical.promotions.candidates,
    pgpromoteCandidateNrl: facts.countsUnlimitedCandidates ? pgpromoteCandidateNrl : null,
  };
}
