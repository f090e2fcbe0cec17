/**
 * What this machine counts: of each node numbers of pages, and what migrations and balancing have
 * done. Since 5.14 the kernel folds the counters of nodes when they are read, so none is late.
 */

import { readFileSync } from 'node:fs';
import type { NodeCounters, VmCounters } from '../contract/world.ts';

/** Reading it folds what each CPU has counted by itself. Root's. */
const REFRESH = '/proc/sys/vm/stat_refresh';

export function readNodeCounters(node: number): NodeCounters {
  const text = readFileSync(`/sys/devices/system/node/node${node}/numastat`, 'utf8');
  const count = (name: string): number => {
    const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text);
    if (match?.[1] === undefined) throw new Error(`numastat of node ${node} has no ${name}`);
    return Number(match[1]);
  };
  return {
    numaHit: count('numa_hit'),
    numaMiss: count('numa_miss'),
    numaForeign: count('numa_foreign'),
    interleaveHit: count('interleave_hit'),
    localNode: count('local_node'),
    otherNode: count('other_node'),
  };
}

export function readVmCounters(): VmCounters {
  try {
    readFileSync(REFRESH);
  } catch {
    // Then counters of promotions may be a second late.
  }
  const text = readFileSync('/proc/vmstat', 'utf8');
  const find = (name: string): number | null => {
    const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text);
    return match?.[1] === undefined ? null : Number(match[1]);
  };
  const count = (name: string): number => {
    const value = find(name);
    if (value === null) throw new Error(`vmstat has no ${name}`);
    return value;
  };
  return {
    pgmigrateSuccess: count('pgmigrate_success'),
    pgmigrateFail: count('pgmigrate_fail'),
    numaPteUpdates: count('numa_pte_updates'),
    numaHugePteUpdates: count('numa_huge_pte_updates'),
    numaHintFaults: count('numa_hint_faults'),
    numaHintFaultsLocal: count('numa_hint_faults_local'),
    numaPagesMigrated: count('numa_pages_migrated'),
    pgpromoteSuccess: count('pgpromote_success'),
    pgpromoteCandidate: count('pgpromote_candidate'),
    pgpromoteCandidateNrl: find('pgpromote_candidate_nrl'),
  };
}
