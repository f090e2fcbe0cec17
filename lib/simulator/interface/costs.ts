/** What a machine counts of costs, and the constants that make times of counts. */

/**
 * Who had pages moved: one of the calls, or the kernel by itself (balancing, a cpuset's change).
 * `query` is move_pages without nodes.
 */
export type MigrationKind = 'move_pages' | 'mbind' | 'migrate_pages' | 'query' | 'kernel';

export interface MigrationWork {
  /** Calls that pay the fixed part: those that move, and queries. */
  readonly calls: number;
  /** Addresses of move_pages that were looked up. */
  readonly addresses: number;
  /** Page-table entries that mbind and migrate_pages went through; a huge page has one. */
  readonly walkedEntries: number;
  /** Folios that were unmapped for a move. */
  readonly folios: number;
  /** Page-table entries unmapped and restored. */
  readonly entries: number;
  /** Copied to another node. */
  readonly bytes: number;
  /** Flushes of translations. */
  readonly flushes: number;
  /** Those of them that interrupted other CPUs, and how many CPUs that were, all together. */
  readonly shootdowns: number;
  readonly interrupts: number;
}

/** What the calls differ in. */
export interface CallCosts {
  /** Of a call, whatever it moves: draining the CPUs' lists of pages, and cutting mappings. */
  readonly callNs: number;
  /** Of each address of move_pages: finding the mapping and the page. */
  readonly lookupNs: number;
  /** Of each page-table entry that a walk through a range meets. */
  readonly walkNs: number;
  /** Of choosing a node for a folio: mbind asks the policy. */
  readonly targetNs: number;
}

export interface CostProfile {
  readonly name: string;
  /** Which machine, which figures. */
  readonly source: string;
  readonly calls: Readonly<Record<MigrationKind, CallCosts>>;
  /** Of each folio: taking it off its list, a new one, handing over its state. */
  readonly folioNs: number;
  /** Of each page-table entry: unmapping and restoring. */
  readonly entryNs: number;
  /** Copying by one thread, zeroing of the new page included. Bytes/ns are GB/s. */
  readonly copyBytesPerNs: number;
  /** By as many threads as one likes. */
  readonly copyBytesPerNsMax: number;
  /** Between two nodes. */
  readonly linkBytesPerNs: number;
  /** A flush that interrupts other CPUs, and each CPU interrupted. */
  readonly shootdownNs: number;
  readonly interruptNs: number;
  /** An access to a cache line of the own node's memory. 0: accesses are not in the profile. */
  readonly localAccessNs: number;
}

export type CostProfileName = 'two-socket-zen3' | 'guest-6.12' | 'guest-6.1';

export interface CostOptions {
  /** A name of `costProfiles`, or a profile. Default `two-socket-zen3`. */
  readonly profile?: CostProfileName | CostProfile;
  /** Cache lines accessed where a page is touched, from other places than caches. Default 1. */
  readonly accessesPerTouch?: number;
  /** Threads that copy for the kernel: patches exist that have several. Default 1, as Linux. */
  readonly copyThreads?: number;
}

export interface AccessCount {
  /** Node of the CPU. */
  readonly cpuNode: number;
  /** Node of the memory. */
  readonly memoryNode: number;
  readonly count: number;
}

/** Virtual time is modelled, in nanoseconds: it compares policies, and is nobody's wall clock. */
export interface Costs {
  readonly profile: CostProfile;
  readonly totalNs: number;
  /** Of all accesses to memory. */
  readonly accessNs: number;
  /** Of all migrations and queries. */
  readonly migrationNs: number;
  /** Accesses by node of the CPU and node of the memory, in ascending order. */
  accesses(): AccessCount[];
  /** What each kind of call has done until now. */
  migrations(): Readonly<Record<MigrationKind, MigrationWork>>;
  /** Of one kind of call. */
  migrationNsOf(kind: MigrationKind): number;
  /**
   * From now on the link between two nodes has 1/factor of its bandwidth, and accesses over it take
   * factor times as long, both ways. 1 repairs it.
   * @throws TypeError ERR_INVALID_ARG_VALUE: no two nodes of the machine; RangeError
   *   ERR_OUT_OF_RANGE: a factor below 1
   */
  slowLink(nodeA: number, nodeB: number, factor: number): void;
  /** Forgets what was counted; links stay as they are. */
  reset(): void;
}
