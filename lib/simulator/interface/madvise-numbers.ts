/**
 * Advice that `areas.madvise()` knows.
 *
 * Source: include/uapi/asm-generic/mman-common.h.
 */

/** `MADV_*`. GUARD_INSTALL and GUARD_REMOVE exist since Linux 6.13. */
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
  COLD: 20,
  PAGEOUT: 21,
  POPULATE_READ: 22,
  POPULATE_WRITE: 23,
  GUARD_INSTALL: 102,
  GUARD_REMOVE: 103,
} as const;
