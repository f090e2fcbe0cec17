/**
 * What a mapping can have behind it: shared memory and files, whose pages live as long as the
 * object does, mapped or not.
 *
 * Source: include/linux/fs.h, struct address_space; mm/shmem.c.
 */

import { SharedPolicy } from '../policy/shared-policy.ts';

/**
 * `shared-memory`: memfd, System V, tmpfs and MAP_SHARED without a file, which have policies of
 * their own. `hugetlb`: the same, of a pool's huge pages. `file`: page cache, by thread policy,
 * that is never written back; `disk`: the same, that is. `driver`: pages that the kernel made.
 */
export type ObjectType = 'shared-memory' | 'hugetlb' | 'file' | 'disk' | 'driver' | 'secret';

export interface ObjectAttributes {
  readonly type: ObjectType;
  readonly inode: number;
  readonly sizePages: number;
  /** As numa_maps prints it; null for none. */
  readonly path: string | null;
}

export class MemoryObject implements ObjectAttributes {
  readonly type: ObjectType;
  readonly inode: number;
  readonly sizePages: number;
  readonly path: string | null;
  /** Only shared memory and hugetlb. */
  readonly policy: SharedPolicy = new SharedPolicy();
  /** Folios by page offset. */
  readonly pages: Map<number, number> = new Map();
  /** Offsets of huge pages that the pool has promised to shared mappings. */
  readonly reserved: Set<number> = new Set();
  /** Mapped pages and open descriptors. */
  users = 0;
  /** A segment that goes with its last user. */
  isRemoved = false;

  constructor({ type, inode, sizePages, path }: ObjectAttributes) {
    this.type = type;
    this.inode = inode;
    this.sizePages = sizePages;
    this.path = path;
  }

  /** Page cache. */
  get isFile(): boolean {
    return this.type === 'file' || this.type === 'disk';
  }

  /** Whether policies of its mappings are kept in the object. */
  get hasPolicy(): boolean {
    return this.type === 'shared-memory' || this.type === 'hugetlb';
  }
}
