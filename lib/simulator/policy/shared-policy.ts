/**
 * The policies of a shared object, by page offset: they belong to the object, outlive the mapping
 * that set them, and every mapping of the object finds them.
 *
 * Source: mm/mempolicy.c, mpol_set_shared_policy() and mpol_shared_policy_lookup().
 */

import type { Mempolicy } from './mempolicy.ts';

interface PolicyRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly policy: Mempolicy;
}

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
