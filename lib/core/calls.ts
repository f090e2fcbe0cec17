/**
 * The NUMA system calls, a row for each: what everything that lists them goes by. What a call does
 * and how it fails is told where it is made.
 *
 * Source: set_mempolicy(2), get_mempolicy(2), mbind(2), set_mempolicy_home_node(2), move_pages(2),
 * migrate_pages(2); mm/mempolicy.c and mm/migrate.c for flags and privileges.
 */

import { MPOL_F, MPOL_MF } from './uapi.ts';

/** The six calls, by their kernel names. */
export type NumaCall =
  | 'get_mempolicy'
  | 'set_mempolicy'
  | 'mbind'
  | 'set_mempolicy_home_node'
  | 'move_pages'
  | 'migrate_pages';

/** @internal */
export interface CallFlag {
  readonly value: number;
  /** Needs CAP_SYS_NICE, in the initial user namespace. */
  readonly isPrivileged?: boolean;
}

/** @internal */
export interface CallRow {
  /** What backends call it; one that has both also has a method that ends in Sync. */
  readonly method: 'getMempolicy' | 'setMempolicy' | 'mbind' | 'setMempolicyHomeNode' | MoveMethod;
  /** On the calling thread, or on one of a pool. */
  readonly runs: 'sync' | 'async' | 'both';
  /** First release that has it; absent where all do that Node.js runs on. */
  readonly since?: string;
  /** By the kernel's names; those of mode words are modes' own. */
  readonly flags: Readonly<Record<string, CallFlag>>;
  /** Filters deny all six. Engines' default ones open this call to containers with CAP_SYS_NICE. */
  readonly isOpenedByCapability: boolean;
}

type MoveMethod = 'movePages' | 'migratePages';

const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;

const MOVE_FLAGS = {
  MPOL_MF_MOVE: { value: MOVE },
  MPOL_MF_MOVE_ALL: { value: MOVE_ALL, isPrivileged: true },
} as const;

/** @internal */
export const NUMA_CALLS: Readonly<Record<NumaCall, CallRow>> = {
  get_mempolicy: {
    method: 'getMempolicy',
    runs: 'sync',
    flags: {
      MPOL_F_MEMS_ALLOWED: { value: MPOL_F.MEMS_ALLOWED },
      MPOL_F_ADDR: { value: MPOL_F.ADDR },
      MPOL_F_NODE: { value: MPOL_F.NODE },
    },
    isOpenedByCapability: true,
  },
  set_mempolicy: {
    method: 'setMempolicy',
    runs: 'sync',
    flags: {},
    isOpenedByCapability: true,
  },
  mbind: {
    method: 'mbind',
    runs: 'sync',
    flags: { MPOL_MF_STRICT: { value: STRICT }, ...MOVE_FLAGS },
    isOpenedByCapability: true,
  },
  set_mempolicy_home_node: {
    method: 'setMempolicyHomeNode',
    runs: 'sync',
    since: '5.17',
    flags: {},
    isOpenedByCapability: true,
  },
  move_pages: {
    method: 'movePages',
    runs: 'both',
    flags: MOVE_FLAGS,
    isOpenedByCapability: false,
  },
  migrate_pages: {
    method: 'migratePages',
    runs: 'async',
    flags: {},
    isOpenedByCapability: false,
  },
};

/** @internal */
export const numaCalls: readonly NumaCall[] = Object.freeze(Object.keys(NUMA_CALLS) as NumaCall[]);
