/**
 * What the contract suite needs beside a backend: real processes whose calls a test directs one
 * by one. On the kernel they are puppets (test/puppet), on a simulated machine they are its own.
 *
 * Each method is one system call, answered as a backend answers it (lib/backend/backend.ts).
 */

import type {
  Access,
  GetMempolicyRequest,
  GetMempolicyValue,
  MbindRequest,
  MovePagesRequest,
  NodemaskArgument,
  SetMempolicyHomeNodeRequest,
} from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { KnownTopology } from '../../lib/backend/topology-snapshot.ts';
import type { NodeCounters, VmCounters } from './world-counters.ts';
import type { FileCalls, TextFiles } from './world-files.ts';
import type { MachineSettings } from './world-settings.ts';
import type { StateCalls, ThreadCalls } from './world-threads.ts';

export type { NodeCounters, VmCounters } from './world-counters.ts';
export type { Cpuset, MachineSettings, WeightFiles, WriteWeight } from './world-settings.ts';
export type { Capability, StateCalls, ThreadCalls } from './world-threads.ts';

/** Status entries hold this until the kernel writes them. */
export const UNWRITTEN = -9999;

/** What a kind of world can show; a test that needs more is not part of that world's suite. */
export type Trait =
  /** Mappings at chosen addresses, and unmapping part of one. */
  | 'addresses'
  /** Processes beside each other: children, shared mappings. */
  | 'sharing'
  /** Another user id. */
  | 'setuid'
  /** References that keep pages where they are. */
  | 'pin'
  | 'mlock'
  /** Mask and status pointers that are NULL or lead nowhere, lengths beyond a number. */
  | 'pointers'
  /** Reading and writing a word of memory. */
  | 'contents'
  /** Memory with an object behind it: shared memory, files, huge pages of a pool. */
  | 'objects'
  /** Advice, moved mappings, and the list of a process's memory areas. */
  | 'areas'
  /** Rings that hold or own pages. */
  | 'rings'
  /** Threads beside the first, and programs executed anew. */
  | 'threads'
  /** Processes in states of their own: ended, in a user namespace; threads of the kernel. */
  | 'states'
  /** Settings of the whole machine, and cpusets. */
  | 'settings'
  /** What the machine counts: of each node's pages, and of what migrations have done. */
  | 'counters'
  /** Files below /proc and /sys. */
  | 'files';

/** A mask by its address in the process, which need not be one. */
export interface MaskPointer {
  readonly pointer: bigint;
  readonly maxnode: number | bigint;
}

export type MaskArgument = NodemaskArgument | MaskPointer | null;

export interface PolicyRequest {
  readonly mode: number;
  readonly nodemask: MaskArgument;
}

export interface WorldMbindRequest extends Omit<MbindRequest, 'nodemask' | 'lengthBytes'> {
  readonly lengthBytes: number | bigint;
  readonly nodemask: MaskArgument;
}

export interface WorldHomeNodeRequest extends Omit<SetMempolicyHomeNodeRequest, 'lengthBytes'> {
  readonly lengthBytes: number | bigint;
}

export interface WorldMigratePagesRequest {
  readonly pid: number;
  readonly from: MaskArgument;
  readonly to: MaskArgument;
}

export interface MmapRequest {
  /** Exactly there, or EEXIST. Absent: where the system likes. */
  readonly address?: bigint;
  readonly pageCount: number;
  readonly shared?: boolean;
}

/** get_mempolicy with everything that it stored, also when it failed in the end. */
export interface StoredPolicy {
  readonly result: SyscallResult<undefined>;
  /** `null`: not written. */
  readonly mode: number | null;
  /** The words written. */
  readonly words: readonly bigint[];
}

/** Calls whose pointers are the test's own affair. Only with the trait `pointers`. */
export interface PointerCalls {
  getMempolicy(request: {
    readonly flags: number;
    readonly address?: bigint;
    readonly maxnode: number | bigint;
    /** Default: a buffer large enough. */
    readonly mask?: bigint;
    readonly mode?: bigint;
  }): Promise<StoredPolicy>;
  /** Memory ends with an array that has fewer entries than `count`. */
  movePages(request: {
    readonly count: number;
    readonly pages: bigint | BigUint64Array;
    readonly nodes: number | bigint | Int32Array | null;
    readonly status: bigint | Int32Array;
    /** Default: MPOL_MF_MOVE. */
    readonly flags?: number;
  }): Promise<SyscallResult<number>>;
}

/**
 * What a mapping can have behind it. tmpfs and ramfs: a file of a file system of its own; disk: a
 * file that is written back to one; secret: memory that the kernel itself cannot read.
 */
export type ObjectKind = 'memfd' | 'sysv' | 'hugetlb' | 'tmpfs' | 'ramfs' | 'disk' | 'secret';

/** Known to the process that made it and to children forked since. */
export interface MemoryObject {
  readonly kind: ObjectKind;
  readonly id: number;
  readonly inode: bigint;
}

/** With the trait `objects`. */
export interface ObjectCalls {
  /** Only a memfd has a name. */
  create(kind: ObjectKind, pageCount: number, name?: string): Promise<SyscallResult<MemoryObject>>;
  /** A System V segment can only be attached: whole, shared, at any address. */
  map(
    object: MemoryObject,
    request: MmapRequest & { readonly firstPage?: number },
  ): Promise<SyscallResult<bigint>>;
  /** Fills pages of the object through write(2). */
  write(
    object: MemoryObject,
    firstPage: number,
    pageCount: number,
  ): Promise<SyscallResult<undefined>>;
}

/** One memory area (VMA), or the part of it that was asked about. */
export interface Area {
  readonly address: bigint;
  readonly pageCount: number;
  /** As /proc/PID/numa_maps words it: `bind:1`. */
  readonly policy: string;
  /** Bytes of it in transparent huge pages. */
  readonly hugeBytes: number;
}

/** With the trait `areas`. */
export interface AreaCalls {
  madvise(address: bigint, pageCount: number, advice: number): Promise<SyscallResult<undefined>>;
  /** Moves a mapping to exactly there. */
  mremap(address: bigint, pageCount: number, to: bigint): Promise<SyscallResult<undefined>>;
  /** Makes a mapping longer or shorter; the value is where it is then. */
  resize(address: bigint, pageCount: number, newPageCount: number): Promise<SyscallResult<bigint>>;
  /** Processes start without transparent huge pages, whatever they ask for. */
  allowHugePages(): Promise<SyscallResult<undefined>>;
  list(address: bigint, pageCount: number): Promise<Area[]>;
  /** Makes every page an area of its own; ENOMEM at the limit of areas. */
  shatter(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  /** What the kernel maps into each process: its code, and the data of its clocks. */
  special(name: 'vdso' | 'vvar'): Promise<Pick<Area, 'address' | 'pageCount'> | null>;
  /** Maps memory of a device, 32 pages at most, which no node has: exactly there, if told. */
  mapDevice(pageCount: number, address?: bigint): Promise<SyscallResult<bigint>>;
  /** Every line of the file that the calling thread reads below /proc. */
  numaMaps(folder: 'self' | 'thread-self'): Promise<string[]>;
}

/** With the trait `rings`. */
export interface RingCalls {
  /** A long-term pin by io_uring; the value names it. */
  register(address: bigint, pageCount: number): Promise<SyscallResult<number>>;
  unregister(ring: number): Promise<SyscallResult<undefined>>;
  /** A long-term pin by an XDP socket, which takes what a long-term pin may have. */
  registerPackets(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  /** Maps a ring of received packets: pages that belong to the driver. */
  packetRing(blockPages: number, blockCount: number): Promise<SyscallResult<bigint>>;
}

/** Answers of a trait that the world does not have are ENOSYS. */
export interface WorldProcess {
  readonly pid: number;
  readonly pointers: PointerCalls;
  readonly objects?: ObjectCalls;
  readonly areas?: AreaCalls;
  readonly rings?: RingCalls;
  readonly states?: StateCalls;
  readonly threads?: ThreadCalls;
  readonly files?: FileCalls;
  /** The signal that ended it, known from the first call that found it gone: ESRCH. */
  readonly killedBy: number | null;

  mmap(request: MmapRequest): Promise<SyscallResult<bigint>>;
  munmap(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  /** `write` lets read as well, `write-only` need not. */
  mprotect(
    address: bigint,
    pageCount: number,
    access: Access | 'none' | 'write-only',
  ): Promise<SyscallResult<undefined>>;
  mlock(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  munlock(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  touch(address: bigint, pageCount: number, access: Access): Promise<SyscallResult<undefined>>;
  /**
   * Answers at once, and touches for so long; the process's next call waits. `count` adds 1 to the
   * first word of each page in turn. With `settings` or `states`.
   */
  keepTouching(
    address: bigint,
    pageCount: number,
    access: Access | 'count',
    milliseconds: number,
  ): Promise<SyscallResult<undefined>>;
  store(address: bigint, value: bigint): Promise<SyscallResult<undefined>>;
  load(address: bigint): Promise<SyscallResult<bigint>>;

  setMempolicy(request: PolicyRequest): Promise<SyscallResult<undefined>>;
  getMempolicy(request: GetMempolicyRequest): Promise<SyscallResult<GetMempolicyValue>>;
  mbind(request: WorldMbindRequest): Promise<SyscallResult<undefined>>;
  setMempolicyHomeNode(request: WorldHomeNodeRequest): Promise<SyscallResult<undefined>>;
  movePages(request: MovePagesRequest): Promise<SyscallResult<number>>;
  migratePages(request: WorldMigratePagesRequest): Promise<SyscallResult<number>>;

  /** A child with a copy of the memory and the policy. */
  fork(): Promise<WorldProcess>;
  setuid(uid: number): Promise<SyscallResult<undefined>>;
  /** Lets equals look into a process that changed its user. With `setuid`. */
  setDumpable?(): Promise<SyscallResult<undefined>>;
  /** Takes a reference to present pages; the value names it. */
  pin(address: bigint, pageCount: number): Promise<SyscallResult<number>>;
  unpin(pin: number): Promise<SyscallResult<undefined>>;
  runOnCpu(cpu: number): Promise<SyscallResult<undefined>>;
  /** Idempotent. */
  exit(): Promise<void>;
}

/** The machine that a world runs on, learned without the calls under test. */
export interface WorldMachine {
  /** Release of the kernel that answers, as uname(2) gives it. */
  readonly kernel: string;
  readonly pageSizeBytes: number;
  /** Nodes with memory that the processes may use, ascending. */
  readonly memoryNodes: readonly number[];
  readonly topology: KnownTopology;
  /** Highest possible node + 1. */
  readonly possibleNodeCount: number;
  /** `MAX_NUMNODES` of the kernel's build. */
  readonly nodesMax: number;
  /** The processes start with CAP_SYS_NICE. */
  readonly isPrivileged: boolean;
  /** The processes start with CAP_SETUID. */
  readonly canChangeUser: boolean;
  /** Tests may exhaust the machine. */
  readonly isExpendable: boolean;
}

export interface World {
  readonly machine: WorldMachine;
  readonly settings?: MachineSettings;
  readonly files?: TextFiles;
  /** Its pid; `null` where none can be seen. With the trait `states`. */
  readonly kernelThread?: number | null;
  /** Of one node, now. With the trait `counters`. */
  nodeCounters?(node: number): Promise<NodeCounters>;
  /** Of the whole machine, now. With the trait `counters`. */
  vmCounters?(): Promise<VmCounters>;
  /** A fresh process: no policy, no memory of its own, any CPU. */
  spawn(): Promise<WorldProcess>;
  close(): Promise<void>;
}

/** A kind of world, and how to open it. */
export interface WorldSubject {
  readonly name: string;
  readonly traits: ReadonlySet<Trait>;
  open(): Promise<World>;
}
