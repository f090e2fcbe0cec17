/** The lines of kernels whose answers were measured. */
export type KernelLine = '6.1' | '6.12' | '6.18' | '7.2';
