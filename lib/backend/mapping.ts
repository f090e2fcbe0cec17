/**
 * A mapped range as a backend hands it out: what one mmap returned, and who may name it.
 */

/**
 * Names a mapping of this process from any of its threads. Owns nothing, and can be cloned: post
 * it to a worker and attach there.
 */
export interface MappingHandle {
  /** Slot in the process-wide table of mappings. */
  readonly id: number;
  /** Tells one user of a slot from the next: a stale handle never names somebody else's memory. */
  readonly generation: number;
}

/** One owner's share of a mapping. Made by `mmap` or `attach`, given up by `munmap`. */
export interface Mapping {
  readonly handle: MappingHandle;
  /** First byte; page aligned. */
  readonly address: bigint;
  /** As asked of `mmap`; what is mapped is this, rounded up to whole pages. */
  readonly lengthBytes: number;
}
