/**
 * What this machine counts: of each node numbers of pages, and what migrations and balancing have
 * done. Since 5.14 the kernel folds the counters of nodes when they are read, so none is late.
 */

import type { VmCounters } from '../../lib/machine/counters.ts';
import { type NodeAllocations, parseNumastat } from '../../lib/procfs/node-files.ts';
import type { MachineFiles } from './puppet-files.ts';

/** Reading it folds what each CPU has counted by itself. Root's. */
const REFRESH = '/proc/sys/vm/stat_refresh';

export async function readNodeCounters(
  files: MachineFiles,
  node: number,
): Promise<NodeAllocations> {
  const text = await files.text(`/sys/devices/system/node/node${node}/numastat`);
  const counts = parseNumastat(text);
  if (counts === null) throw new Error(`numastat of node ${node} lacks some of: ${text}`);
  return counts;
}

export async function readVmCounters(files: MachineFiles): Promise<VmCounters> {
  // Where it may not be read, counters of promotions may be a second late.
  await files.readText(REFRESH);
  const text = await files.text('/proc/vmstat');
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
