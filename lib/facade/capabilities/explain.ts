/**
 * Why a probe was refused: told from its errno, from what confines this process, from the kernel's
 * release, and from whether the plain form of the call works.
 */

import { ERRNO, errnoName } from '../../core/errno.ts';
import { compareReleases } from '../../core/kernels.ts';
import type { Capability, CapabilityCause, Confinement } from './capability.ts';
import type { Probe } from './probes.ts';
import { remediesOf } from './remedies.ts';

/** What tells the cause. */
export interface Evidence {
  readonly probe: Probe;
  /** Positive. */
  readonly errno: number;
  readonly kernel: string;
  readonly confinement: Pick<Confinement, 'seccomp'>;
  /** The kernel has no numa_maps, as no kernel with NUMA, whatever a filter refuses. */
  readonly isWithoutNuma: boolean;
  /** Whether the same call works without the flag; `undefined` for the plain form itself. */
  readonly doesPlainWork?: boolean | undefined;
}

/** A refusal, and what is known around it. */
export interface Refusal extends Evidence {
  readonly confinement: Confinement;
}

/** A capability that is not there. */
export function explainRefusal(refusal: Refusal): Capability {
  const { probe, errno, kernel, confinement } = refusal;
  const { cause, reason } = causeOf(refusal);
  const { hasNoNewPrivileges, userId } = confinement;
  const isUnknownToFilter = errno === ERRNO.ENOSYS;
  const { call } = probe;
  // A newer kernel is of no use where this one is new enough and was built without the call.
  const isNewEnough = probe.since === undefined || compareReleases(kernel, probe.since) >= 0;
  const since = errno === ERRNO.ENOSYS && isNewEnough ? undefined : probe.since;
  const ailment = { cause, call, since, userId, hasNoNewPrivileges, isUnknownToFilter };
  return {
    name: probe.part ?? probe.call,
    works: false,
    isProbed: true,
    cause,
    errnoName: errnoName(errno),
    reason,
    remedies: remediesOf(ailment, confinement.surroundings.kind),
  };
}

/** What is wrong with a flag, or the option that it is of. */
export const NEEDS_SYS_NICE = 'needs CAP_SYS_NICE in the initial user namespace; the call works';

export interface Cause {
  readonly cause: CapabilityCause;
  readonly reason: string;
}

export function causeOf(evidence: Evidence): Cause {
  const { probe, errno, kernel, doesPlainWork } = evidence;
  const { since } = probe;
  if (since !== undefined && compareReleases(kernel, since) < 0 && isAbsence(errno)) {
    return { cause: 'kernel', reason: sinceText(since, kernel) };
  }
  if (errno === ERRNO.EPERM && probe.isPrivileged === true && doesPlainWork === true) {
    return { cause: 'capability', reason: `this flag ${NEEDS_SYS_NICE}` };
  }
  if (errno === ERRNO.EINVAL) {
    return { cause: 'kernel', reason: `this kernel, ${kernel}, does not know it` };
  }
  return errno === ERRNO.ENOSYS ? absenceOf(evidence) : denialOf(evidence);
}

function isAbsence(errno: number): boolean {
  return errno === ERRNO.ENOSYS || errno === ERRNO.EINVAL;
}

/** A filter that is older than a call answers ENOSYS for it, as a kernel without it does. */
function absenceOf({ kernel, confinement, isWithoutNuma }: Evidence): Cause {
  if (confinement.seccomp === 'filter' && !isWithoutNuma) {
    const reason = `a filter is on that is older than the call, which Linux ${kernel} has`;
    return { cause: 'seccomp', reason };
  }
  const reason = 'the kernel was built without it: CONFIG_NUMA and CONFIG_MIGRATION';
  return { cause: 'kernel', reason };
}

/** The kernel itself never refuses these forms: somebody answers in its place. */
function denialOf({ confinement }: Evidence): Cause {
  const { seccomp } = confinement;
  const never = 'the kernel itself refuses this to nobody';
  if (seccomp === 'filter' || seccomp === 'strict') {
    return { cause: 'seccomp', reason: `a filter is on, and ${never}` };
  }
  if (seccomp === null) {
    const reason = `${never}; /proc/self/status does not tell whether a filter is on`;
    return { cause: 'seccomp', reason };
  }
  const reason = `no seccomp filter is on, and ${never}: a security module or a sandbox does`;
  return { cause: 'unknown', reason };
}

export function sinceText(since: string, kernel: string): string {
  return `Linux has it since ${since}, this is ${kernel}`;
}
