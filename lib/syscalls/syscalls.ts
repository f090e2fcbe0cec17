/**
 * The six NUMA system calls as the kernel has them. Nothing is checked that the kernel checks,
 * nothing is retried, and a refusal is no exception: every call answers
 * `{ ok: true, value }` or `{ ok: false, errno, syscall }` with the kernel's positive errno.
 * Thrown is a TypeError or RangeError for what cannot be passed to the kernel at all.
 *
 * Common to all: addresses are bigint, lengths are in bytes, masks are a NodeMask, words with the
 * kernel's own `maxnode` (it reads `maxnode - 1` bits), or null for the NULL pointer. Numbers are
 * in MPOL, MPOL_MODE_FLAG, MPOL_F and MPOL_MF.
 */

import type {
  Backend,
  GetMempolicyRequest,
  GetMempolicyValue,
  MovePagesRequest,
  NodemaskArgument,
  SetMempolicyHomeNodeRequest,
} from '../backend/backend.ts';
import { check, nodemask } from '../backend/requests.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { NUMA_CALLS, type PolicyCall } from '../core/calls.ts';
import { readMembers } from '../core/check-arguments.ts';
import { isNodeMask, type NodeMask } from '../core/node-mask.ts';
import { nodemaskPair, nodemaskWords } from '../core/nodemask-words.ts';

/** A node mask, words as the kernel reads them, or the NULL pointer. */
export type Nodemask = NodeMask | NodemaskArgument | null;

/** Arguments of mbind(2). */
export interface MbindCall {
  /** Start of the range; a multiple of the page size, or EINVAL. */
  readonly address: bigint;
  /** In bytes; the kernel rounds it up to whole pages. */
  readonly lengthBytes: number;
  /** MPOL, or-ed with MPOL_MODE_FLAG. */
  readonly mode: number;
  readonly nodemask: Nodemask;
  /** MPOL_MF, 0 to set the policy only. */
  readonly flags: number;
}

/** Arguments of set_mempolicy(2). */
export interface SetMempolicyCall {
  /** MPOL, or-ed with MPOL_MODE_FLAG. */
  readonly mode: number;
  readonly nodemask: Nodemask;
}

/** Arguments of migrate_pages(2). */
export interface MigratePagesCall {
  /** 0 is the calling process. */
  readonly pid: number;
  /** The kernel has one maxnode for both masks: the larger one is passed. */
  readonly from: Nodemask;
  readonly to: Nodemask;
}

/** The calls of one backend; made by `openSyscalls()`. */
export class Syscalls {
  readonly #backend: Backend;

  /** @internal Use `openSyscalls()`. */
  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /**
   * Sets the policy of a range of this process and, by flag, moves its pages. Synchronous, on the
   * calling thread, which is blocked while pages move.
   *
   * EINVAL: unaligned address, unknown mode or flag, nodes that the mode does not take, none of
   * them usable. EFAULT: hole in the range. EPERM: MOVE_ALL without CAP_SYS_NICE. EIO: STRICT, and
   * a page is elsewhere or could not be moved; with a MOVE flag the policy is set nevertheless.
   * ENOMEM.
   * Source: mbind(2); mm/mempolicy.c, do_mbind().
   */
  mbind(call: MbindCall): SyscallResult<undefined> {
    return this.#backend.mbind(check.mbind(withWords('mbind', call), 'call'));
  }

  /**
   * Sets the policy of the calling thread. Synchronous, on the calling thread; moves nothing.
   *
   * EINVAL: unknown mode, nodes that it does not take, none of them usable. ENOMEM.
   * Source: set_mempolicy(2); mm/mempolicy.c, do_set_mempolicy().
   */
  setMempolicy(call: SetMempolicyCall): SyscallResult<undefined> {
    const request = withWords('set_mempolicy', call);
    return this.#backend.setMempolicy(check.setMempolicy(request, 'call'));
  }

  /**
   * Asks for the policy of the calling thread (flags 0) or of an address (MPOL_F.ADDR), the
   * thread's allowed nodes (MPOL_F.MEMS_ALLOWED), or a page's node (NODE | ADDR, which faults the
   * page in). Synchronous, on the calling thread.
   *
   * EINVAL: `maxnode` below the number of possible nodes and not 0, flags that do not go together,
   * an address without ADDR. EFAULT: nothing is mapped at the address.
   * Source: get_mempolicy(2); mm/mempolicy.c, do_get_mempolicy().
   */
  getMempolicy(call: GetMempolicyRequest): SyscallResult<GetMempolicyValue> {
    return this.#backend.getMempolicy(check.getMempolicy(call, 'call'));
  }

  /**
   * Moves a process's pages from node set to node set, in order of the nodes; its policies stay.
   * On a thread of the pool. Value: how many pages or folios stayed behind, by this kernel's way
   * of counting.
   *
   * EPERM: not ours to trace, or a target node that the process may not use. ESRCH. EINVAL: no
   * target node that the caller may use. ENOMEM: a target node is full, earlier pages have moved.
   * Source: migrate_pages(2); mm/mempolicy.c, do_migrate_pages().
   */
  async migratePages(call: MigratePagesCall): Promise<SyscallResult<number>> {
    const { pid, from, to } = readMembers<MigratePagesCall>(call, 'call', ['pid', 'from', 'to']);
    const masks = nodemaskPair(nodemask(encode(from), 'from'), nodemask(encode(to), 'to'));
    return this.#backend.migratePages(check.migratePages({ pid, ...masks }, 'call'));
  }

  /**
   * Moves pages to nodes, or with `nodes: null` tells where they are: a node number or a negative
   * errno for each page in `status`. On a thread of the pool. Value: 0, or the number of pages that
   * failed or were not attempted. After a failed run the statuses of that run are not written:
   * prefill `status` with a value that is neither.
   *
   * EINVAL: flags other than MOVE and MOVE_ALL. EPERM: MOVE_ALL without CAP_SYS_NICE, or not ours
   * to trace. ESRCH. ENODEV: a target is not online or has no memory. EACCES: a target outside of
   * the process's cpuset. ENOMEM: a target is full. ENOENT: `mapping` was given up.
   * Source: move_pages(2); mm/migrate.c, do_pages_move() and do_pages_stat().
   */
  async movePages(call: MovePagesRequest): Promise<SyscallResult<number>> {
    return this.#backend.movePages(check.movePages(call, 'call'));
  }

  /** The same on the calling thread, which is blocked. */
  movePagesSync(call: MovePagesRequest): SyscallResult<number> {
    return this.#backend.movePagesSync(check.movePages(call, 'call'));
  }

  /**
   * Sets the node from which allocations under the range's BIND or PREFERRED_MANY policy start.
   * Parts without a policy are skipped. A later mbind drops it, and nothing reports it.
   * Synchronous, on the calling thread.
   *
   * EINVAL: unaligned address, flags, a node that is not online. EOPNOTSUPP: a policy of another
   * mode; parts before it are set. ENOENT: no policy in the whole range. ENOSYS before Linux 5.17.
   * Source: set_mempolicy_home_node(2); mm/mempolicy.c.
   */
  setMempolicyHomeNode(call: SetMempolicyHomeNodeRequest): SyscallResult<undefined> {
    return this.#backend.setMempolicyHomeNode(check.setMempolicyHomeNode(call, 'call'));
  }
}

function withWords(call: PolicyCall, asked: MbindCall | SetMempolicyCall): object {
  const names = Object.keys(NUMA_CALLS[call].takes) as 'nodemask'[];
  const given = readMembers<{ nodemask: unknown }>(asked, 'call', names);
  return { ...given, nodemask: encode(given.nodemask) };
}

/** What is neither is told by the check of the whole request. */
function encode(given: unknown): unknown {
  return isNodeMask(given) ? nodemaskWords(given) : given;
}
