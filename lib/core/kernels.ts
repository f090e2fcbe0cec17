/**
 * Releases of Linux: the lines whose answers were measured, what is newer than what, and since when
 * kernels have the modes that older ones refuse.
 */

/** The lines of kernels whose answers were measured. */
export type KernelLine = '6.1' | '6.12' | '6.18' | '7.2';

/** The kernels whose answers were measured, the oldest first. */
export const kernelLines: readonly KernelLine[] = Object.freeze([
  ...(['6.1', '6.12', '6.18', '7.2'] as const),
]);

/** @internal */
export const oldestKernelLine: KernelLine = kernelLines[0] as KernelLine;

/** @internal What a simulated machine answers as where nothing else was asked for. */
export const newestKernelLine: KernelLine = kernelLines.at(-1) as KernelLine;

/**
 * @internal First releases of modes and their flags; the others are as old as the calls.
 * Source: mm/mempolicy.c, sanitize_mpol_flags(), and include/uapi/linux/mempolicy.h of each.
 */
export const MODES_SINCE = {
  MPOL_F_NUMA_BALANCING: '5.12',
  MPOL_PREFERRED_MANY: '5.15',
  MPOL_WEIGHTED_INTERLEAVE: '6.9',
  'MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING': '6.10',
} as const;

/**
 * @internal Negative, 0 or positive as `a` is older than, as old as or newer than `b`. Of
 * `6.12.117+deb13` the third number counts too: stable releases bring changes of newer kernels.
 */
export function compareReleases(a: string, b: string): number {
  const [majorA, minorA, patchA] = numbersOf(a);
  const [majorB, minorB, patchB] = numbersOf(b);
  return majorA - majorB || minorA - minorB || patchA - patchB;
}

function numbersOf(release: string): [major: number, minor: number, patch: number] {
  const [, major = 0, minor = 0, patch = 0] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}

/** @internal The newest line that is not newer than the kernel; the oldest for older ones. */
export function kernelLineOf(release: string): KernelLine {
  return kernelLines.findLast((line) => compareReleases(line, release) <= 0) ?? oldestKernelLine;
}
