/**
 * What a mapping can have behind it: shared memory and files, whose pages live as long as the
 * object does, mapped or not.
 *
 * Source: include/linux/fs.h, struct address_space; mm/shmem.c.
 */

import type { Mempolicy } from '../policy/mempolicy.ts';
import { MEMORY_KINDS, type MemoryKind, type ObjectType } from './kinds.ts';

export interface ObjectAttributes {
  readonly type: ObjectType;
  readonly inode: number;
  readonly sizePages: number;
  /** As numa_maps prints it; null for none. */
  readonly path: string | null;
  /** Its length, which may end within the last page. */
  readonly sizeBytes: number;
}

export class MemoryObject {
  readonly kind: MemoryKind;
  readonly inode: number;
  /** Grows where something is written behind the end. */
  sizePages: number;
  readonly sizeBytes: number;
  readonly path: string | null;
  /** Only of kinds that keep it. */
  readonly policy: SharedPolicy = new SharedPolicy();
  /** Folios by page offset. */
  readonly pages: Map<number, number> = new Map();
  /** Offsets of huge pages that the pool has promised to shared mappings. */
  readonly reserved: Set<number> = new Set();
  /** Mapped pages and open descriptors. */
  users = 0;
  /** A segment that goes with its last user. */
  isRemoved = false;

  constructor({ type, inode, sizePages, path, sizeBytes }: ObjectAttributes) {
    this.kind = MEMORY_KINDS[type];
    this.inode = inode;
    this.sizePages = sizePages;
    this.sizeBytes = sizeBytes;
    this.path = path;
  }
}

interface PolicyRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly policy: Mempolicy;
}

/**
 * The policies of a shared object, by page offset: they belong to the object, outlive the mapping
 * that set them, and every mapping of the object finds them.
 * Source: mm/mempolicy.c, mpol_set_shared_policy() and mpol_shared_policy_lookup().
 */
export class SharedPolicy {
  #ranges: PolicyRange[] = [];

  /** `null` takes the policies of the range away. */
  set(start: number, end: number, policy: Mempolicy | null): void {
    const kept = this.#ranges.flatMap((range) => [
      { ...range, end: Math.min(range.end, start) },
      { ...range, start: Math.max(range.start, end) },
    ]);
    if (policy !== null) kept.push({ start, end, policy });
    this.#ranges = kept
      .filter((range) => range.start < range.end)
      .sort((a, b) => a.start - b.start);
  }

  lookup(index: number): Mempolicy | null {
    return this.#ranges.find(({ start, end }) => start <= index && index < end)?.policy ?? null;
  }
}
