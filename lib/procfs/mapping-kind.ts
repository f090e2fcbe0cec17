/**
 * What kind of memory a mapping is, by what maps shows of it.
 *
 * Source: proc_pid_maps(5); fs/proc/task_mmu.c, get_vma_name(); mm/shmem.c, shmem_zero_setup();
 * ipc/shm.c, newseg(); mm/memfd.c.
 */

import type { MappingKind } from '../core/mapping-kind.ts';
import type { MapsEntry } from './maps.ts';

/** Shared memory by its name, `/dev/shm` among files. */
const SHARED_NAMES = /^(\/memfd:|\/SYSV[0-9a-f]{8}$|\/dev\/zero$|\/dev\/shm\/|\[anon_shmem:)/;
const DEVICE_NAMES = /^(\/dev\/|anon_inode:|\/anon_inode:|socket:|dmabuf:)/;

/** @param isHugetlb what numa_maps says with the word `huge` */
export function mappingKindOf({ name }: Pick<MapsEntry, 'name'>, isHugetlb: boolean): MappingKind {
  if (isHugetlb) return 'hugetlb';
  if (name === null) return 'anonymous';
  if (name === '[heap]') return 'heap';
  if (name === '[stack]') return 'stack';
  if (SHARED_NAMES.test(name)) return 'shared';
  if (name.startsWith('[anon:')) return 'anonymous';
  if (DEVICE_NAMES.test(name)) return 'device';
  return name.startsWith('[') ? 'special' : 'file';
}
