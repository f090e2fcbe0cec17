/**
 * What node-numa needs from a memory manager: one method per system call, in the kernel's terms.
 * The native backend makes the calls on this machine's kernel, the simulator answers as that
 * kernel would; a third backend can be written from this file alone.
 *
 * Promises valid for every method:
 * - A backend never throws for what the kernel would refuse: the answer is a `SyscallResult` with
 *   the kernel's positive errno. It does not pre-validate what the kernel validates. Only an
 *   argument that cannot be passed at all (wrong JavaScript type) is a `TypeError`.
 * - `syscall` of a failure is the name in the method's `Source:`; where there is none, `attach`,
 *   `array_buffer`, `touch` and `view`. Errors that users see are chosen by it (core/errors.ts).
 * - Addresses are `bigint`, need not be aligned unless the call says so, and ranges are half-open.
 * - Node masks are words, bit n of word n / 64 for node n, with the kernel's own `maxnode` beside
 *   them: the kernel reads `maxnode - 1` bits (core/nodemask-words.ts makes such pairs).
 * - Thread-scoped methods run on the calling thread and are synchronous: a pool thread has a
 *   policy and a CPU of its own. Range and process methods that return a promise do their work on
 *   another thread and never block the caller's event loop.
 * - A `Mapping` passed to an asynchronous method stays mapped until that method has settled, even
 *   when `munmap` is called meanwhile. After its `munmap` every method answers ENOENT for it.
 */

import type { MappedPart, Mapping, MappingCalls } from './mapping.ts';
import type { SyscallFailure, SyscallResult } from './syscall-result.ts';
import type { DeviceNumber, NodeMemory, TopologySnapshot } from './topology-snapshot.ts';

/** A node mask as the kernel takes it. `null` is the NULL pointer with `maxnode` 0. */
export interface NodemaskArgument {
  readonly words: BigUint64Array;
  /** As passed to the kernel, which reads one bit less. Never more bits than `words` holds. */
  readonly maxnode: number;
}

/** Arguments of set_mempolicy(2). */
export interface SetMempolicyRequest {
  /** `MPOL_*`, or-ed with mode flags. */
  readonly mode: number;
  readonly nodemask: NodemaskArgument | null;
}

/** Arguments of get_mempolicy(2). */
export interface GetMempolicyRequest {
  /** `MPOL_F_*`, 0 for the calling thread's policy. */
  readonly flags: number;
  /** Only with `MPOL_F_ADDR`; the kernel refuses it elsewhere. Default 0. */
  readonly address?: bigint;
  /** 0 passes a NULL mask; otherwise at least the number of possible nodes, or EINVAL. */
  readonly maxnode: number;
}

/** What get_mempolicy(2) stored. */
export interface GetMempolicyValue {
  /** The mode word with its flags; a node number where `MPOL_F_NODE` was asked. */
  readonly mode: number;
  /** The stored mask, whole words; empty when `maxnode` was 0. */
  readonly nodemask: BigUint64Array;
}

/** Arguments of mbind(2). */
export interface MbindRequest {
  /** Page aligned, or EINVAL. */
  readonly address: bigint;
  /** Rounded up to whole pages by the kernel. */
  readonly lengthBytes: number;
  readonly mode: number;
  readonly nodemask: NodemaskArgument | null;
  /** `MPOL_MF_*`. */
  readonly flags: number;
}

/** Arguments of set_mempolicy_home_node(2). */
export interface SetMempolicyHomeNodeRequest {
  /** Page aligned, or EINVAL. */
  readonly address: bigint;
  /** Rounded up to whole pages by the kernel. */
  readonly lengthBytes: number;
  /** An online node; it need not have memory, nor be one of the policy's nodes. */
  readonly node: number;
  /** 0; the kernel has none yet. */
  readonly flags: number;
}

/** Consecutive base pages, named without an address array. */
export interface PageSpan {
  readonly address: bigint;
  readonly pageCount: number;
}

/** Arguments of move_pages(2). */
export interface MovePagesRequest {
  /** 0 is the calling process. */
  readonly pid: number;
  /** Consecutive pages, or one address for each page. */
  readonly pages: PageSpan | BigUint64Array;
  /** One target node for all pages, one for each, or `null` to query only. */
  readonly nodes: number | Int32Array | null;
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  /**
   * One entry for each page, written in place when the call has ended, whether or not it
   * succeeded: a node number or a negative errno. Entries that the kernel did not write keep
   * what the caller put there, so prefill it with a value that is neither.
   */
  readonly status: Int32Array;
  /** Kept mapped while the call runs. */
  readonly mapping?: Mapping;
}

/** Arguments of PAGEMAP_SCAN. */
export interface PagemapScanRequest extends PageSpan {
  /** 0 is the calling process. */
  readonly pid: number;
  /** `PAGE_IS_*`: pages of any of these categories are looked for. */
  readonly categories: number;
  /** The most runs that it may find; 0: it tells none, and looks through the whole range. */
  readonly runsMax: number;
  /** The most pages that it may find; 0: any number. */
  readonly pagesMax: number;
}

/** Pages in a row that are alike. */
export interface PagemapRun extends PageSpan {
  /** Those of the categories asked for that they are of. */
  readonly categories: number;
}

/** What PAGEMAP_SCAN found. */
export interface PagemapScan {
  /** Consecutive pages of equal categories, ascending. */
  readonly runs: readonly PagemapRun[];
  /** First address that was not looked at: the end of the range, or earlier with enough found. */
  readonly walkEnd: bigint;
}

/** Arguments of migrate_pages(2). */
export interface MigratePagesRequest {
  /** 0 is the calling process. */
  readonly pid: number;
  /** One for both masks, which have at least that many bits less one. */
  readonly maxnode: number;
  readonly from: BigUint64Array | null;
  readonly to: BigUint64Array | null;
}

/** A move by copies that take the pages' place. */
export interface CopyPagesRequest extends MappedPart {
  readonly node: number;
  /** Of the node: where memory comes from if set_mempolicy is refused; none: then nothing moves. */
  readonly cpus: readonly number[];
  /** The policy that the pages have, to be theirs afterwards: `MPOL_*`, or-ed with mode flags. */
  readonly mode: number;
  readonly nodemask: NodemaskArgument | null;
  /** `MADV.HUGEPAGE` or `NOHUGEPAGE` that the memory has had; -1 for none. */
  readonly advice: number;
  /** Nobody reads it either: its huge pages may be kept for the next copies. Default false. */
  readonly mayKeep?: boolean;
}

/** What became of the pages, also of those in front of a refusal. */
export interface CopiedPages {
  /** For each page: the node for one that was copied, `-ENOENT` for one that is not there or was
   *  of zeros among copies, `-EFAULT` for one of zeros elsewhere, `-EACCES` for one that others
   *  map, too, `STATUS_UNSET` for one that was not come to. */
  readonly status: Int32Array;
  /** Calls of mremap that took place. */
  readonly swapCount: number;
  /** The kernel has said of every copy that it is on the node. */
  readonly isVerified: boolean;
  /** What ended it early: the pages behind are where they were. */
  readonly stop: SyscallFailure | undefined;
}

/** How `touch` faults a page in. */
export type Access = 'read' | 'write';

/** Where a thread runs. */
export interface CpuAndNode {
  readonly cpu: number;
  readonly node: number;
}

/** What a backend says of itself; part of every result that users see. */
export interface BackendIdentity {
  /** `native`, `simulator`, or a third party's own word. */
  readonly kind: string;
  /** Release of the kernel that answers, as uname(2) gives it, or the simulator's profile. */
  readonly kernel: string;
  /** Version or soname of the libnuma in use; `null` where none is. */
  readonly libnuma: string | null;
}

export interface Backend extends MappingCalls {
  readonly identity: BackendIdentity;
  /** Base page size in bytes: 4 kB on most machines, 16 or 64 kB on some. */
  readonly pageSizeBytes: number;
  /** The calling process. Source: getpid(2). */
  readonly pid: number;

  // Topology

  /** Nodes, CPUs, memory and distances as they are now. Source: numa(3), sysfs. */
  topology(): SyscallResult<TopologySnapshot>;
  /** Total and free memory of one node now. EINVAL of `numa_node_size64`, which is libnuma's name
   *  for it: no such node. Source: numa(3), sysfs. */
  nodeMemory(node: number): SyscallResult<NodeMemory>;

  // Thread (synchronous, on the calling thread)

  /** Faults in each page of the byte range by a load, or by a store that changes no value and
   *  loses no other thread's write. ERANGE: outside the mapping. */
  touch(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    access: Access,
  ): SyscallResult<undefined>;
  /** The same in each page of which an array of this thread shows a byte; memory that this backend
   *  has not mapped, too. Changes no byte. Source: madvise(2) with MADV_POPULATE_READ and _WRITE,
   *  Linux 5.14. EINVAL before it; EFAULT where there is no such access; ENOMEM. */
  touchView(view: Uint8Array, access: Access): SyscallResult<undefined>;
  /** First of the bytes that an array of this thread shows. They stay there as long as its buffer
   *  is neither detached nor collected. `view` EFAULT: it shows none. */
  viewAddress(view: Uint8Array): SyscallResult<bigint>;
  /** Source: set_mempolicy(2). EINVAL, EFAULT, ENOMEM. */
  setMempolicy(request: SetMempolicyRequest): SyscallResult<undefined>;
  /** Source: get_mempolicy(2). EINVAL, EFAULT. `MPOL_F_NODE | MPOL_F_ADDR` faults the page in. */
  getMempolicy(request: GetMempolicyRequest): SyscallResult<GetMempolicyValue>;
  /** Source: getcpu(2). */
  getcpu(): SyscallResult<CpuAndNode>;
  /** Source: sched_setaffinity(2), of the calling thread or of `tid`. EINVAL, EPERM, ESRCH. */
  schedSetaffinity(cpus: readonly number[], tid?: number): SyscallResult<undefined>;
  /** Source: sched_getaffinity(2) for the calling thread; ascending CPU numbers. */
  schedGetaffinity(): SyscallResult<number[]>;

  // Range

  /** Sets the range's policy and, by flag, moves its pages; synchronous, blocks while it moves.
   *  Source: mbind(2). EINVAL, EFAULT (hole), EPERM (MOVE_ALL), EIO (STRICT), ENOMEM. */
  mbind(request: MbindRequest): SyscallResult<undefined>;

  /** The node from which the range's own policy, BIND or PREFERRED_MANY, looks for memory, in place
   *  of the touching CPU's. Mappings with another policy end the call, those with none are skipped.
   *  Synchronous. Source: set_mempolicy_home_node(2), Linux 5.17. EINVAL, EOPNOTSUPP (policy of
   *  another mode), ENOENT (no policy in the range), ENOSYS. */
  setMempolicyHomeNode(request: SetMempolicyHomeNodeRequest): SyscallResult<undefined>;
  /** The parts of a range that are mapped, each with one set of attributes and one policy:
   *  ascending, cut to the range. Synchronous. Source: proc_pid_maps(5). ENOENT, EACCES where /proc
   *  is closed. */
  maps(span: PageSpan): SyscallResult<PageSpan[]>;

  // Pages

  /** Moves or locates pages on another thread. Value: 0, or the number of pages not moved or not
   *  attempted. Source: move_pages(2). EINVAL, EPERM, ESRCH, ENODEV, EACCES, EFAULT, ENOMEM. */
  movePages(request: MovePagesRequest): Promise<SyscallResult<number>>;
  /** The same on the calling thread. */
  movePagesSync(request: MovePagesRequest): SyscallResult<number>;
  /**
   * Moves pages of private anonymous memory without a call that moves: on a thread of its own each
   * part of a huge page's size is copied to the node, and the copy takes its place by mremap.
   * Holes stay holes. What is written to a part meanwhile is lost, and so is what a device does
   * with it: the caller answers for that, and for locked memory, and for attributes beyond policy
   * and advice. Source: mremap(2), MREMAP_FIXED; set_mempolicy(2). EPERM and ENOSYS of
   * `set_mempolicy` where no CPUs are named that may be used; EINVAL (memory of a pool or a file),
   * ENOENT, ERANGE, EAGAIN (no thread). `stop`: ENOMEM of `mbind` (no room on the node), of others.
   */
  copyPages(request: CopyPagesRequest): Promise<SyscallResult<CopiedPages>>;
  /** The pagemap entry of each page: bit 63 present, bit 62 swapped, bit 61 file or shared, bit 56
   *  mapped once.
   *  Synchronous; without `pid` of the calling process. Source: proc_pid_pagemap(5). ENOENT,
   *  EACCES, EPERM where /proc is closed, or the process is not ours to look into. */
  pagemap(span: PageSpan, pid?: number): SyscallResult<BigUint64Array>;
  /** Looks for pages by what pagemap tells of them, passing over what has no page tables: the work
   *  is that of the pages that are there, however long the range. Synchronous. Source:
   *  PAGEMAP_SCAN(2const), Linux 6.7. ENOTTY before it; as of `pagemap`; EINVAL, EFAULT. */
  pagemapScan(request: PagemapScanRequest): SyscallResult<PagemapScan>;
  /** The runs of pages of the calling process that are in memory, ascending: of anonymous memory
   *  those that are mapped in, pages of zeros too, of files those that anybody has. Synchronous; a
   *  byte for each page is written, an eighth of what pagemap takes. Source: mincore(2). EINVAL,
   *  ENOMEM (a part of the range is not mapped). */
  mincore(span: PageSpan): SyscallResult<PageSpan[]>;
  /** Moves a process's pages from node set to node set on another thread. Value: the number of
   *  pages left behind. Source: migrate_pages(2). EINVAL, EPERM, ESRCH, EFAULT, ENOMEM. */
  migratePages(request: MigratePagesRequest): Promise<SyscallResult<number>>;

  // Files of procfs and sysfs

  /** A whole text file below /proc or /sys, read on another thread; with `about`, of smaps and
   *  numa_maps of this process, what is about these pages or more. Bytes that are no UTF-8 become
   *  U+FFFD. ENOENT: no such file, process, or hidden; EACCES, EPERM; ESRCH: the process ended. */
  readText(path: string, about?: PageSpan): Promise<SyscallResult<string>>;
  /** The same on the calling thread. */
  readTextSync(path: string): SyscallResult<string>;
  /** Writes a setting below /proc or /sys at once, on another thread; a file that is not there is
   *  not made. ENOENT, EACCES, EPERM, EROFS, and what the setting itself refuses, as `write`. */
  writeText(path: string, text: string): Promise<SyscallResult<undefined>>;
  /** The device that a file is on, or that it is. Source: stat(2). ENOENT, EACCES, ENOTDIR. */
  stat(path: string): SyscallResult<DeviceNumber>;
  /** Names in a folder below /proc or /sys, in no order, read on another thread. ENOENT, EACCES. */
  readNames(path: string): Promise<SyscallResult<string[]>>;
}
