/**
 * The policies that parts of memory have, and putting them back.
 *
 * Deviation: the kernel tells no home node; a policy that had one is put back without.
 *
 * Source: proc_pid_maps(5), get_mempolicy(2) with MPOL_F_ADDR, mbind(2).
 */

import type { Backend, GetMempolicyValue, PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MAXNODE_ALL } from '../../core/nodemask-words.ts';
import { MPOL_F } from '../../core/uapi.ts';

/** Pages in a row with one policy. */
export interface PolicyPart extends PageSpan {
  readonly policy: GetMempolicyValue;
}

/** To ask for so many pages one by one takes less than to read the list of all mappings. */
const ASKED_PAGES_MAX = 64;

/** The policies of a range, part by part; what is not mapped is in none. */
export function policiesOf(backend: Backend, span: PageSpan): SyscallResult<PolicyPart[]> {
  return span.pageCount <= ASKED_PAGES_MAX
    ? policiesOfPages(backend, span)
    : policiesOfMappings(backend, span);
}

function policiesOfMappings(backend: Backend, span: PageSpan): SyscallResult<PolicyPart[]> {
  const { address, pageCount } = span;
  const found = backend.maps({ address, pageCount });
  return found.ok ? policiesOfParts(backend, found.value) : found;
}

/** Of parts that are mappings, or lie in one. */
export function policiesOfParts(
  backend: Backend,
  mapped: readonly PageSpan[],
): SyscallResult<PolicyPart[]> {
  const parts: PolicyPart[] = [];
  for (const part of mapped) {
    const policy = policyAt(backend, part.address);
    if (!policy.ok) return policy;
    parts.push({ ...part, policy: policy.value });
  }
  return { ok: true, value: parts };
}

function policiesOfPages(backend: Backend, span: PageSpan): SyscallResult<PolicyPart[]> {
  const parts: PolicyPart[] = [];
  let isHole = true;
  for (let page = 0; page < span.pageCount; page += 1) {
    const address = span.address + BigInt(page * backend.pageSizeBytes);
    const policy = policyAt(backend, address);
    const last = parts.at(-1);
    if (!policy.ok) {
      if (policy.errno !== ERRNO.EFAULT) return policy;
      isHole = true;
    } else if (last !== undefined && !isHole && isSamePolicy(last.policy, policy.value)) {
      parts[parts.length - 1] = { ...last, pageCount: last.pageCount + 1 };
    } else {
      parts.push({ address, pageCount: 1, policy: policy.value });
      isHole = false;
    }
  }
  return { ok: true, value: parts };
}

function policyAt(backend: Backend, address: bigint): SyscallResult<GetMempolicyValue> {
  return backend.getMempolicy({ flags: MPOL_F.ADDR, address, maxnode: MAXNODE_ALL });
}

export function isSamePolicy(one: GetMempolicyValue, other: GetMempolicyValue): boolean {
  const { nodemask: words } = other;
  return (
    one.mode === other.mode &&
    one.nodemask.length === words.length &&
    one.nodemask.every((word, index) => word === words[index])
  );
}

/** What of the parts is in a span. */
export function partsWithin<Part extends PageSpan>(
  parts: readonly Part[],
  span: PageSpan,
  pageSizeBytes: number,
): Part[] {
  const size = BigInt(pageSizeBytes);
  const endOf = ({ address, pageCount }: PageSpan): bigint => address + BigInt(pageCount) * size;
  return parts.flatMap((part) => {
    const address = part.address > span.address ? part.address : span.address;
    const end = endOf(part) < endOf(span) ? endOf(part) : endOf(span);
    if (end <= address) return [];
    return [{ ...part, address, pageCount: Number((end - address) / size) }];
  });
}

/** Puts policies back, behind a part that is refused, too; the answer is the first refusal. */
export function restorePolicies(
  backend: Backend,
  parts: readonly PolicyPart[],
): SyscallResult<undefined> {
  const results = parts.map((part) => restorePolicy(backend, part));
  return results.find(({ ok }) => !ok) ?? { ok: true, value: undefined };
}

export function restorePolicy(
  backend: Backend,
  { address, pageCount, policy }: PolicyPart,
): SyscallResult<undefined> {
  const nodes = { words: policy.nodemask, maxnode: MAXNODE_ALL };
  const nodemask = policy.nodemask.some((word) => word !== 0n) ? nodes : null;
  const lengthBytes = pageCount * backend.pageSizeBytes;
  return backend.mbind({ address, lengthBytes, mode: policy.mode, nodemask, flags: 0 });
}
