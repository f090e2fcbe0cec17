/** What a machine counts, under the kernel's names. */

/**
 * What migrations and automatic balancing have done since the machine started, under the kernel's
 * names: base pages, but for faults and huge pages. Source: /proc/vmstat.
 */
export interface VmCounters {
  /** Pages that migrations have moved, and could not move. */
  readonly pgmigrateSuccess: number;
  readonly pgmigrateFail: number;
  /** Pages that balancing has marked; a huge page is as many as it has, and one of the latter. */
  readonly numaPteUpdates: number;
  readonly numaHugePteUpdates: number;
  /** Accesses to marked pages, one for a huge page; and those by CPUs of the page's node. */
  readonly numaHintFaults: number;
  readonly numaHintFaultsLocal: number;
  /** Pages that balancing has moved. */
  readonly numaPagesMigrated: number;
  /** Of these, pages that tiering has moved from slow memory to fast. */
  readonly pgpromoteSuccess: number;
  /** Pages of slow memory that were hot enough to be. */
  readonly pgpromoteCandidate: number;
  /** Pages that were promoted whether hot or not, for there was plenty of room. null: 6.1 and 6.12
   *  do not count them. */
  readonly pgpromoteCandidateNrl: number | null;
}
