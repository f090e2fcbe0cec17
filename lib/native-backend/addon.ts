/**
 * The only typed view of the addon's raw exports. They keep the kernel's spelling; each is
 * described in the file of native/ that defines it.
 */

import type { Access, CpuAndNode, GetMempolicyValue } from '../backend/backend.ts';
import type { FileState, Mapping } from '../backend/mapping.ts';
import type { SyscallFailure, SyscallResult } from '../backend/syscall-result.ts';

/** Arguments of both variants of move_pages, in the kernel's order. */
type MovePagesArguments = [
  pid: number,
  count: number,
  /** The first of `count` consecutive pages, or one address for each. */
  pages: bigint | BigUint64Array,
  nodes: number | Int32Array | null,
  status: Int32Array,
  flags: number,
  mapping: Mapping | null,
];

/** What the .node file exports. */
export interface Addon {
  mmap(lengthBytes: number): SyscallResult<Mapping>;
  /** 0 for no alignment or size of its own, -1 for no descriptor. */
  mmap_with(
    lengthBytes: number,
    alignmentBytes: number,
    hugePageBytes: number,
    isShared: 0 | 1,
    descriptor: number,
    offsetBytes: number,
  ): SyscallResult<Mapping>;
  attach(id: number, generation: number): SyscallResult<Mapping>;
  array_buffer(mapping: Mapping): SyscallResult<ArrayBuffer>;
  array_buffer_part(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
  ): SyscallResult<ArrayBuffer>;
  /** The mapping that was given has no share any more then. */
  mremap(mapping: Mapping, lengthBytes: number, ends: BigUint64Array): SyscallResult<Mapping>;
  munmap(mapping: Mapping): void;
  madvise(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    advice: number,
  ): SyscallResult<undefined>;
  /** Runs on the pool, on these CPUs. */
  madvise_async(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    advice: number,
    cpus: readonly number[],
  ): Promise<SyscallResult<undefined>>;
  /** Runs on the pool. */
  msync_async(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
  ): Promise<SyscallResult<undefined>>;
  fstat(mapping: Mapping): SyscallResult<FileState>;
  touch(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    access: Access,
  ): SyscallResult<undefined>;
  /** What lies in pages of which the array shows a byte. */
  touch_view(view: Uint8Array, access: Access): SyscallResult<undefined>;
  view_address(view: Uint8Array): SyscallResult<bigint>;
  mbind(
    address: bigint,
    lengthBytes: number,
    mode: number,
    nodemask: BigUint64Array | null,
    maxnode: number,
    flags: number,
  ): SyscallResult<undefined>;
  set_mempolicy(
    mode: number,
    nodemask: BigUint64Array | null,
    maxnode: number,
  ): SyscallResult<undefined>;
  get_mempolicy(maxnode: number, address: bigint, flags: number): SyscallResult<GetMempolicyValue>;
  set_mempolicy_home_node(
    address: bigint,
    lengthBytes: number,
    node: number,
    flags: number,
  ): SyscallResult<undefined>;
  /** Runs on the calling thread. */
  move_pages(...request: MovePagesArguments): SyscallResult<number>;
  /** Runs on the pool. */
  move_pages_async(...request: MovePagesArguments): Promise<SyscallResult<number>>;
  /** Runs on a thread of its own; errno 0 for what has come to its end. */
  copy_pages_async(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    node: number,
    cpus: readonly number[],
    mode: number,
    nodemask: BigUint64Array | null,
    maxnode: number,
    advice: number,
    mayKeep: number,
  ): Promise<
    SyscallResult<{
      status: Int32Array;
      swapCount: number;
      isVerified: boolean;
      errno: number;
      syscall: string;
    }>
  >;
  /** What the files tell of the mappings of a range; runs on a thread of its own. */
  read_mappings_async(
    isNumaMaps: number,
    address: bigint,
    lengthBytes: number,
  ): Promise<SyscallResult<string>>;
  migrate_pages_async(
    pid: number,
    maxnode: number,
    from: BigUint64Array | null,
    to: BigUint64Array | null,
  ): Promise<SyscallResult<number>>;
  getcpu(): SyscallResult<CpuAndNode>;
  /** @param tid 0: the calling thread */
  sched_setaffinity(tid: number, cpus: readonly number[]): SyscallResult<undefined>;
  sched_getaffinity(): SyscallResult<number[]>;
  /**
   * Only returns when it has failed.
   * @param path and `argv` are strings that each end in a zero byte
   * @param kept descriptors that stay open, beside the standard ones
   * @param descriptorsMax the soft limit; 0 leaves Node's
   */
  execve(
    path: Uint8Array,
    argv: Uint8Array,
    kept: Int32Array,
    descriptorsMax: number,
  ): SyscallFailure;
  /** Fills `entries`. */
  pagemap(pid: number, address: bigint, entries: BigUint64Array): SyscallResult<undefined>;
  /** Fills `regions`, three words each, and `walkEnd`; the value is the number of regions. */
  pagemap_scan(
    pid: number,
    address: bigint,
    pageCount: number,
    categories: number,
    pagesMax: number,
    regions: BigUint64Array,
    walkEnd: BigUint64Array,
  ): SyscallResult<number>;
  /** Fills a byte for each page. */
  mincore(address: bigint, pageCount: number, pages: BigUint64Array): SyscallResult<undefined>;
  /** The file of the libnuma in use; `null` where it cannot be told. */
  libnuma_path(): string | null;
  page_size_bytes(): number;
  /** The constants of the system headers at build time, under the kernel's names. */
  uapi(): Record<string, number>;
}

/** Each function; the type makes sure that none is forgotten. */
export const ADDON_FUNCTIONS = Object.keys({
  mmap: true,
  mmap_with: true,
  array_buffer_part: true,
  mremap: true,
  attach: true,
  array_buffer: true,
  munmap: true,
  madvise: true,
  madvise_async: true,
  msync_async: true,
  fstat: true,
  touch: true,
  touch_view: true,
  view_address: true,
  mbind: true,
  set_mempolicy: true,
  get_mempolicy: true,
  set_mempolicy_home_node: true,
  move_pages: true,
  move_pages_async: true,
  copy_pages_async: true,
  read_mappings_async: true,
  migrate_pages_async: true,
  getcpu: true,
  sched_setaffinity: true,
  sched_getaffinity: true,
  execve: true,
  pagemap: true,
  pagemap_scan: true,
  mincore: true,
  libnuma_path: true,
  page_size_bytes: true,
  uapi: true,
} satisfies Record<keyof Addon, true>) as (keyof Addon)[];
