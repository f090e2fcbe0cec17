/**
 * The kinds of memory that a process's mapping can be.
 */

export const MAPPING_KINDS = [
  'heap',
  'stack',
  'anonymous',
  'file',
  'shared',
  'hugetlb',
  'device',
  'special',
] as const;

/**
 * `heap`: what brk(2) made. `stack`: the first thread's. `anonymous`: private memory without a
 * file, the other threads' stacks included. `file`: a file's pages. `shared`: shared memory that no
 * disk holds (tmpfs, memfd, System V, shared anonymous). `hugetlb`: pages of a pool. `device`: a
 * driver's, or a buffer or ring that is shared with one or with the kernel. `special`: the kernel's
 * own, such as the vdso.
 */
export type MappingKind = (typeof MAPPING_KINDS)[number];
