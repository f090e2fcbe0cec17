/**
 * What the kernel releases that the simulator knows answer differently: one row for each of them.
 * Each member is a fact of docs/contract, measured on these kernels.
 */

import { ERRNO } from '../../core/errno.ts';
import type { KernelLine } from './kernel-line.ts';

export type { KernelLine };

export interface KernelProfile {
  readonly line: KernelLine;
  /** As uname(2) gives it. */
  readonly release: string;
  /** MPOL_WEIGHTED_INTERLEAVE is a mode. */
  readonly hasWeightedInterleave: boolean;
  /** MPOL_PREFERRED_MANY takes MPOL_F_NUMA_BALANCING. */
  readonly preferredManyTakesBalancing: boolean;
  /** A policy with MPOL_F_NUMA_BALANCING keeps the mask as given, like a static one. */
  readonly balancingKeepsUserMask: boolean;
  /** Bits of the page offset that interleaving takes modulo the number of nodes. */
  readonly interleaveIndexBits: number;
  /** Errno in the status of anonymous memory that nothing has touched. */
  readonly untouchedAnonymousStatus: number;
  /** move_pages sees the present pages of a PROT_NONE mapping. */
  readonly protNonePagesAreVisible: boolean;
  /** move_pages takes any address inside a huge page of a pool, not just its first. */
  readonly hugePageMovesByAnyAddress: boolean;
  /** move_pages tells the node of a page of secret memory. */
  readonly secretPagesAreVisible: boolean;
  /** Errno in the status of a present page of a device's memory, when asked. */
  readonly devicePageStatus: number;
  /** The vvar, the data of the kernel's clocks in each process, is made of pages on a node. */
  readonly vvarHasPages: boolean;
  /** Splitting a huge page turns its pages of zeros into the zero page. */
  readonly splittingDropsZeros: boolean;
  /** A write to the huge page of zeros makes a huge page, not one small page. */
  readonly replacesHugeZeroPage: boolean;
  /** A huge page mapped page by page is reused by writes where nobody else has it any more. */
  readonly reusesPartsOfHuge: boolean;
  /** A huge page that moved while mapped page by page counts as partly mapped. */
  readonly movingMapsPartly: boolean;
  /** mbind counts each further page of a huge page mapped page by page as one that stays. */
  readonly countsPartsOfHuge: boolean;
  /** mremap moves a range of several mappings. */
  readonly mremapTakesSeveral: boolean;
  /** io_uring registers buffers that are mappings of files. */
  readonly ringsTakeFiles: boolean;
  /** A huge page some of whose pages are unmapped is split before it moves. */
  readonly splitsPartlyMapped: boolean;
  /** A shared mapping of a file that is written back can be pinned for long. */
  readonly filesCanBePinned: boolean;
  /** MADV_GUARD_INSTALL exists. */
  readonly hasGuardRegions: boolean;
  /** What migrate_pages counts of pages that cannot be taken off their list. */
  readonly countsUnisolated: 'nothing' | 'folios' | 'pages';
  /** Where mbind takes a page merged by KSM: by the new policy, or by the thread's. */
  readonly mergedPagesFollowNewPolicy: boolean;
  /** cpuset.mems takes an empty list while processes are in the group. */
  readonly cpusetInUseMayBeEmptied: boolean;
  /** Version 1 of the cpuset controller can be mounted. */
  readonly hasOldCpusets: boolean;
  /** Writing 0 or an empty line as the weight of a node makes it 1; else it is refused. */
  readonly emptyWeightIsOne: boolean;
  /** Beside the weights of the nodes: the file that turns automatic weights on. */
  readonly automaticWeightsFile: string | null;
  /** Automatic balancing moves shared memory that has no policy of its own. */
  readonly balancesSharedMemory: boolean;
  /** Which mappings' pages balancing leaves unmarked when they are pinned for long. */
  readonly balancingSparesPinned: 'private' | 'all';
  /** Balancing leaves private pages unmarked for any reference, pin or not. */
  readonly balancingSparesReferenced: boolean;
  /** Balancing leaves processes alone whose cpuset has one node. */
  readonly balancingSparesOneNode: boolean;
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
  devicePageStatus: ERRNO.EFAULT,
  vvarHasPages: false,
  splittingDropsZeros: false,
  splitsPartlyMapped: false,
  replacesHugeZeroPage: false,
  reusesPartsOfHuge: false,
  movingMapsPartly: false,
  countsPartsOfHuge: true,
  mremapTakesSeveral: false,
  ringsTakeFiles: false,
  filesCanBePinned: true,
  hasGuardRegions: false,
  countsUnisolated: 'nothing',
  mergedPagesFollowNewPolicy: false,
  cpusetInUseMayBeEmptied: false,
  hasOldCpusets: true,
  emptyWeightIsOne: true,
  automaticWeightsFile: null,
  balancesSharedMemory: false,
  balancingSparesPinned: 'private',
  balancingSparesReferenced: true,
  balancingSparesOneNode: false,
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
  splitsPartlyMapped: true,
  movingMapsPartly: true,
  countsPartsOfHuge: false,
  ringsTakeFiles: true,
  filesCanBePinned: false,
  countsUnisolated: 'folios',
  mergedPagesFollowNewPolicy: true,
  hasOldCpusets: false,
  balancingSparesReferenced: false,
};

const LINUX_6_18: KernelProfile = {
  ...LINUX_6_12,
  line: '6.18',
  release: '6.18.0',
  hasGuardRegions: true,
  movingMapsPartly: false,
  replacesHugeZeroPage: true,
  reusesPartsOfHuge: true,
  mremapTakesSeveral: true,
  countsUnisolated: 'pages',
  emptyWeightIsOne: false,
  automaticWeightsFile: '__auto_type',
  balancingSparesOneNode: true,
};

const LINUX_7_2: KernelProfile = {
  ...LINUX_6_18,
  line: '7.2',
  release: '7.2.0',
  balancingKeepsUserMask: false,
  vvarHasPages: true,
  movingMapsPartly: true,
  cpusetInUseMayBeEmptied: true,
  automaticWeightsFile: 'auto',
  balancesSharedMemory: true,
  balancingSparesPinned: 'all',
};

export const KERNEL_PROFILES: Readonly<Record<KernelLine, KernelProfile>> = Object.freeze({
  '6.1': LINUX_6_1,
  '6.12': LINUX_6_12,
  '6.18': LINUX_6_18,
  '7.2': LINUX_7_2,
});
