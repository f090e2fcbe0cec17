/**
 * What kernels answer differently, as data: each fact names the first release of every answer.
 * Measured on 6.1, 6.12, 6.18 and 7.2.
 */

import { ERRNO } from '../../lib/core/errno.ts';

function majorMinor(release: string): [number, number] {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  return [major, minor];
}

/** Negative, 0 or positive as `a` is older than, as old as or newer than `b`. */
export function compareReleases(a: string, b: string): number {
  const [majorA, minorA] = majorMinor(a);
  const [majorB, minorB] = majorMinor(b);
  return majorA - majorB || minorA - minorB;
}

/** Answers by first release, ascending. */
type Fact<T> = readonly (readonly [release: string, answer: T])[];

const FACTS = {
  /** move_pages status of a page of anonymous memory that nothing has touched. */
  untouchedAnonymousStatus: [
    ['5.0', -ERRNO.EFAULT],
    ['6.12', -ERRNO.ENOENT],
  ],
  /** Bits of the page offset that interleaving takes modulo the number of nodes. */
  interleaveIndexBits: [
    ['5.0', 32],
    ['6.12', 64],
  ],
  /** MPOL_WEIGHTED_INTERLEAVE is a mode. */
  hasWeightedInterleave: [
    ['5.0', false],
    ['6.9', true],
  ],
  /** MPOL_PREFERRED_MANY takes MPOL_F_NUMA_BALANCING. */
  preferredManyTakesBalancing: [
    ['5.0', false],
    ['6.12', true],
  ],
  /** move_pages sees the present pages of a PROT_NONE mapping. */
  protNonePagesAreVisible: [
    ['5.0', false],
    ['6.12', true],
  ],
} as const satisfies Record<string, Fact<unknown>>;

export type KernelFacts = {
  readonly [Name in keyof typeof FACTS]: (typeof FACTS)[Name][number][1];
};

export function kernelFacts(release: string): KernelFacts {
  const entries = Object.entries(FACTS).map(([name, rows]) => {
    const row = rows.findLast(([first]) => compareReleases(release, first) >= 0) ?? rows[0];
    return [name, row[1]] as const;
  });
  return Object.fromEntries(entries) as KernelFacts;
}
