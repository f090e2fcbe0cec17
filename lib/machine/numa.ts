/**
 * The NUMA system calls with arguments that a backend cannot express: masks and arrays by their
 * address in the process, which may lead nowhere, and lengths of 64 bits. Errnos of these arguments
 * are EFAULT and EINVAL, the others are those of the backend's methods.
 */

import type { Backend, NodemaskArgument, PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import type { MethodOf, PolicyCall } from '../core/calls.ts';

/** A mask by its address in the process. */
export interface MaskPointer {
  readonly pointer: bigint;
  readonly maxnode: number | bigint;
}

export type MaskArgument = NodemaskArgument | MaskPointer | null;

export interface GetMempolicyPointers {
  /** `MPOL_F_*`. */
  readonly flags: number;
  readonly address?: bigint;
  readonly maxnode: number | bigint;
  /** Where to store the mask; 0 for NULL. Default: a buffer large enough. */
  readonly mask?: bigint;
  /** Where to store the mode; 0 for NULL. Default: a buffer. */
  readonly mode?: bigint;
}

/** All that get_mempolicy stored, also when it failed in the end. */
export interface StoredPolicy {
  readonly result: SyscallResult<undefined>;
  /** null: not written. */
  readonly mode: number | null;
  /** The words written. */
  readonly words: readonly bigint[];
}

/** Memory ends with an array that has fewer entries than `count`. */
export interface MovePagesPointers {
  /** Default: the calling process, as 0. */
  readonly pid?: number;
  /** Default: as many as `pages` names. */
  readonly count?: number;
  /** Pages in a row, the addresses, or where these are, which needs a count. */
  readonly pages: PageSpan | bigint | BigUint64Array;
  /** One target for all, a target for each, or where they are; null to query. */
  readonly nodes: number | bigint | Int32Array | null;
  /** The statuses, or where they are stored. */
  readonly status: bigint | Int32Array;
  /** `MPOL_MF_*`. Default MOVE. */
  readonly flags?: number;
}

/** What a backend takes, with masks by their address, too, and lengths of 64 bits. */
type Pointed<Request> = {
  readonly [Name in keyof Request]: NodemaskArgument extends Request[Name]
    ? MaskArgument
    : Name extends 'lengthBytes'
      ? number | bigint
      : Request[Name];
};

/** Those that set a policy; `flags` of mbind are cut to an int. */
export type PolicyCalls = {
  [Method in keyof Pick<Backend, MethodOf<PolicyCall>>]: (
    request: Pointed<Parameters<Backend[Method]>[0]>,
  ) => SyscallResult<undefined>;
};

export interface NumaCalls extends PolicyCalls {
  /** Source: get_mempolicy(2). */
  getMempolicy(request: GetMempolicyPointers): StoredPolicy;
  /** Source: move_pages(2). */
  movePages(request: MovePagesPointers): SyscallResult<number>;
  /** The kernel has one maxnode for both masks: the larger one is passed. Source:
   *  migrate_pages(2). */
  migratePages(request: {
    readonly pid: number;
    readonly from: MaskArgument;
    readonly to: MaskArgument;
  }): SyscallResult<number>;
}
