/**
 * Who a process is, and what it may do to others.
 *
 * Source: credentials(7), capabilities(7); kernel/sys.c, __sys_setuid(); kernel/ptrace.c,
 * __ptrace_may_access().
 */

import { ERRNO } from '../../core/errno.ts';
import { ROOT_UID } from '../../core/uapi.ts';
import type { ProcessCapability } from '../../machine/process.ts';

export interface Credentials {
  readonly uid: number;
  /** CAP_SYS_NICE in the initial user namespace. */
  readonly canSetNice: boolean;
  /** CAP_SYS_PTRACE. */
  readonly canTrace: boolean;
  /** CAP_SETUID. */
  readonly canSetUid: boolean;
  /** Whether others of the same user may look into it: prctl(PR_SET_DUMPABLE). */
  readonly isDumpable: boolean;
}

/** Which right each capability is. */
export const CAPABILITIES: Readonly<
  Record<ProcessCapability, 'canSetUid' | 'canTrace' | 'canSetNice'>
> = Object.freeze({
  CAP_SETUID: 'canSetUid',
  CAP_SYS_PTRACE: 'canTrace',
  CAP_SYS_NICE: 'canSetNice',
});

export const ROOT_CREDENTIALS: Credentials = Object.freeze({
  uid: ROOT_UID,
  canSetNice: true,
  canTrace: true,
  canSetUid: true,
  isDumpable: true,
});

/** The credentials of a user without capabilities. */
export function userCredentials(uid: number): Credentials {
  return { uid, canSetNice: false, canTrace: false, canSetUid: false, isDumpable: true };
}

/** setuid(2): the new credentials, or an errno. */
export function changeUser(from: Credentials, uid: number): Credentials | { errno: number } {
  if (uid === from.uid) return from;
  if (!from.canSetUid) return { errno: ERRNO.EPERM };
  if (uid === ROOT_UID) return { ...from, uid, isDumpable: false };
  return { ...userCredentials(uid), isDumpable: false };
}

/**
 * PTRACE_MODE_READ_REALCREDS, for another process than the caller's own: its equal, who has all of
 * its privileges. Source: security/commoncap.c, cap_ptrace_access_check().
 */
export function mayRead(caller: Credentials, target: Credentials): boolean {
  return caller.canTrace || (target.isDumpable && isEqual(caller, target));
}

/**
 * Whether the CPUs of its threads may be set. Source: kernel/sched/syscalls.c, check_same_owner();
 * security/commoncap.c, cap_safe_nice().
 */
export function maySchedule(caller: Credentials, target: Credentials): boolean {
  return caller.canSetNice || isEqual(caller, target);
}

/** One of the same user, with all of the other's privileges. */
function isEqual(caller: Credentials, target: Credentials): boolean {
  const hasAll = Object.values(CAPABILITIES).every((name) => caller[name] || !target[name]);
  return caller.uid === target.uid && hasAll;
}
