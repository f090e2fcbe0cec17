/**
 * The policies that parts of memory had, to be put back as they were.
 *
 * Deviation: the kernel tells no home node; a policy that had one is put back without.
 *
 * Source: proc_pid_maps(5), get_mempolicy(2) with MPOL_F_ADDR, mbind(2).
 */

import type { Backend, GetMempolicyValue, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { MAXNODE_ALL } from '../../core/nodemask-words.ts';
import { MPOL_F } from '../../core/uapi.ts';
import type { Context } from '../context.ts';

/** Pages in a row with one policy. */
export interface PolicyPart extends PageSpan {
  readonly policy: GetMempolicyValue;
}

/** The policies of a range, part by part as the kernel has them. */
export function policiesOf(backend: Backend, span: PageSpan): SyscallResult<PolicyPart[]> {
  const { address, pageCount } = span;
  const found = backend.maps({ address, pageCount });
  if (!found.ok) return found;
  const parts: PolicyPart[] = [];
  for (const part of found.value) {
    const request = { flags: MPOL_F.ADDR, address: part.address, maxnode: MAXNODE_ALL };
    const policy = backend.getMempolicy(request);
    if (!policy.ok) return policy;
    parts.push({ ...part, policy: policy.value });
  }
  return { ok: true, value: parts };
}

/** Puts policies back, behind a part that is refused, too; the answer is the first refusal. */
export function restorePolicies(
  backend: Backend,
  parts: readonly PolicyPart[],
): SyscallResult<undefined> {
  const results = parts.map(({ address, pageCount, policy }) => {
    const nodes = { words: policy.nodemask, maxnode: MAXNODE_ALL };
    const nodemask = policy.nodemask.some((word) => word !== 0n) ? nodes : null;
    const lengthBytes = pageCount * backend.pageSizeBytes;
    return backend.mbind({ address, lengthBytes, mode: policy.mode, nodemask, flags: 0 });
  });
  return results.find(({ ok }) => !ok) ?? { ok: true, value: undefined };
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
    const asked = 'reading the policies of the range';
    const found = this.#gapsIn(range).flatMap((gap) =>
      this.#context.unwrap(policiesOf(this.#context.backend, gap), asked),
    );
    this.#parts = [...this.#parts, ...found].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** Puts all of them back, once. */
  putBack(): void {
    const parts = this.#parts;
    this.#parts = [];
    const restored = restorePolicies(this.#context.backend, parts);
    this.#context.unwrap(restored, 'putting the policies of the range back');
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
