/**
 * What kind of memory a mapping is, by what maps shows of it.
 *
 * The kernel's own files have names like those of users' files. They lie on no disk, and most of
 * them look deleted from the first moment on; a file on a disk, or one that is there, is a user's.
 *
 * Source: proc_pid_maps(5); fs/proc/task_mmu.c, get_vma_name(); mm/shmem.c, shmem_zero_setup();
 * ipc/shm.c, newseg(); mm/memfd.c; mm/secretmem.c; mm/hugetlb.c; fs/aio.c, aio_private_file();
 * drivers/gpu/drm/drm_gem.c, drm_gem_object_init(); drivers/gpu/drm/i915/gem/i915_gem_shmem.c;
 * drivers/dma-buf/dma-buf.c, dmabuffs_dname(); fs/anon_inodes.c; net/socket.c, sockfs_dname().
 */

import type { MappingKind } from '../core/mapping-kind.ts';
import type { MapsEntry } from './maps.ts';

/** Names of the kernel's files that look deleted, as they are and as they begin. */
const PSEUDO_FILES: readonly (readonly [RegExp, MappingKind])[] = [
  [/^\/memfd:/, 'shared'],
  [/^\/SYSV[0-9a-f]{8}$/, 'shared'],
  [/^\/dev\/zero$/, 'shared'],
  [/^\/secretmem$/, 'shared'],
  [/^\/anon_hugepage$/, 'hugetlb'],
  // Rings that the kernel shares, and buffers that GPUs do.
  [/^\/\[aio\]$/, 'device'],
  [/^\/(drm mm object|i915|xe|vgem)$/, 'device'],
];

/** Names that no file of a user has, or that say what is behind them. */
const NAMES: readonly (readonly [RegExp, MappingKind])[] = [
  [/^\[heap\]$/, 'heap'],
  [/^\[stack\]$/, 'stack'],
  // Stacks of other threads, as kernels before 4.5 name them.
  [/^\[(anon:|stack:\d+\])/, 'anonymous'],
  [/^\[anon_shmem:/, 'shared'],
  [/^\[/, 'special'],
  [/^\/dev\/(shm|ashmem)\//, 'shared'],
  // A private mapping of it.
  [/^\/dev\/zero$/, 'anonymous'],
  [/^\/dev\/hugepages\//, 'hugetlb'],
  [/^\/dev\//, 'device'],
  [/^(anon_inode|socket|dmabuf):/, 'device'],
];
/** Of a file system of the kernel, which never looks deleted. */
const PSEUDO_NAME = /^\/(dmabuf|anon_inode):/;

/** What tells the kind. */
export type NamedMapping = Pick<MapsEntry, 'name' | 'isDeleted' | 'deviceMajor'>;

/** @param isHugetlb what numa_maps says with the word `huge` */
export function mappingKindOf(
  { name, isDeleted, deviceMajor }: NamedMapping,
  isHugetlb: boolean,
): MappingKind {
  if (isHugetlb) return 'hugetlb';
  if (name === null) return 'anonymous';
  const isOnDisk = deviceMajor !== 0;
  const pseudo = isDeleted && !isOnDisk ? kindIn(PSEUDO_FILES, name) : undefined;
  if (pseudo !== undefined) return pseudo;
  if (!isOnDisk && PSEUDO_NAME.test(name)) return 'device';
  return kindIn(NAMES, name) ?? 'file';
}

function kindIn(
  rows: readonly (readonly [RegExp, MappingKind])[],
  name: string,
): MappingKind | undefined {
  return rows.find(([pattern]) => pattern.test(name))?.[1];
}
