/**
 * What the kernel releases that the simulator knows answer differently: one row for each of them.
 * Each member is a fact of docs/contract, measured on these kernels: its comment names the entry.
 */

import { ERRNO } from '../../core/errno.ts';
import type { KernelLine } from '../../core/kernels.ts';

export interface KernelProfile {
  readonly line: KernelLine;
  /** As uname(2) gives it. */
  readonly release: string;
  /** MPOL_WEIGHTED_INTERLEAVE is a mode. C-1.0-14. */
  readonly hasWeightedInterleave: boolean;
  /** MPOL_PREFERRED_MANY takes MPOL_F_NUMA_BALANCING. C-1.0-15. */
  readonly preferredManyTakesBalancing: boolean;
  /**
   * A policy with MPOL_F_NUMA_BALANCING keeps the mask as given, like a static one. C-1.0-24,
   * C-2.5-04.
   */
  readonly balancingKeepsUserMask: boolean;
  /** Bits of the page offset that interleaving takes modulo the number of nodes. C-2.3-02. */
  readonly interleaveIndexBits: number;
  /** Errno in the status of anonymous memory that nothing has touched. C-1.6-32. */
  readonly untouchedAnonymousStatus: number;
  /** move_pages sees the present pages of a PROT_NONE mapping. C-1.6-43. */
  readonly protNonePagesAreVisible: boolean;
  /** move_pages takes any address inside a huge page of a pool, not just its first. C-1.6-45. */
  readonly hugePageMovesByAnyAddress: boolean;
  /** move_pages tells the node of a page of secret memory. C-1.6-44. */
  readonly secretPagesAreVisible: boolean;
  /** Secret memory counts as locked, so that advice to drop it is refused. C-4.3-05. */
  readonly secretPagesAreLocked: boolean;
  /** Errno in the status of a present page of a device's memory, when asked. C-1.6-38. */
  readonly devicePageStatus: number;
  /**
   * The vvar, the data of the kernel's clocks in each process, is made of pages on a node.
   * C-1.6-38.
   */
  readonly vvarHasPages: boolean;
  /** Splitting a huge page turns its pages of zeros into the zero page. C-5.2-05. */
  readonly splittingDropsZeros: boolean;
  /** A write to the huge page of zeros makes a huge page, not one small page. C-2.2-16. */
  readonly replacesHugeZeroPage: boolean;
  /**
   * A huge page mapped page by page is reused by writes where nobody else has it any more.
   * C-2.2-18.
   */
  readonly reusesPartsOfHuge: boolean;
  /** A huge page that moved while mapped page by page counts as partly mapped. C-5.4-03. */
  readonly movingMapsPartly: boolean;
  /**
   * mbind counts each further page of a huge page mapped page by page as one that stays. C-5.4-04.
   */
  readonly countsPartsOfHuge: boolean;
  /**
   * mmap joins what lies behind first, and what lies before only if it fits that, too. C-4.1-08.
   */
  readonly mmapLooksAheadFirst: boolean;
  /** What has pages of its own is joined with a neighbour that has none. C-4.1-07. */
  readonly joinsUntouchedNeighbours: boolean;
  /**
   * Memory that can no longer be written, and has no pages of its own, is promised no more.
   * C-4.1-11.
   */
  readonly readOnlyEndsPromise: boolean;
  /** mremap moves a range of several mappings. C-4.3-01. */
  readonly mremapTakesSeveral: boolean;
  /** io_uring registers buffers that are mappings of files. C-6.1-09. */
  readonly ringsTakeFiles: boolean;
  /**
   * Pages to be migrated are unmapped many at a time, and the TLB is flushed once for all.
   * C-5.1-04.
   */
  readonly batchesMigrations: boolean;
  /** A page is copied before its object is told of the copy; else behind. C-5.1-02. */
  readonly copiesFirst: boolean;
  /** A huge page some of whose pages are unmapped is split before it moves. C-5.4-02. */
  readonly splitsPartlyMapped: boolean;
  /** A shared mapping of a file that is written back can be pinned for long. C-6.1-05. */
  readonly filesCanBePinned: boolean;
  /** MADV_GUARD_INSTALL exists. C-4.3-06. */
  readonly hasGuardRegions: boolean;
  /** mbind counts small pages that somebody else is moving as pages that stay. C-1.3-38. */
  readonly countsMigrationEntries: boolean;
  /** What migrate_pages counts of pages that cannot be taken off their list. C-1.5-13. */
  readonly countsUnisolated: 'nothing' | 'folios' | 'pages';
  /** mbind takes pages by the policy given, not by the one that the range has then. C-1.3-39. */
  readonly movesByGivenPolicy: boolean;
  /** Where mbind takes a page merged by KSM: by the new policy, or by the thread's. C-1.3-17. */
  readonly mergedPagesFollowNewPolicy: boolean;
  /** cpuset.mems takes an empty list while processes are in the group. C-2.5-16. */
  readonly cpusetInUseMayBeEmptied: boolean;
  /** Joining a group with the nodes of the group before binds policies anew. C-2.5-20. */
  readonly rebindsToEqualNodes: boolean;
  /** A process that joins a group may run on all its CPUs, whatever it asked for. C-2.5-23. */
  readonly joiningForgetsAffinity: boolean;
  /** Version 1 of the cpuset controller can be mounted. C-2.5-13. */
  readonly hasOldCpusets: boolean;
  /**
   * Writing 0 or an empty line as the weight of a node makes it 1; else it is refused. C-2.4-07,
   * C-2.4-08.
   */
  readonly emptyWeightIsOne: boolean;
  /** Beside the weights of the nodes: the file that turns automatic weights on. C-2.4-09. */
  readonly automaticWeightsFile: string | null;
  /** Automatic balancing moves shared memory that has no policy of its own. C-6.2-06. */
  readonly balancesSharedMemory: boolean;
  /** Which mappings' pages balancing leaves unmarked when they are pinned for long. C-6.2-09. */
  readonly balancingSparesPinned: 'private' | 'all';
  /** Balancing leaves private pages unmarked for any reference, pin or not. C-6.2-09. */
  readonly balancingSparesReferenced: boolean;
  /** Balancing marks huge pages whoever holds them, also at home. C-6.2-22. */
  readonly balancingMarksAnyHuge: boolean;
  /** Balancing moves huge pages that are mapped page by page. C-6.2-23. */
  readonly balancesPartsOfHuge: boolean;
  /** Slow memory is a tier of its own, as the firmware tells. C-6.3-01. */
  readonly hasSlowTiers: boolean;
  /** Promotions that no limit could have stopped are counted, too. C-6.4-07. */
  readonly countsUnlimitedCandidates: boolean;
  /** Balancing leaves processes alone whose cpuset has one node. C-6.2-15. */
  readonly balancingSparesOneNode: boolean;
  /** smaps counts the pages that KSM has merged, and puts THPeligible into its column. C-8.1-03. */
  readonly smapsTellsMerged: boolean;
  /** PAGEMAP_SCAN of pagemap. C-8.1-10. */
  readonly hasPagemapScan: boolean;
  /** Opening the pagemap of a process without memory fails. C-8.2-04. */
  readonly pagemapNeedsMemory: boolean;
}

const LINUX_6_1: KernelProfile = {
  line: '6.1',
  release: '6.1.0',
  hasWeightedInterleave: false,
  preferredManyTakesBalancing: false,
  balancingKeepsUserMask: true,
  interleaveIndexBits: 32,
  untouchedAnonymousStatus: ERRNO.EFAULT,
  protNonePagesAreVisible: false,
  hugePageMovesByAnyAddress: false,
  secretPagesAreVisible: false,
  secretPagesAreLocked: true,
  devicePageStatus: ERRNO.EFAULT,
  vvarHasPages: false,
  splittingDropsZeros: false,
  batchesMigrations: false,
  copiesFirst: false,
  splitsPartlyMapped: false,
  replacesHugeZeroPage: false,
  reusesPartsOfHuge: false,
  movingMapsPartly: false,
  countsPartsOfHuge: true,
  mmapLooksAheadFirst: true,
  joinsUntouchedNeighbours: false,
  readOnlyEndsPromise: false,
  mremapTakesSeveral: false,
  ringsTakeFiles: false,
  filesCanBePinned: true,
  hasGuardRegions: false,
  countsMigrationEntries: false,
  countsUnisolated: 'nothing',
  movesByGivenPolicy: false,
  mergedPagesFollowNewPolicy: false,
  cpusetInUseMayBeEmptied: false,
  rebindsToEqualNodes: true,
  joiningForgetsAffinity: true,
  hasOldCpusets: true,
  emptyWeightIsOne: true,
  automaticWeightsFile: null,
  balancesSharedMemory: false,
  balancingSparesPinned: 'private',
  balancingSparesReferenced: true,
  balancingMarksAnyHuge: true,
  balancesPartsOfHuge: false,
  hasSlowTiers: false,
  countsUnlimitedCandidates: false,
  balancingSparesOneNode: false,
  smapsTellsMerged: false,
  hasPagemapScan: false,
  pagemapNeedsMemory: false,
};

const LINUX_6_12: KernelProfile = {
  ...LINUX_6_1,
  line: '6.12',
  release: '6.12.0',
  hasWeightedInterleave: true,
  preferredManyTakesBalancing: true,
  interleaveIndexBits: 64,
  untouchedAnonymousStatus: ERRNO.ENOENT,
  protNonePagesAreVisible: true,
  hugePageMovesByAnyAddress: true,
  secretPagesAreVisible: true,
  devicePageStatus: ERRNO.ENOENT,
  splittingDropsZeros: true,
  batchesMigrations: true,
  copiesFirst: true,
  splitsPartlyMapped: true,
  movingMapsPartly: true,
  countsPartsOfHuge: false,
  mmapLooksAheadFirst: false,
  readOnlyEndsPromise: true,
  ringsTakeFiles: true,
  filesCanBePinned: false,
  countsMigrationEntries: true,
  countsUnisolated: 'folios',
  movesByGivenPolicy: true,
  mergedPagesFollowNewPolicy: true,
  rebindsToEqualNodes: false,
  joiningForgetsAffinity: false,
  hasOldCpusets: false,
  balancingSparesReferenced: false,
  balancesPartsOfHuge: true,
  hasSlowTiers: true,
  smapsTellsMerged: true,
  hasPagemapScan: true,
  pagemapNeedsMemory: true,
};

const LINUX_6_18: KernelProfile = {
  ...LINUX_6_12,
  line: '6.18',
  release: '6.18.0',
  hasGuardRegions: true,
  movingMapsPartly: false,
  replacesHugeZeroPage: true,
  reusesPartsOfHuge: true,
  joinsUntouchedNeighbours: true,
  mremapTakesSeveral: true,
  countsUnisolated: 'pages',
  emptyWeightIsOne: false,
  automaticWeightsFile: '__auto_type',
  balancingSparesOneNode: true,
  countsUnlimitedCandidates: true,
};

const LINUX_7_2: KernelProfile = {
  ...LINUX_6_18,
  line: '7.2',
  release: '7.2.0',
  secretPagesAreLocked: false,
  balancingKeepsUserMask: false,
  vvarHasPages: true,
  movingMapsPartly: true,
  cpusetInUseMayBeEmptied: true,
  automaticWeightsFile: 'auto',
  balancesSharedMemory: true,
  balancingSparesPinned: 'all',
  balancingMarksAnyHuge: false,
};

export const KERNEL_PROFILES: Readonly<Record<KernelLine, KernelProfile>> = Object.freeze({
  '6.1': LINUX_6_1,
  '6.12': LINUX_6_12,
  '6.18': LINUX_6_18,
  '7.2': LINUX_7_2,
});
