/**
 * What a refused call means, beyond its errno: told from the call as it was made, from its plainest
 * form, which the kernel refuses to nobody, and from what confines this process. Synchronous, for
 * verbs that are.
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { Explanation } from '../../core/errors.ts';
import { compareReleases } from '../../core/kernels.ts';
import { BALANCED_MODES, POLICY_MODES } from '../../core/policy-modes.ts';
import { MPOL_MODE_FLAG } from '../../core/uapi.ts';
import { parseStatus } from '../../procfs/status.ts';
import { explain, SECCOMP_HINT } from '../errors/explanations.ts';
import { causeOf, NEEDS_SYS_NICE, sinceText } from './explain.ts';
import { MODE_PROBES, PROBES, type Probe, SECCOMP_MODES } from './probes.ts';

/** An option that needs CAP_SYS_NICE, with the value that does where others need nothing. */
export interface PrivilegedOption {
  readonly argument: string;
  readonly value?: string;
}

/** What of a call decides who can have refused it. */
export interface CallMade {
  /** `MPOL_*`, or-ed with mode flags. */
  readonly mode?: number;
  readonly privileged?: PrivilegedOption | undefined;
}

/** A call, or one that is none of the six. */
export function probeOf(syscall: string, part?: string): Probe | undefined {
  return PROBES.find((probe) => probe.call === syscall && probe.part === part);
}

/** Whether the kernel itself answered. */
export function isReached(probe: Probe, result: SyscallResult<unknown>): boolean {
  return result.ok || probe.reachedBy?.includes(result.errno) === true;
}

/** Whether this process moves what others map, too: CAP_SYS_NICE in the initial user namespace. */
export async function movesShared(backend: Backend): Promise<boolean> {
  const probe = probeOf('move_pages', 'MPOL_MF_MOVE_ALL') as Probe;
  return isReached(probe, await probe.ask(backend));
}

/** Whether an errno may be the answer of somebody in the kernel's place. */
export function isDenial(errno: number): boolean {
  return errno === ERRNO.EPERM || errno === ERRNO.EACCES || errno === ERRNO.ENOSYS;
}

/** `undefined` where the errno says all. */
export function explainFailure(
  backend: Backend,
  failure: SyscallFailure,
  made: CallMade,
): Explanation | undefined {
  const { syscall, errno } = failure;
  if (errno === ERRNO.EINVAL && made.mode !== undefined) return unknownMode(backend, made.mode);
  const probe = probeOf(syscall);
  if (probe === undefined || !isDenial(errno)) return undefined;
  const mayBeOwn = made.privileged !== undefined || syscall === 'move_pages';
  const answer = mayBeOwn ? probe.ask(backend) : undefined;
  const doesPlainWork =
    answer === undefined || answer instanceof Promise ? undefined : isReached(probe, answer);
  // What move_pages means by it: a node outside of the cpuset.
  if (errno === ERRNO.EACCES && doesPlainWork === true) return undefined;
  return explainDenied(backend, failure, { ...made, doesPlainWork });
}

/** Why a call is refused as such, or the flag that needs a privilege. */
export function explainDenied(
  backend: Backend,
  { syscall, errno }: SyscallFailure,
  made: CallMade & { readonly doesPlainWork: boolean | undefined },
): Explanation {
  const probe = { ...(probeOf(syscall) as Probe), isPrivileged: made.privileged !== undefined };
  const { kernel } = backend.identity;
  const { doesPlainWork, privileged } = made;
  const confinement = { seccomp: seccompOf(backend) };
  const isWithoutNuma = errno === ERRNO.ENOSYS && lacksNumaMaps(backend);
  const evidence = { probe, errno, kernel, confinement, isWithoutNuma, doesPlainWork };
  const { cause, reason } = causeOf(evidence);
  const code = errno === ERRNO.ENOSYS ? 'NUMA_UNSUPPORTED' : 'NUMA_NOT_PERMITTED';
  if (cause === 'kernel') {
    return { ...explain({ syscall, errno, backend: backend.identity.kind }), code, rule: reason };
  }
  if (cause === 'seccomp') return { code, rule: reason, hint: SECCOMP_HINT };
  if (cause !== 'capability') return { code, rule: reason, hint: 'see npx node-numa doctor' };
  const { argument, value } = privileged as PrivilegedOption;
  const rule = value === undefined ? NEEDS_SYS_NICE : `${value} ${NEEDS_SYS_NICE}`;
  return { code, argument, rule, hint: 'leave this option out, or run with CAP_SYS_NICE' };
}

function seccompOf(backend: Backend): (typeof SECCOMP_MODES)[number] | null {
  const status = backend.readTextSync('/proc/self/status');
  const mode = status.ok ? parseStatus(status.value).seccompMode : null;
  return mode === null ? null : (SECCOMP_MODES[mode] ?? null);
}

/**
 * Whether the kernel has no numa_maps for any process. They are looked for as if they were folders:
 * what is there says so without being read.
 */
export function lacksNumaMaps(backend: Backend): boolean {
  const errnoOf = (name: string): number => {
    const answer = backend.readTextSync(`/proc/self/${name}/`);
    return answer.ok ? 0 : answer.errno;
  };
  return errnoOf('maps') === ERRNO.ENOTDIR && errnoOf('numa_maps') === ERRNO.ENOENT;
}

/** What does almost the same on kernels that lack a mode or a flag. */
const INSTEAD: Readonly<Record<string, string>> = {
  MPOL_WEIGHTED_INTERLEAVE: 'interleave gives each node the same',
  MPOL_PREFERRED_MANY: 'preferred takes one node',
  MPOL_F_NUMA_BALANCING: 'leave the flag numa-balancing out',
  'MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING': 'leave the flag numa-balancing out',
};

/** The mode, or its flag, that this kernel does not have; `undefined`: it has them. */
function unknownMode(backend: Backend, word: number): Explanation | undefined {
  const { kernel } = backend.identity;
  const flags = MPOL_MODE_FLAG.STATIC_NODES | MPOL_MODE_FLAG.RELATIVE_NODES;
  const mode = word & ~flags & ~MPOL_MODE_FLAG.NUMA_BALANCING;
  // With its flag first: that release has both.
  for (const asked of [word & ~flags, mode]) {
    const probe = MODE_PROBES.find((candidate) => candidate.mode === asked);
    if (probe === undefined) continue;
    const answer = probe.ask(backend) as SyscallResult<unknown>;
    const isOlder = probe.since !== undefined && compareReleases(kernel, probe.since) < 0;
    const isUnknown = !answer.ok && (answer.errno === ERRNO.EINVAL || isOlder);
    const part = probe.part as string;
    if (isUnknown && probe.since !== undefined) {
      const instead = INSTEAD[part] ?? 'use another policy';
      const rule = `this kernel does not have ${part}: ${sinceText(probe.since, kernel)}`;
      const hint = `${instead}; Linux ${probe.since} or newer has it`;
      return { code: 'NUMA_UNSUPPORTED', rule, hint };
    }
  }
  const isBalanced = (word & MPOL_MODE_FLAG.NUMA_BALANCING) !== 0;
  const row = Object.values(POLICY_MODES).find(({ uapi }) => uapi === mode);
  if (!isBalanced || row?.takesBalancing === true) return undefined;
  return {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: `the kernel takes the flag numa-balancing with ${BALANCED_MODES} only`,
    hint: 'leave it out, or use one of them',
  };
}
