/**
 * The kernel's numbers that cross the system-call boundary, under the kernel's names. The addon
 * exports the same names from the system headers, and a test compares the two.
 *
 * Source: include/uapi/linux/mempolicy.h, include/uapi/linux/fs.h.
 */

/** Policy modes (`MPOL_*`). WEIGHTED_INTERLEAVE exists since Linux 6.9. */
export const MPOL = {
  DEFAULT: 0,
  PREFERRED: 1,
  BIND: 2,
  INTERLEAVE: 3,
  LOCAL: 4,
  PREFERRED_MANY: 5,
  WEIGHTED_INTERLEAVE: 6,
} as const;

/** Flags that travel inside the mode word (`MPOL_F_*` of set_mempolicy and mbind). */
export const MPOL_MODE_FLAG = {
  STATIC_NODES: 0x8000,
  RELATIVE_NODES: 0x4000,
  NUMA_BALANCING: 0x2000,
} as const;

/** Flags of get_mempolicy (`MPOL_F_*`). */
export const MPOL_F = {
  NODE: 1,
  ADDR: 2,
  MEMS_ALLOWED: 4,
} as const;

/** Flags of mbind; move_pages takes MOVE and MOVE_ALL only (`MPOL_MF_*`). */
export const MPOL_MF = {
  STRICT: 1,
  MOVE: 2,
  MOVE_ALL: 4,
} as const;

/**
 * Advice that the simulator knows (`MADV_*`). GUARD_INSTALL and GUARD_REMOVE: since Linux 6.13.
 * Source: include/uapi/asm-generic/mman-common.h.
 */
export const MADV = {
  NORMAL: 0,
  RANDOM: 1,
  SEQUENTIAL: 2,
  WILLNEED: 3,
  DONTNEED: 4,
  REMOVE: 9,
  DONTFORK: 10,
  DOFORK: 11,
  MERGEABLE: 12,
  UNMERGEABLE: 13,
  HUGEPAGE: 14,
  NOHUGEPAGE: 15,
  DONTDUMP: 16,
  DODUMP: 17,
  WIPEONFORK: 18,
  KEEPONFORK: 19,
  COLD: 20,
  PAGEOUT: 21,
  POPULATE_READ: 22,
  POPULATE_WRITE: 23,
  GUARD_INSTALL: 102,
  GUARD_REMOVE: 103,
} as const;

/**
 * Bits of an entry of pagemap; pages of zeros are present, too.
 * Source: fs/proc/task_mmu.c; proc_pid_pagemap(5).
 */
export const PM_PRESENT: bigint = 1n << 63n;
export const PM_SWAP: bigint = 1n << 62n;
/** A page of a file, or of shared memory. */
export const PM_FILE: bigint = 1n << 61n;

/** A page that is mapped here alone, and nowhere else. */
export const PM_MMAP_EXCLUSIVE: bigint = 1n << 56n;

/** Categories of pages that PAGEMAP_SCAN looks for (`PAGE_IS_*`). */
export const PAGE_IS = {
  PRESENT: 8,
  SWAPPED: 16,
  /** The page of zeros, small or huge. */
  PFNZERO: 32,
  /** In a huge page that is mapped as one. */
  HUGE: 64,
} as const;

/** Largest node number that a mask can name: `MAX_NUMNODES` is 1024 on the largest builds. */
export const NODE_ID_MAX = 1023;

/** As many nodes as a mask can name. */
export const MAX_NUMNODES: number = NODE_ID_MAX + 1;

/** Distance of a node to itself. Source: include/linux/topology.h. */
export const LOCAL_DISTANCE = 10;

/** Largest weight of a node in weighted interleaving: one byte. */
export const WEIGHT_MAX = 255;

/** Largest CPU number of any kernel: `NR_CPUS_RANGE_END` of arch/x86/Kconfig, less one. */
export const CPU_ID_MAX = 8191;

/** Largest process id of a 64-bit kernel: `PID_MAX_LIMIT` of include/linux/threads.h. */
export const PID_MAX = 4194304;

/** The user who may do all, and the number of their group. */
export const ROOT_UID = 0;

/** Largest number of a user: the one above it means none. */
export const UID_MAX: number = 2 ** 32 - 2;

/** Flag of a thread of the kernel in /proc/PID/stat. Source: include/linux/sched.h. */
export const PF_KTHREAD = 0x20_0000;

/** In times of /proc/PID/stat: USER_HZ, 100 a second. Source: include/asm-generic/param.h. */
export const CLOCK_TICK_MS = 10;

/** An entry of a page table, of 64-bit kernels: a table, which is a page, covers a huge page. */
export const PAGE_TABLE_ENTRY_BYTES = 8;

/** In an array of statuses: an entry that the kernel has not written. No status is that. */
export const STATUS_UNSET: number = -(2 ** 31);
