/**
 * What kernels answer differently: each fact with its entries of docs/contract, and its answers by
 * first release. The simulator answers by this table, and the contract's suite holds kernels to it:
 * a wrong row fails on a kernel. A release that is in between two lines of kernels.ts is from the
 * kernel's history; what is known of the lines alone begins with the first line that shows it.
 */

import { ERRNO } from './errno.ts';
import { compareReleases, MODES_SINCE } from './kernels.ts';

/** @internal */
export interface KernelFacts {
  /** MPOL_WEIGHTED_INTERLEAVE is a mode. */
  readonly hasWeightedInterleave: boolean;
  /** MPOL_PREFERRED_MANY takes MPOL_F_NUMA_BALANCING. */
  readonly preferredManyTakesBalancing: boolean;
  /**
   * A policy whose only flag is MPOL_F_NUMA_BALANCING keeps the mask as given, like a static one:
   * it is reported by that, and a change of the cpuset counts through it. Else it is a plain one.
   */
  readonly balancingKeepsUserMask: boolean;
  /** Bits of the page offset that interleaving takes modulo the number of nodes. */
  readonly interleaveIndexBits: number;
  /** Errno of anonymous memory that nothing has touched. */
  readonly untouchedAnonymousErrno: number;
  /** move_pages sees the present pages of a PROT_NONE mapping. */
  readonly protNonePagesAreVisible: boolean;
  /** move_pages takes any address inside a huge page of a pool, not just its first. */
  readonly hugePageMovesByAnyAddress: boolean;
  /** move_pages tells the node of a page of secret memory. */
  readonly secretPagesAreVisible: boolean;
  /** Secret memory counts as locked, so that advice to drop it is refused. 6.12.118 drops it. */
  readonly secretPagesAreLocked: boolean;
  /** Errno of a present page of a device's memory, when asked. */
  readonly devicePageErrno: number;
  /** The vvar, the data of the kernel's clocks in each process, is made of pages on a node. */
  readonly vvarHasPages: boolean;
  /** Splitting a huge page turns its pages of zeros into the zero page. */
  readonly splittingDropsZeros: boolean;
  /** A huge page whose pieces have no room either is one page that stays; else the call ends. */
  readonly piecesCountAsOne: boolean;
  /** A write to the huge page of zeros makes a huge page, not one small page. */
  readonly replacesHugeZeroPage: boolean;
  /** A huge page mapped page by page is reused by writes where nobody else has it any more. */
  readonly reusesPartsOfHuge: boolean;
  /** A huge page that moved while mapped page by page counts as partly mapped. */
  readonly movingMapsPartly: boolean;
  /** mbind counts each further page of a huge page mapped page by page as one that stays. */
  readonly countsPartsOfHuge: boolean;
  /** mmap joins what lies behind first, and what lies before only if it fits that, too. */
  readonly mmapLooksAheadFirst: boolean;
  /** What has pages of its own is joined with a neighbour that has none. */
  readonly joinsUntouchedNeighbours: boolean;
  /** Memory that can no longer be written, and has no pages of its own, is promised no more. */
  readonly readOnlyEndsPromise: boolean;
  /** mremap moves a range of several mappings. */
  readonly mremapTakesSeveral: boolean;
  /** mremap refuses a target that overlaps before it looks whether anything is mapped. */
  readonly mremapLooksAtOverlapFirst: boolean;
  /** Populating ends at the first gap; else it passes over it. */
  readonly populatesUpToGap: boolean;
  /** io_uring registers buffers that are mappings of files. */
  readonly ringsTakeFiles: boolean;
  /** Pages to be migrated are unmapped many at a time, and the TLB is flushed once for all. */
  readonly batchesMigrations: boolean;
  /** A page is copied before its object is told of the copy; else behind. */
  readonly copiesFirst: boolean;
  /** A huge page some of whose pages are unmapped is split before it moves. */
  readonly splitsPartlyMapped: boolean;
  /** A shared mapping of a file that is written back can be pinned for long, and written so. */
  readonly filesCanBePinned: boolean;
  /** io_uring's pin makes shared memory dirty from the first page on that it has to fault in. */
  readonly ringsDirtyBehindFaults: boolean;
  /** MADV_GUARD_INSTALL exists. */
  readonly hasGuardRegions: boolean;
  /** mbind counts small pages that somebody else is moving as pages that stay. */
  readonly countsMigrationEntries: boolean;
  /** What migrate_pages counts of pages that cannot be taken off their list. */
  readonly countsUnisolated: 'nothing' | 'folios' | 'pages';
  /** mbind takes pages by the policy given, not by the one that the range has then. */
  readonly movesByGivenPolicy: boolean;
  /** Where mbind takes a page merged by KSM: by the new policy, or by the thread's. */
  readonly mergedPagesFollowNewPolicy: boolean;
  /** cpuset.mems takes an empty list while processes are in the group. */
  readonly cpusetInUseMayBeEmptied: boolean;
  /** Joining a group with the nodes of the group before binds policies anew. */
  readonly rebindsToEqualNodes: boolean;
  /** A process that joins a group may run on all its CPUs, whatever it asked for. */
  readonly joiningForgetsAffinity: boolean;
  /** Version 1 of the cpuset controller can be mounted, as distributions build the kernel. */
  readonly hasOldCpusets: boolean;
  /** Writing 0 or an empty line as the weight of a node makes it 1; else it is refused. */
  readonly emptyWeightIsOne: boolean;
  /** Beside the weights of the nodes: the file that turns automatic weights on. */
  readonly automaticWeightsFile: string | null;
  /** Automatic balancing moves shared memory that has no policy of its own. 6.12.107 does not. */
  readonly balancesSharedMemory: boolean;
  /** Automatic balancing marks private pages that only have another reference. */
  readonly balancingMarksReferenced: boolean;
  /** Automatic balancing marks shared memory that is pinned for long. */
  readonly balancingMarksPinnedShared: boolean;
  /** Automatic balancing marks huge pages whoever holds them, and at home, too. */
  readonly balancingMarksAnyHuge: boolean;
  /** Automatic balancing marks pages of a process whose cpuset has one node. */
  readonly balancingMarksInOneNode: boolean;
  /** Automatic balancing moves huge pages that are mapped page by page. */
  readonly balancesPartsOfHuge: boolean;
  /** Slow memory is a tier of its own, as the firmware tells. */
  readonly hasSlowTiers: boolean;
  /** Promotions that no limit could have stopped are counted, too. */
  readonly countsUnlimitedCandidates: boolean;
  /** smaps has a line KSM, and THPeligible in the column of the sizes. */
  readonly smapsTellsMerged: boolean;
  /** pagemap takes PAGEMAP_SCAN. */
  readonly hasPagemapScan: boolean;
  /** Opening the pagemap of a process without memory fails. */
  readonly pagemapNeedsMemory: boolean;
}

const { MPOL_WEIGHTED_INTERLEAVE: WEIGHTED, ...MODES } = MODES_SINCE;
const BALANCED_MANY = MODES['MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING'];

/** Entries of the contract, the oldest answer, and later ones by first release, ascending. */
type Row<T> = readonly [
  entries: readonly string[],
  oldest: T,
  ...later: readonly (readonly [release: string, answer: T])[],
];

/** @internal */
export const KERNEL_FACTS: { readonly [Name in keyof KernelFacts]: Row<KernelFacts[Name]> } = {
  hasWeightedInterleave: [['C-1.0-14'], false, [WEIGHTED, true]],
  preferredManyTakesBalancing: [['C-1.0-15'], false, [BALANCED_MANY, true]],
  balancingKeepsUserMask: [['C-1.0-24', 'C-2.5-04'], true, ['7.0', false]],
  interleaveIndexBits: [['C-2.3-02'], 32, ['6.12', 64]],
  untouchedAnonymousErrno: [['C-1.6-32'], ERRNO.EFAULT, ['6.12', ERRNO.ENOENT]],
  protNonePagesAreVisible: [['C-1.6-43'], false, ['6.12', true]],
  hugePageMovesByAnyAddress: [['C-1.6-45'], false, ['6.12', true]],
  secretPagesAreVisible: [['C-1.6-44'], false, ['6.12', true]],
  secretPagesAreLocked: [['C-4.3-05'], true, ['6.12.118', false], ['6.13', true], ['7.2', false]],
  devicePageErrno: [['C-1.6-38'], ERRNO.EFAULT, ['6.12', ERRNO.ENOENT]],
  vvarHasPages: [['C-1.6-38'], false, ['7.2', true]],
  splittingDropsZeros: [['C-5.2-05'], false, ['6.12', true]],
  piecesCountAsOne: [['C-5.2-05'], false, ['6.3', true]],
  replacesHugeZeroPage: [['C-2.2-16'], false, ['6.18', true]],
  reusesPartsOfHuge: [['C-2.2-18'], false, ['6.18', true]],
  movingMapsPartly: [['C-5.4-03'], false, ['6.12', true], ['6.18', false], ['7.2', true]],
  countsPartsOfHuge: [['C-5.4-04'], true, ['6.12', false]],
  mmapLooksAheadFirst: [['C-4.1-08'], true, ['6.12', false]],
  joinsUntouchedNeighbours: [['C-4.1-07'], false, ['6.16', true]],
  readOnlyEndsPromise: [['C-4.1-11'], false, ['6.6', true]],
  mremapTakesSeveral: [['C-4.3-01'], false, ['6.17', true]],
  mremapLooksAtOverlapFirst: [['C-4.3-12'], false, ['6.17', true]],
  populatesUpToGap: [['C-4.3-11'], false, ['6.9', true]],
  ringsTakeFiles: [['C-6.1-09'], false, ['6.5', true]],
  batchesMigrations: [['C-5.1-04'], false, ['6.3', true]],
  copiesFirst: [['C-5.1-02'], false, ['6.12', true]],
  splitsPartlyMapped: [['C-5.4-02'], false, ['6.12', true]],
  filesCanBePinned: [['C-6.1-05'], true, ['6.5', false]],
  ringsDirtyBehindFaults: [['C-8.1-13'], false, ['6.12', true]],
  hasGuardRegions: [['C-4.3-06'], false, ['6.13', true]],
  countsMigrationEntries: [['C-1.3-38'], false, ['6.12', true]],
  countsUnisolated: [['C-1.5-13'], 'nothing', ['6.7', 'folios'], ['6.18', 'pages']],
  movesByGivenPolicy: [['C-1.3-39'], false, ['6.7', true]],
  mergedPagesFollowNewPolicy: [['C-1.3-17'], false, ['6.12', true]],
  cpusetInUseMayBeEmptied: [['C-2.5-16'], false, ['7.2', true]],
  rebindsToEqualNodes: [['C-2.5-20'], true, ['6.2', false]],
  joiningForgetsAffinity: [['C-2.5-23'], true, ['6.2', false]],
  hasOldCpusets: [['C-2.5-13'], true, ['6.12', false]],
  emptyWeightIsOne: [['C-2.4-07', 'C-2.4-08'], true, ['6.18', false]],
  automaticWeightsFile: [['C-2.4-09'], null, ['6.16', '__auto_type'], ['7.0', 'auto']],
  balancesSharedMemory: [['C-6.2-06'], false, ['6.12.117', true], ['6.13', false], ['7.2', true]],
  balancingMarksReferenced: [['C-6.2-09'], false, ['6.12', true]],
  balancingMarksPinnedShared: [['C-6.2-09'], true, ['7.2', false]],
  balancingMarksAnyHuge: [['C-6.2-22'], true, ['6.19', false]],
  balancingMarksInOneNode: [['C-6.2-15'], true, ['6.18', false]],
  balancesPartsOfHuge: [['C-6.2-23'], false, ['6.12', true]],
  hasSlowTiers: [['C-6.3-01'], false, ['6.12', true]],
  countsUnlimitedCandidates: [['C-6.4-07'], false, ['6.18', true]],
  smapsTellsMerged: [['C-8.1-03'], false, ['6.12', true]],
  hasPagemapScan: [['C-8.1-10'], false, ['6.7', true]],
  pagemapNeedsMemory: [['C-8.2-04'], false, ['6.12', true]],
};

const known = new Map<string, KernelFacts>();

/** @internal What a kernel of that release, or a line's first one, answers. */
export function kernelFacts(release: string): KernelFacts {
  const before = known.get(release);
  if (before !== undefined) return before;
  const answers = Object.entries(KERNEL_FACTS).map(([name, [, oldest, ...later]]) => {
    const answer = later.findLast(([first]) => compareReleases(release, first) >= 0)?.[1];
    return [name, answer === undefined ? oldest : answer] as const;
  });
  // Copied: a literal's layout is quicker to read than one that grew by names.
  const facts = Object.freeze({ ...Object.fromEntries(answers) }) as unknown as KernelFacts;
  known.set(release, facts);
  return facts;
}
