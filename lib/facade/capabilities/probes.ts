/**
 * Questions that change nothing: each call, and each of its flags and modes, in the form that its
 * row of lib/core/calls.ts has for it, with which answer means that the kernel was reached.
 *
 * Source: mm/mempolicy.c and mm/migrate.c, in the order of their checks.
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { methodOf, NUMA_CALLS, type NumaCall, numaCalls } from '../../core/calls.ts';
import { ERRNO } from '../../core/errno.ts';
import { MODES_SINCE } from '../../core/kernels.ts';
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

const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;

/** What differs from the question of a call as its row has it. */
interface QuestionPart extends Pick<Probe, 'mode'> {
  readonly name?: string;
  readonly asked?: Readonly<Record<string, number>>;
  readonly reachedBy?: readonly number[] | undefined;
}

type Method = (request: object) => ReturnType<Probe['ask']>;

/** With what the tables of calls and of kernels know of it. */
function probeOf(
  call: NumaCall,
  { name: part, asked, reachedBy, ...rest }: QuestionPart = {},
): Probe {
  const { runs, since, flags, question } = NUMA_CALLS[call];
  const method = methodOf(call);
  const made = (runs === 'both' ? `${method}Sync` : method) as keyof Backend;
  const request = { ...question.request, ...asked };
  const told = {
    reachedBy: reachedBy ?? question.reachedBy ?? [],
    ask: (backend: Backend) => (backend[made] as Method).call(backend, request),
    ...rest,
  };
  if (part === undefined) return { call, since, ...told };
  const isPrivileged = flags[part]?.isPrivileged === true;
  const modes: Readonly<Record<string, string>> = MODES_SINCE;
  return { call, part, isPrivileged, since: modes[part], ...told };
}

function flagsOf(call: NumaCall): Probe[] {
  return Object.entries(NUMA_CALLS[call].flags).map(([name, { value, reachedBy }]) =>
    probeOf(call, { name, asked: { flags: value }, reachedBy }),
  );
}

function modeOf(name: string, mode: number): Probe {
  return probeOf('mbind', { name, mode, asked: { mode } });
}

/** Modes and their flags: the check of set_mempolicy and of mbind is one and the same. */
export const MODE_PROBES: readonly Probe[] = [
  ...Object.values(POLICY_MODES)
    .filter(({ isNone }) => !isNone)
    .sort((a, b) => a.uapi - b.uapi)
    .map(({ kernelName, uapi }) => modeOf(kernelName, uapi)),
  modeOf('MPOL_F_STATIC_NODES', MPOL.BIND | STATIC_NODES),
  modeOf('MPOL_F_RELATIVE_NODES', MPOL.BIND | RELATIVE_NODES),
  modeOf('MPOL_F_NUMA_BALANCING', MPOL.BIND | NUMA_BALANCING),
  modeOf('MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING', MPOL.PREFERRED_MANY | NUMA_BALANCING),
];

/** Each call in its plainest form first, then its flags. */
export const PROBES: readonly Probe[] = [
  ...numaCalls.flatMap((call) => [probeOf(call), ...flagsOf(call)]),
  probeOf('get_mempolicy', {
    name: 'MPOL_F_NODE | MPOL_F_ADDR',
    asked: { flags: MPOL_F.NODE | MPOL_F.ADDR },
    reachedBy: [ERRNO.EFAULT],
  }),
];
