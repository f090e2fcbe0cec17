/** Sizes of base pages that kernels are built with. */

const KILOBYTE = 1024;

export const PAGE_SIZES_BYTES: readonly number[] = [4 * KILOBYTE, 16 * KILOBYTE, 64 * KILOBYTE];

/** What most machines have. */
export const USUAL_PAGE_SIZE_BYTES: number = 4 * KILOBYTE;
