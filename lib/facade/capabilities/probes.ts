/**
 * Questions that change nothing: a call in a form that the kernel answers before it does anything.
 * Each says which answer means that the kernel was reached and takes it.
 *
 * Source: mm/mempolicy.c and mm/migrate.c, in the order of their checks: mbind() of no bytes is
 * done behind mode, flags and privilege, and before nodes; move_pages() of no pages behind flags
 * and privilege; a node query of address 0, an unknown mode and a process that cannot be end in an
 * errno of the kernel's own.
 */

import type { Backend, MovePagesRequest } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { NUMA_CALLS, type NumaCall } from '../../core/calls.ts';
import { ERRNO } from '../../core/errno.ts';
import { MODES_SINCE } from '../../core/kernels.ts';
import { MAXNODE_ALL } from '../../core/nodemask-words.ts';
import { POLICY_MODES } from '../../core/policy-modes.ts';
import { MPOL, MPOL_F, MPOL_MODE_FLAG } from '../../core/uapi.ts';

/** One question. */
export interface Probe {
  readonly call: NumaCall;
  /** A flag or a mode; absent for the call itself, in its plainest form. */
  readonly part?: string;
  /** Errnos that only the kernel itself gives, behind the checks that were meant. */
  readonly reachedBy?: readonly number[];
  /** Needs CAP_SYS_NICE. */
  readonly isPrivileged?: boolean;
  /** The mode that is asked for, with its flags. */
  readonly mode?: number;
  /** First release that has it; absent where all do that Node.js runs on. */
  readonly since?: string | undefined;
  ask(backend: Backend): SyscallResult<unknown> | Promise<SyscallResult<unknown>>;
}

/** `Seccomp:` of /proc/self/status. */
export const SECCOMP_MODES = ['none', 'strict', 'filter'] as const;

/** Above PID_MAX_LIMIT, 2^22: no process has it. */
const NO_PID = 2 ** 31 - 1;
/** No mode, and none of the flags. */
const NO_MODE = 0x1fff;

const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;

/** With what the tables of calls and of kernels know of it. */
function probeOf(call: NumaCall, part: string | undefined, rest: Omit<Probe, 'call'>): Probe {
  const row = NUMA_CALLS[call];
  if (part === undefined) return { call, since: row.since, ...rest };
  const isPrivileged = row.flags[part]?.isPrivileged === true;
  const since: Readonly<Record<string, string>> = MODES_SINCE;
  return { call, part, isPrivileged, since: since[part], ...rest };
}

function queryOf(part: string | undefined, flags: number, reachedBy: readonly number[]): Probe {
  return probeOf('get_mempolicy', part, {
    reachedBy,
    // Nothing is mapped at address 0, so that no page can be faulted in.
    ask: (backend) => backend.getMempolicy({ flags, maxnode: MAXNODE_ALL }),
  });
}

function bindOf(part: string | undefined, mode: number, flags: number): Probe {
  return probeOf('mbind', part, {
    mode,
    ask: (backend) => backend.mbind({ address: 0n, lengthBytes: 0, mode, nodemask: null, flags }),
  });
}

function moveOf(part: string | undefined, nodes: number | null, flags: number): Probe {
  const request: MovePagesRequest = {
    pid: 0,
    pages: { address: 0n, pageCount: 0 },
    nodes,
    flags,
    status: new Int32Array(0),
  };
  return probeOf('move_pages', part, { ask: (backend) => backend.movePagesSync(request) });
}

function flagsOf(call: NumaCall, probe: (name: string, value: number) => Probe): Probe[] {
  return Object.entries(NUMA_CALLS[call].flags).map(([name, { value }]) => probe(name, value));
}

/** Behind the checks of a query, by flag; others succeed. */
const QUERY_REACHED_BY: Readonly<Record<string, readonly number[]>> = {
  MPOL_F_ADDR: [ERRNO.EFAULT],
  MPOL_F_NODE: [ERRNO.EINVAL],
};

/** Modes and their flags: the check of set_mempolicy and of mbind is one and the same. */
export const MODE_PROBES: readonly Probe[] = [
  ...Object.values(POLICY_MODES)
    .filter(({ isNone }) => !isNone)
    .sort((a, b) => a.uapi - b.uapi)
    .map(({ kernelName, uapi }) => bindOf(kernelName, uapi, 0)),
  bindOf('MPOL_F_STATIC_NODES', MPOL.BIND | STATIC_NODES, 0),
  bindOf('MPOL_F_RELATIVE_NODES', MPOL.BIND | RELATIVE_NODES, 0),
  bindOf('MPOL_F_NUMA_BALANCING', MPOL.BIND | NUMA_BALANCING, 0),
  bindOf('MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING', MPOL.PREFERRED_MANY | NUMA_BALANCING, 0),
];

/** The calls in their plainest form first, then their flags. */
export const PROBES: readonly Probe[] = [
  queryOf(undefined, 0, []),
  ...flagsOf('get_mempolicy', (name, value) => {
    return queryOf(name, value, QUERY_REACHED_BY[name] ?? []);
  }),
  queryOf('MPOL_F_NODE | MPOL_F_ADDR', MPOL_F.NODE | MPOL_F.ADDR, [ERRNO.EFAULT]),
  probeOf('set_mempolicy', undefined, {
    reachedBy: [ERRNO.EINVAL],
    ask: (backend) => backend.setMempolicy({ mode: NO_MODE, nodemask: null }),
  }),
  bindOf(undefined, MPOL.DEFAULT, 0),
  ...flagsOf('mbind', (name, value) => bindOf(name, MPOL.DEFAULT, value)),
  probeOf('set_mempolicy_home_node', undefined, {
    // Flags that no kernel has: refused before the range is looked at.
    reachedBy: [ERRNO.EINVAL],
    ask: (backend) =>
      backend.setMempolicyHomeNode({ address: 0n, lengthBytes: 0, node: 0, flags: 1 }),
  }),
  moveOf(undefined, null, 0),
  ...flagsOf('move_pages', (name, value) => moveOf(name, 0, value)),
  probeOf('migrate_pages', undefined, {
    reachedBy: [ERRNO.ESRCH],
    ask: (backend) => backend.migratePages({ pid: NO_PID, maxnode: 0, from: null, to: null }),
  }),
];
