/** Units of sizes. */

export const BITS_PER_BYTE = 8n;

export const KIB_BYTES = 1024;

export const MIB_BYTES: number = 2 ** 20;
