/**
 * The policies that parts of memory had, to be put back as they were.
 *
 * Deviation: the kernel tells no home node; a policy that had one is put back without.
 *
 * Source: proc_pid_maps(5), get_mempolicy(2) with MPOL_F_ADDR, mbind(2).
 */

import type { GetMempolicyValue, PageSpan } from '../../backend/backend.ts';
import { MAXNODE_ALL } from '../../core/nodemask-words.ts';
import { MPOL_F } from '../../core/uapi.ts';
import type { Context } from '../context.ts';

/** Pages in a row with one policy. */
export interface PolicyPart extends PageSpan {
  readonly policy: GetMempolicyValue;
}

/**
 * The policies of a range, part by part as the kernel has them.
 * @throws NumaError NUMA_NOT_PERMITTED where they cannot be read
 */
export function policiesOf(context: Context, { address, pageCount }: PageSpan): PolicyPart[] {
  const asked = 'reading the policies of the range';
  const parts = context.unwrap(context.backend.maps({ address, pageCount }), asked);
  return parts.map((part) => {
    const request = { flags: MPOL_F.ADDR, address: part.address, maxnode: MAXNODE_ALL };
    return { ...part, policy: context.unwrap(context.backend.getMempolicy(request), asked) };
  });
}

/**
 * Puts policies back; goes on behind a part that is refused.
 * @throws NumaError of the first that was
 */
export function restorePolicies(context: Context, parts: readonly PolicyPart[]): void {
  const { backend } = context;
  const results = parts.map(({ address, pageCount, policy }) => {
    const nodes = { words: policy.nodemask, maxnode: MAXNODE_ALL };
    const nodemask = policy.nodemask.some((word) => word !== 0n) ? nodes : null;
    const lengthBytes = pageCount * backend.pageSizeBytes;
    return backend.mbind({ address, lengthBytes, mode: policy.mode, nodemask, flags: 0 });
  });
  for (const result of results) context.unwrap(result, 'putting the policy of a range back');
}

/** Pages of which the first policies are kept, however often they are given others. */
export class KeptPolicies {
  readonly #context: Context;
  /** Ascending; none overlaps another. */
  #parts: PolicyPart[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Keeps what a range has now, but for pages that are kept already. */
  keep(range: PageSpan): void {
    const found = this.#gapsIn(range).flatMap((gap) => policiesOf(this.#context, gap));
    this.#parts = [...this.#parts, ...found].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** Puts all of them back, once. */
  putBack(): void {
    const parts = this.#parts;
    this.#parts = [];
    restorePolicies(this.#context, parts);
  }

  #gapsIn(range: PageSpan): PageSpan[] {
    const gaps: PageSpan[] = [];
    let at = range.address;
    const end = this.#endOf(range);
    const addGap = (until: bigint): void => {
      const pages = (until - at) / BigInt(this.#context.backend.pageSizeBytes);
      if (pages > 0n) gaps.push({ address: at, pageCount: Number(pages) });
    };
    for (const part of this.#parts) {
      if (part.address >= end) break;
      addGap(part.address);
      const behind = this.#endOf(part);
      if (behind > at) at = behind;
    }
    addGap(end);
    return gaps;
  }

  #endOf({ address, pageCount }: PageSpan): bigint {
    return address + BigInt(pageCount * this.#context.backend.pageSizeBytes);
  }
}
