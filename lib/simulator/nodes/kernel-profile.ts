/**
 * What the kernel releases that the simulator knows answer differently: one row for each of them.
 * Each member is a fact of docs/contract, measured on these kernels.
 */

import { ERRNO } from '../../core/errno.ts';

/** The lines of kernels whose answers were measured. */
export type KernelLine = '6.1' | '6.12' | '6.18' | '7.2';

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
  /** Automatic balancing moves shared memory that has no policy of its own. */
  readonly balancesSharedMemory: boolean;
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
  countsUnisolated: 'nothing',
  mergedPagesFollowNewPolicy: false,
  cpusetInUseMayBeEmptied: false,
  hasOldCpusets: true,
  emptyWeightIsOne: true,
  balancesSharedMemory: false,
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
  countsUnisolated: 'folios',
  mergedPagesFollowNewPolicy: true,
  hasOldCpusets: false,
};

const LINUX_6_18: KernelProfile = {
  ...LINUX_6_12,
  line: '6.18',
  release: '6.18.0',
  countsUnisolated: 'pages',
  emptyWeightIsOne: false,
};

const LINUX_7_2: KernelProfile = {
  ...LINUX_6_18,
  line: '7.2',
  release: '7.2.0',
  balancingKeepsUserMask: false,
  cpusetInUseMayBeEmptied: true,
  balancesSharedMemory: true,
};

export const KERNEL_PROFILES: Readonly<Record<KernelLine, KernelProfile>> = Object.freeze({
  '6.1': LINUX_6_1,
  '6.12': LINUX_6_12,
  '6.18': LINUX_6_18,
  '7.2': LINUX_7_2,
});
