/**
 * The NUMA system calls, a row for each: what everything that lists them goes by, or passes on what
 * they take. What a call does and how it fails is told where it is made.
 *
 * Source: set_mempolicy(2), get_mempolicy(2), mbind(2), set_mempolicy_home_node(2), move_pages(2),
 * migrate_pages(2); mm/mempolicy.c and mm/migrate.c for flags and privileges.
 */

import { ERRNO } from './errno.ts';
import { MAXNODE_ALL } from './nodemask-words.ts';
import { MPOL, MPOL_F, MPOL_MF } from './uapi.ts';

/** The six calls, by their kernel names. */
export type NumaCall =
  | 'get_mempolicy'
  | 'set_mempolicy'
  | 'mbind'
  | 'set_mempolicy_home_node'
  | 'move_pages'
  | 'migrate_pages';

/** Those that set a policy: all that they take are plain values. @internal */
export type PolicyCall = Exclude<NumaCall, 'get_mempolicy' | 'move_pages' | 'migrate_pages'>;

type Camel<Name extends string> = Name extends `${infer Head}_${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : Name;

/** What backends call a call. One that has both also has a method that ends in Sync. @internal */
export type MethodOf<Call extends NumaCall> = Camel<Call>;

/** How C has an argument; `flags` are an int that is cut from whatever is passed. @internal */
export type ArgumentKind = 'address' | 'length' | 'int' | 'flags' | 'long' | 'mask';

/** @internal */
export interface CallFlag {
  readonly value: number;
  /** Needs CAP_SYS_NICE, in the initial user namespace. */
  readonly isPrivileged?: boolean;
  /** As of a question, where the flag has others. */
  readonly reachedBy?: readonly number[];
}

/** A form of a call that changes nothing: the kernel answers before it does anything. @internal */
export interface CallQuestion {
  readonly request: Readonly<Record<string, unknown>>;
  /** Errnos that only the kernel itself gives, behind the checks that are meant. */
  readonly reachedBy?: readonly number[];
}

/** @internal */
export interface CallRow {
  /** On the calling thread, or on one of a pool. */
  readonly runs: 'sync' | 'async' | 'both';
  /** First release that has it; absent where all do that Node.js runs on. */
  readonly since?: string;
  /** By the kernel's names; those of mode words are modes' own. */
  readonly flags: Readonly<Record<string, CallFlag>>;
  /** Filters deny all six. Engines' default ones open this call to containers with CAP_SYS_NICE. */
  readonly isOpenedByCapability: boolean;
  readonly question: CallQuestion;
}

/** @internal */
export interface PolicyCallRow extends CallRow {
  /** In the kernel's order; a mask has its maxnode behind it. */
  readonly takes: Readonly<Record<string, ArgumentKind>>;
}

const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;

const MOVE_FLAGS = {
  MPOL_MF_MOVE: { value: MOVE },
  MPOL_MF_MOVE_ALL: { value: MOVE_ALL, isPrivileged: true },
} as const;

const RANGE = { address: 'address', lengthBytes: 'length' } as const;
const POLICY = { mode: 'int', nodemask: 'mask' } as const;
const NO_BYTES = { address: 0n, lengthBytes: 0 } as const;

/** No mode, and none of the flags. */
const NO_MODE = 0x1fff;
/** Above PID_MAX_LIMIT, 2^22: no process has it. */
const NO_PID = 2 ** 31 - 1;

/** @internal */
export const NUMA_CALLS: Readonly<
  Record<PolicyCall, PolicyCallRow> & Record<Exclude<NumaCall, PolicyCall>, CallRow>
> = {
  get_mempolicy: {
    runs: 'sync',
    flags: {
      MPOL_F_MEMS_ALLOWED: { value: MPOL_F.MEMS_ALLOWED },
      // Nothing is mapped at address 0, so that no page can be faulted in.
      MPOL_F_ADDR: { value: MPOL_F.ADDR, reachedBy: [ERRNO.EFAULT] },
      MPOL_F_NODE: { value: MPOL_F.NODE, reachedBy: [ERRNO.EINVAL] },
    },
    isOpenedByCapability: true,
    question: { request: { flags: 0, maxnode: MAXNODE_ALL } },
  },
  set_mempolicy: {
    runs: 'sync',
    takes: POLICY,
    flags: {},
    isOpenedByCapability: true,
    question: { request: { mode: NO_MODE, nodemask: null }, reachedBy: [ERRNO.EINVAL] },
  },
  mbind: {
    runs: 'sync',
    takes: { ...RANGE, ...POLICY, flags: 'flags' },
    flags: { MPOL_MF_STRICT: { value: STRICT }, ...MOVE_FLAGS },
    isOpenedByCapability: true,
    // No bytes: done behind mode, flags and privilege, and before nodes.
    question: { request: { ...NO_BYTES, mode: MPOL.DEFAULT, nodemask: null, flags: 0 } },
  },
  set_mempolicy_home_node: {
    runs: 'sync',
    since: '5.17',
    takes: { ...RANGE, node: 'long', flags: 'long' },
    flags: {},
    isOpenedByCapability: true,
    // Flags that no kernel has: refused before the range is looked at.
    question: { request: { ...NO_BYTES, node: 0, flags: 1 }, reachedBy: [ERRNO.EINVAL] },
  },
  move_pages: {
    runs: 'both',
    flags: MOVE_FLAGS,
    isOpenedByCapability: false,
    // No pages: done behind flags and privilege.
    question: {
      request: {
        ...{ pid: 0, pages: { address: 0n, pageCount: 0 }, nodes: null, flags: 0 },
        status: new Int32Array(0),
      },
    },
  },
  migrate_pages: {
    runs: 'async',
    flags: {},
    isOpenedByCapability: false,
    question: {
      request: { pid: NO_PID, maxnode: 0, from: null, to: null },
      reachedBy: [ERRNO.ESRCH],
    },
  },
};

/** @internal */
export const numaCalls: readonly NumaCall[] = Object.freeze(Object.keys(NUMA_CALLS) as NumaCall[]);

/** @internal */
export const policyCalls: readonly PolicyCall[] = Object.freeze(
  numaCalls.filter((call): call is PolicyCall => 'takes' in NUMA_CALLS[call]),
);

/** The name of a call as a method: the kernel's, in the way of JavaScript. @internal */
export function methodOf<Call extends NumaCall>(call: Call): MethodOf<Call> {
  return call.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as MethodOf<Call>;
}

/** All methods of backends that make one of the calls. @internal */
export const numaMethods: readonly NumaMethod[] = Object.freeze(
  numaCalls.flatMap((call) => {
    const method = methodOf(call);
    return NUMA_CALLS[call].runs === 'both' ? [method, `${method}Sync` as NumaMethod] : [method];
  }),
);

/** @internal */
export type NumaMethod = MethodOf<NumaCall> | `${MethodOf<'move_pages'>}Sync`;
