/**
 * What kernels answer differently, as data: each fact names the first release of every answer.
 * Measured on the lines of lib/core/kernels.ts.
 */

import { ERRNO } from '../../lib/core/errno.ts';
import { compareReleases } from '../../lib/core/kernels.ts';

/** Answers by first release, ascending. */
type Fact<T> = readonly (readonly [release: string, answer: T])[];

const FACTS = {
  /** move_pages status of a page of anonymous memory that nothing has touched. */
  untouchedAnonymousStatus: [
    ['5.0', -ERRNO.EFAULT],
    ['6.12', -ERRNO.ENOENT],
  ],
  /** Bits of the page offset that interleaving takes modulo the number of nodes. */
  interleaveIndexBits: [
    ['5.0', 32],
    ['6.12', 64],
  ],
  /** MPOL_WEIGHTED_INTERLEAVE is a mode. */
  hasWeightedInterleave: [
    ['5.0', false],
    ['6.9', true],
  ],
  /** MPOL_PREFERRED_MANY takes MPOL_F_NUMA_BALANCING. */
  preferredManyTakesBalancing: [
    ['5.0', false],
    ['6.10', true],
  ],
  /** move_pages sees the present pages of a PROT_NONE mapping. */
  protNonePagesAreVisible: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** move_pages takes any address inside a huge page of a pool, not just its first. */
  hugePageMovesByAnyAddress: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** smaps has a line KSM, and THPeligible in the column of the sizes. */
  smapsTellsMerged: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** pagemap takes PAGEMAP_SCAN. */
  hasPagemapScan: [
    ['5.0', false],
    ['6.7', true],
  ],
  /** Opening the pagemap of a process without memory fails. */
  pagemapNeedsMemory: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** cpuset.mems takes an empty list while processes are in the group. */
  cpusetInUseMayBeEmptied: [
    ['5.0', false],
    ['7.2', true],
  ],
  /** Joining a group with the nodes of the group before binds policies anew. */
  rebindsToEqualNodes: [
    ['5.0', true],
    ['6.2', false],
  ],
  /** A change of the cpuset maps the nodes of a balancing BIND like those of a plain one. */
  balancingRebindsLikePlain: [
    ['5.0', false],
    ['7.0', true],
  ],
  /** mbind takes pages by the policy given, not by the one that the range has then. */
  movesByGivenPolicy: [
    ['5.0', false],
    ['6.7', true],
  ],
  /** Where mbind takes a page merged by KSM: by the new policy, or by the thread's. */
  mergedPagesFollowNewPolicy: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** What migrate_pages counts of a packet ring of four blocks of four pages. */
  ringPagesLeftBehind: [
    ['5.0', 0],
    ['6.7', 4],
    ['6.18', 16],
  ],
  /** Writing 0 or an empty line as the weight of a node makes it 1; else it is refused. */
  emptyWeightIsOne: [
    ['5.0', true],
    ['6.18', false],
  ],
  /** Beside the weights of the nodes: the file that turns automatic weights on. */
  automaticWeightsFile: [
    ['5.0', null],
    ['6.16', '__auto_type'],
    ['7.0', 'auto'],
  ],
  /** A policy whose only flag is NUMA_BALANCING is reported by the mask that was given. */
  balancingReportsGivenNodes: [
    ['5.0', true],
    ['7.0', false],
  ],
  /** move_pages tells the node of a page of secret memory. */
  secretPagesAreVisible: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** Secret memory counts as locked, so that MADV_DONTNEED refuses it. 6.12.118 drops it. */
  secretPagesAreLocked: [
    ['5.0', true],
    ['6.12.118', false],
    ['6.13', true],
    ['7.2', false],
  ],
  /** move_pages status of a present page of a device's memory, when asked. */
  devicePageStatus: [
    ['5.0', -ERRNO.EFAULT],
    ['6.12', -ERRNO.ENOENT],
  ],
  /** The vvar, the data of the kernel's clocks in each process, is made of pages on a node. */
  vvarHasPages: [
    ['5.0', false],
    ['7.2', true],
  ],
  /** Splitting a huge page turns its pages of zeros into the zero page. */
  splittingDropsZeros: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** A huge page whose pieces have no room either is one page that stays; else the call ends. */
  piecesCountAsOne: [
    ['5.0', false],
    ['6.3', true],
  ],
  /** A write to the huge page of zeros makes a huge page, not one small page. */
  replacesHugeZeroPage: [
    ['5.0', false],
    ['6.18', true],
  ],
  /** A huge page mapped page by page is reused by writes where nobody else has it any more. */
  reusesPartsOfHuge: [
    ['5.0', false],
    ['6.18', true],
  ],
  /** A huge page some of whose pages are unmapped is split before it moves. */
  splitsPartlyMapped: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** A huge page that moved while mapped page by page counts as partly mapped. */
  movingMapsPartly: [
    ['5.0', false],
    ['6.12', true],
    ['6.18', false],
    ['7.2', true],
  ],
  /** mbind counts each further page of a huge page mapped page by page as one that stays. */
  countsPartsOfHuge: [
    ['5.0', true],
    ['6.12', false],
  ],
  /** What has pages of its own is joined with a neighbour that has none. */
  joinsUntouchedNeighbours: [
    ['5.0', false],
    ['6.16', true],
  ],
  /** mmap joins what lies behind first, and what lies before only if it fits that, too. */
  mmapLooksAheadFirst: [
    ['5.0', true],
    ['6.12', false],
  ],
  /** A process that joins a group may run on all its CPUs, whatever it asked for. */
  joiningForgetsAffinity: [
    ['5.0', true],
    ['6.2', false],
  ],
  /** Memory that can no longer be written, and has no pages of its own, is promised no more. */
  readOnlyEndsPromise: [
    ['5.0', false],
    ['6.6', true],
  ],
  /** mremap moves a range of several mappings. */
  mremapTakesSeveral: [
    ['5.0', false],
    ['6.17', true],
  ],
  /** io_uring registers buffers that are mappings of files. */
  ringsTakeFiles: [
    ['5.0', false],
    ['6.5', true],
  ],
  /** MADV_GUARD_INSTALL exists. */
  hasGuardRegions: [
    ['5.0', false],
    ['6.13', true],
  ],
  /** A shared mapping of a file that is written back can be pinned for long, and written so. */
  filesCanBePinned: [
    ['5.0', true],
    ['6.5', false],
  ],
  /** Automatic balancing marks private pages that only have another reference. */
  balancingMarksReferenced: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** Automatic balancing marks shared memory that is pinned for long. */
  balancingMarksPinnedShared: [
    ['5.0', true],
    ['7.2', false],
  ],
  /** Automatic balancing marks huge pages whoever holds them, and at home, too. */
  balancingMarksAnyHuge: [
    ['5.0', true],
    ['6.19', false],
  ],
  /** Promotions that no limit could have stopped are counted, too. */
  countsUnlimitedCandidates: [
    ['5.0', false],
    ['6.18', true],
  ],
  /** Automatic balancing marks pages of a process whose cpuset has one node. */
  balancingMarksInOneNode: [
    ['5.0', true],
    ['6.18', false],
  ],
  /** Automatic balancing moves shared memory that has no policy of its own. 6.12.107 does not. */
  balancesSharedMemory: [
    ['5.0', false],
    ['6.12.117', true],
    ['6.13', false],
    ['7.2', true],
  ],
} as const satisfies Record<string, Fact<unknown>>;

export type KernelFacts = {
  readonly [Name in keyof typeof FACTS]: (typeof FACTS)[Name][number][1];
};

export function kernelFacts(release: string): KernelFacts {
  const entries = Object.entries(FACTS).map(([name, rows]) => {
    const row = rows.findLast(([first]) => compareReleases(release, first) >= 0) ?? rows[0];
    return [name, row[1]] as const;
  });
  return Object.fromEntries(entries) as KernelFacts;
}
