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
} from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { TopologySnapshot } from '../../lib/backend/topology-snapshot.ts';

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
  | 'contents';

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
  movePages(request: {
    readonly count: number;
    readonly pages: bigint | BigUint64Array;
    readonly nodes: number | null;
    readonly status: bigint | Int32Array;
  }): Promise<SyscallResult<number>>;
}

/** Answers of a trait that the world does not have are ENOSYS. */
export interface WorldProcess {
  readonly pid: number;
  readonly pointers: PointerCalls;

  mmap(request: MmapRequest): Promise<SyscallResult<bigint>>;
  munmap(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  /** `none`, `read` or `write`. */
  mprotect(
    address: bigint,
    pageCount: number,
    access: Access | 'none',
  ): Promise<SyscallResult<undefined>>;
  mlock(address: bigint, pageCount: number): Promise<SyscallResult<undefined>>;
  touch(address: bigint, pageCount: number, access: Access): Promise<SyscallResult<undefined>>;
  store(address: bigint, value: bigint): Promise<SyscallResult<undefined>>;
  load(address: bigint): Promise<SyscallResult<bigint>>;

  setMempolicy(request: PolicyRequest): Promise<SyscallResult<undefined>>;
  getMempolicy(request: GetMempolicyRequest): Promise<SyscallResult<GetMempolicyValue>>;
  mbind(request: WorldMbindRequest): Promise<SyscallResult<undefined>>;
  movePages(request: MovePagesRequest): Promise<SyscallResult<number>>;
  migratePages(request: WorldMigratePagesRequest): Promise<SyscallResult<number>>;

  /** A child with a copy of the memory and the policy. */
  fork(): Promise<WorldProcess>;
  setuid(uid: number): Promise<SyscallResult<undefined>>;
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
  readonly topology: TopologySnapshot;
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
