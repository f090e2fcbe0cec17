/**
 * get_mempolicy(2), and what it writes for a backend, which has room for any mask.
 *
 * Source: mm/mempolicy.c, kernel_get_mempolicy(), do_get_mempolicy() and copy_nodes_to_user().
 */

import type { GetMempolicyRequest, GetMempolicyValue } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MPOL_F } from '../../core/uapi.ts';
import { touchPages } from '../memory/fault.ts';
import { isPage, isZeroPage } from '../memory/page-entry.ts';
import { rangePolicyAt } from '../memory/vma.ts';
import type { Nodemask } from '../nodes/nodemask.ts';
import { type Mempolicy, modeWordOf, reportedNodes } from '../policy/mempolicy.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer, success } from './answer.ts';
import { pageOf } from './range-argument.ts';

const BITS_PER_WORD = 64n;
const WORD_BYTES = 8n;
const FLAGS = MPOL_F.NODE | MPOL_F.ADDR | MPOL_F.MEMS_ALLOWED;

export interface GetMempolicyCall {
  readonly flags: number;
  readonly address: bigint;
  readonly maxnode: bigint;
  /** The mask pointer is not NULL. */
  readonly hasMask: boolean;
  /** The mode pointer is not NULL. */
  readonly hasMode: boolean;
  /** Bytes that can be written behind the mask pointer, and behind the mode pointer. */
  readonly writableMaskBytes: bigint;
  readonly isModeWritable: boolean;
  /** One more than the highest possible node: nr_node_ids. */
  readonly possibleNodeCount: number;
}

/** What the call stored, also where it failed afterwards. */
export interface Stored {
  readonly result: SyscallResult<undefined>;
  /** null: not written. */
  readonly mode: number | null;
  readonly words: readonly bigint[];
}

interface Found {
  readonly mode: number;
  readonly nodes: Nodemask;
}

export function getMempolicy(thread: Thread, call: GetMempolicyCall): Stored {
  const maxnode = BigInt.asUintN(64, call.maxnode);
  const fail = (errno: number, mode: number | null = null): Stored => ({
    result: answer('get_mempolicy', errno),
    mode,
    words: [],
  });
  if (call.hasMask && maxnode < BigInt(call.possibleNodeCount)) return fail(ERRNO.EINVAL);
  const found = findPolicy(thread, call);
  if ('errno' in found) return fail(found.errno);
  if (call.hasMode && !call.isModeWritable) return fail(ERRNO.EFAULT);
  const mode = call.hasMode ? found.mode : null;
  if (!call.hasMask) return { result: answer('get_mempolicy', 0), mode, words: [] };
  const stored = storeMask(thread, { ...call, maxnode }, found.nodes);
  return { result: answer('get_mempolicy', stored.errno), mode, words: stored.words };
}

function findPolicy(thread: Thread, call: GetMempolicyCall): Found | { readonly errno: number } {
  const { flags, address } = call;
  if ((flags & ~FLAGS) !== 0) return { errno: ERRNO.EINVAL };
  if ((flags & MPOL_F.MEMS_ALLOWED) !== 0) {
    if ((flags & (MPOL_F.NODE | MPOL_F.ADDR)) !== 0) return { errno: ERRNO.EINVAL };
    return { mode: 0, nodes: thread.memsAllowed };
  }
  if ((flags & MPOL_F.ADDR) !== 0) return rangePolicy(thread, call);
  if (address !== 0n) return { errno: ERRNO.EINVAL };
  const { policy, counter } = thread;
  const nodes = reportedNodes(policy);
  if ((flags & MPOL_F.NODE) === 0) return { mode: modeWordOf(policy), nodes };
  if (!policy?.mode.interleaving) return { errno: ERRNO.EINVAL };
  return { mode: policy.mode.interleaving.nextCounted(policy.nodes, counter), nodes };
}

/** The policy of a range, or the node of its page, which is faulted in for that. */
function rangePolicy(
  thread: Thread,
  { flags, address }: GetMempolicyCall,
): Found | { readonly errno: number } {
  const { mm } = thread;
  const page = pageOf(address, mm.memory.pageSizeBytes);
  const vma = mm.vmas.lookup(page);
  if (vma === undefined) return { errno: ERRNO.EFAULT };
  const policy: Mempolicy | null = rangePolicyAt(vma, page);
  const nodes = reportedNodes(policy);
  if ((flags & MPOL_F.NODE) === 0) return { mode: modeWordOf(policy), nodes };
  // What is there is found without a fault, whatever a read of it would be told.
  const isFound = vma.access !== 'none' && isPage(mm.pages.get(page));
  if (!isFound) {
    const isRefused = vma.access === 'write-only';
    const isThere = !isRefused && touchPages(thread, page, page + 1, 'read') === 'done';
    if (!isThere) return { errno: ERRNO.EFAULT };
  }
  const isZero = isZeroPage(mm.pages.get(page));
  const node = isZero ? mm.memory.zeroPageNode : (mm.nodeAt(page) as number);
  return { mode: node, nodes };
}

/** Whole words; those behind the possible nodes are zero. */
function storeMask(
  { mm: { memory } }: Thread,
  { maxnode, possibleNodeCount, writableMaskBytes }: GetMempolicyCall,
  nodes: Nodemask,
): { errno: number; words: readonly bigint[] } {
  const bits = BigInt.asUintN(64, BigInt.asUintN(64, maxnode - 1n) + BITS_PER_WORD - 1n);
  const bytes = (bits / BITS_PER_WORD) * WORD_BYTES;
  const nodeWords = (BigInt(possibleNodeCount) + BITS_PER_WORD - 1n) / BITS_PER_WORD;
  if (bytes > nodeWords * WORD_BYTES && bytes > BigInt(memory.pageSizeBytes)) {
    return { errno: ERRNO.EINVAL, words: [] };
  }
  if (bytes > writableMaskBytes) return { errno: ERRNO.EFAULT, words: [] };
  const words = Array.from({ length: Number(bytes / WORD_BYTES) }, (_, index) =>
    BigInt(index) < nodeWords ? BigInt.asUintN(64, nodes >> (BigInt(index) * BITS_PER_WORD)) : 0n,
  );
  return { errno: 0, words };
}

/** More than any mask takes. */
const MASK_BYTES = 2n ** 16n;

export function policyOf(
  thread: Thread,
  request: Required<GetMempolicyRequest> & { readonly possibleNodeCount: number },
): SyscallResult<GetMempolicyValue> {
  const { maxnode } = request;
  const { result, mode, words } = getMempolicy(thread, {
    ...request,
    maxnode: BigInt(maxnode),
    hasMask: maxnode !== 0,
    hasMode: true,
    writableMaskBytes: MASK_BYTES,
    isModeWritable: true,
  });
  return result.ok ? success({ mode: mode ?? 0, nodemask: BigUint64Array.from(words) }) : result;
}
