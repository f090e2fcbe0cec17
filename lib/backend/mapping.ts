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

/** What is to be mapped; with nothing but a length private anonymous memory. */
export interface MappingRequest {
  /** Rounded up to whole pages, of a pool's where it has any. EINVAL for 0. */
  readonly lengthBytes: number;
  /** The address is a multiple of this power of two; only for private anonymous memory. */
  readonly alignmentBytes?: number;
  /** Pages of the pool of huge pages of this size, a power of two: MAP_HUGETLB. EINVAL: the kernel
   *  has no such pool. ENOMEM: too few of its pages are free. */
  readonly hugePageBytes?: number;
  /** MAP_SHARED. Without a descriptor the memory gets one of its own: memfd_create(2), sealed, so
   *  that nobody can make it shorter or longer. */
  readonly isShared?: boolean;
  /** A file, which the mapping opens again for itself. ENODEV: no regular file. EACCES: shared, and
   *  not open for writing. EBADF. */
  readonly descriptor?: number;
  /** Where in the file it begins, in whole pages. EINVAL. */
  readonly offsetBytes?: number;
}

/** Bytes of a live mapping; `ENOENT` after its `munmap`, `ERANGE` outside of it. */
export interface MappedPart {
  readonly mapping: Mapping;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Arguments of madvise(2): every page that the bytes meet. */
export interface MadviseRequest extends MappedPart {
  /** `MADV.HUGEPAGE`, `NOHUGEPAGE`, `POPULATE_READ` or `POPULATE_WRITE`, which change no byte;
   *  EINVAL for others. */
  readonly advice: number;
}

/** What is behind a mapping of a file. */
export interface FileState {
  /** The file's length now. */
  readonly sizeBytes: number;
  /** Somebody made the file shorter, and an access came to where it was: the mapping has zeros of
   *  its own from there on, whatever becomes of the file. */
  readonly isTruncated: boolean;
}

/** One owner's share of a mapping. Made by `mmap` or `attach`, given up by `munmap`. */
export interface Mapping {
  readonly handle: MappingHandle;
  /** First byte; page aligned. */
  readonly address: bigint;
  /** As asked of `mmap`; what is mapped is this, rounded up to whole pages. */
  readonly lengthBytes: number;
  /** Of the file behind it, or of shared memory: closed on exec, and with the mapping. `null` for
   *  private anonymous memory. */
  readonly descriptor: number | null;
}
