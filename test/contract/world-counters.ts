/** What a machine counts. */

/** Pages that a node has given out since the machine started, under the kernel's names. */
export interface NodeCounters {
  readonly numaHit: number;
  readonly numaMiss: number;
  readonly numaForeign: number;
  readonly interleaveHit: number;
  readonly localNode: number;
  readonly otherNode: number;
}

/**
 * What migrations and automatic balancing have done since the machine started, under the kernel's
 * names of /proc/vmstat. `null`: it does not count that.
 */
export interface VmCounters {
  readonly pgmigrateSuccess: number;
  readonly pgmigrateFail: number;
  readonly numaPteUpdates: number;
  readonly numaHugePteUpdates: number;
  readonly numaHintFaults: number;
  readonly numaHintFaultsLocal: number;
  readonly numaPagesMigrated: number;
  readonly pgpromoteSuccess: number;
  readonly pgpromoteCandidate: number;
  readonly pgpromoteCandidateNrl: number | null;
}
