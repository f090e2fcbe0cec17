/** Units of sizes, and sizes of base pages. */

export const BITS_PER_BYTE = 8n;

export const KIB_BYTES = 1024;

export const MIB_BYTES: number = 2 ** 20;

/** Sizes of base pages that kernels are built with. */
export const PAGE_SIZES_BYTES: readonly number[] = [4 * KIB_BYTES, 16 * KIB_BYTES, 64 * KIB_BYTES];

/** What most machines have. */
export const USUAL_PAGE_SIZE_BYTES: number = 4 * KIB_BYTES;
