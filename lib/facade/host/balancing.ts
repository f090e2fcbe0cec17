/**
 * Automatic NUMA balancing: whether the kernel moves pages by itself, how eagerly, and what it has
 * done so far.
 *
 * Source: Documentation/admin-guide/sysctl/kernel.rst, numa_balancing; kernel/sched/debug.c;
 * Documentation/ABI/testing/sysfs-kernel-mm-numa; mm/vmstat.c. Before Linux 5.13 the scan's
 * settings were files of /proc/sys/kernel; those kernels' are not read.
 */

import { MIB_BYTES } from '../../core/units.ts';
import { parseCount } from '../../procfs/node-files.ts';
import { parseCounters } from '../../procfs/vmstat.ts';
import type { Context } from '../context.ts';
import { readFile } from './read-file.ts';

/**
 * `normal`: pages follow the CPUs that use them. `tiering`: hot pages of slow memory go to fast
 * memory. The kernel can do both at once.
 */
export type BalancingMode = 'off' | 'normal' | 'tiering' | 'normal-and-tiering';

/** What the scan's files say; `null` for each that cannot be read. They are root's to read. */
export interface BalancingScan {
  /** Time that a new process is left alone. */
  readonly delayMs: number | null;
  /** Time between two scans of a process, between these two. */
  readonly periodMinMs: number | null;
  readonly periodMaxMs: number | null;
  /** Memory that one scan marks. */
  readonly sizeBytes: number | null;
  /** Pages that are used again within this time are hot: for `tiering`. */
  readonly hotThresholdMs: number | null;
}

/**
 * Counts since the machine started, under the kernel's names of /proc/vmstat: base pages, but for
 * faults. `null`: this kernel does not count that.
 */
export interface BalancingCounters {
  /** Pages that were marked; a huge page is as many as it has, and one of the latter. */
  readonly numaPteUpdates: number | null;
  readonly numaHugePteUpdates: number | null;
  /** Accesses to marked pages; and those by CPUs of the page's node. */
  readonly numaHintFaults: number | null;
  readonly numaHintFaultsLocal: number | null;
  /** Pages that balancing has moved. */
  readonly numaPagesMigrated: number | null;
  /** Pages that anything has moved, migrate() included, and could not move. */
  readonly pgmigrateSuccess: number | null;
  readonly pgmigrateFail: number | null;
  /** Pages that tiering has moved to fast memory; those that were hot enough to be; and, since
   *  6.18, those that were moved hot or not, for there was plenty of room. */
  readonly pgpromoteSuccess: number | null;
  readonly pgpromoteCandidate: number | null;
  readonly pgpromoteCandidateNrl: number | null;
  /** Pages moved to slow memory by reclaim, in the background and by who needed memory. */
  readonly pgdemoteKswapd: number | null;
  readonly pgdemoteDirect: number | null;
}

/** Plain data; `null` where the kernel does not tell. */
export interface BalancingState {
  readonly mode: BalancingMode | null;
  readonly scan: BalancingScan;
  /** Bytes a second that may be promoted on one node. */
  readonly promoteRateLimitBytesPerSecond: number | null;
  /** Whether reclaim moves cold pages to slower memory. */
  readonly isDemotionEnabled: boolean | null;
  readonly counters: BalancingCounters;
}

/** By the bits of kernel.numa_balancing. */
const MODES: readonly BalancingMode[] = ['off', 'normal', 'tiering', 'normal-and-tiering'];
const SYSCTL = '/proc/sys/kernel/numa_balancing';
const SCAN_FOLDER = '/sys/kernel/debug/sched/numa_balancing';
const DEMOTION_PATH = '/sys/kernel/mm/numa/demotion_enabled';

export async function readBalancing({ backend }: Context): Promise<BalancingState> {
  const number = (path: string): Promise<number | null> => readFile(backend, path, parseCount);
  const [bits, delayMs, periodMinMs, periodMaxMs, sizeMb, hotThresholdMs, rateMb] =
    await Promise.all([
      number(SYSCTL),
      number(`${SCAN_FOLDER}/scan_delay_ms`),
      number(`${SCAN_FOLDER}/scan_period_min_ms`),
      number(`${SCAN_FOLDER}/scan_period_max_ms`),
      number(`${SCAN_FOLDER}/scan_size_mb`),
      number(`${SCAN_FOLDER}/hot_threshold_ms`),
      number(`${SYSCTL}_promote_rate_limit_MBps`),
    ]);
  const counters = await readFile(backend, '/proc/vmstat', parseCounters);
  return {
    mode: bits === null ? null : (MODES[bits] ?? null),
    scan: { delayMs, periodMinMs, periodMaxMs, sizeBytes: bytesOf(sizeMb), hotThresholdMs },
    promoteRateLimitBytesPerSecond: bytesOf(rateMb),
    isDemotionEnabled: await readFile(backend, DEMOTION_PATH, parseSwitch),
    counters: countersOf(counters ?? new Map()),
  };
}

function bytesOf(mebibytes: number | null): number | null {
  return mebibytes === null ? null : mebibytes * MIB_BYTES;
}

/** Source: mm/vmscan.c, demotion_enabled_show(). */
function parseSwitch(text: string): boolean | null {
  const word = text.trim();
  return word === 'true' ? true : word === 'false' ? false : null;
}

function countersOf(counters: ReadonlyMap<string, number>): BalancingCounters {
  const count = (name: string): number | null => counters.get(name) ?? null;
  return {
    numaPteUpdates: count('numa_pte_updates'),
    numaHugePteUpdates: count('numa_huge_pte_updates'),
    numaHintFaults: count('numa_hint_faults'),
    numaHintFaultsLocal: count('numa_hint_faults_local'),
    numaPagesMigrated: count('numa_pages_migrated'),
    pgmigrateSuccess: count('pgmigrate_success'),
    pgmigrateFail: count('pgmigrate_fail'),
    pgpromoteSuccess: count('pgpromote_success'),
    pgpromoteCandidate: count('pgpromote_candidate'),
    pgpromoteCandidateNrl: count('pgpromote_candidate_nrl'),
    pgdemoteKswapd: count('pgdemote_kswapd'),
    pgdemoteDirect: count('pgdemote_direct'),
  };
}
