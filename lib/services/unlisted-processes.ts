/**
 * What of a machine's processes /proc may not list: those of others (hidepid), and those outside of
 * this PID namespace.
 *
 * Source: proc(5), hidepid; fs/proc/base.c, has_pid_permissions() and proc_pid_readdir();
 * pid_namespaces(7); include/linux/sched.h, PF_KTHREAD.
 */

import type { Backend } from '../backend/backend.ts';
import { PF_KTHREAD } from '../core/uapi.ts';
import { parseStat } from '../procfs/stat.ts';
import { hasCapability, parseStatus } from '../procfs/status.ts';

export interface UnlistedProcesses {
  readonly kind: 'hidepid' | 'pid-namespace';
  /** A sentence without a full stop. */
  readonly message: string;
}

/** Options of /proc that leave processes out of its list; numbers on kernels before 5.8. */
const LEAVES_OUT = /(?:^|,)hidepid=(invisible|ptraceable|2|4)(?:,|$)/;
/** The first process of a PID namespace, and the first thread of the kernel in that of the host. */
const [INIT, KTHREADD] = [1, 2];

/** The reasons for which some may be missing; none where all are there, or nobody can tell. */
export async function unlistedProcesses(backend: Backend): Promise<UnlistedProcesses[]> {
  const mounts = await backend.readText('/proc/self/mounts');
  if (!mounts.ok) return [];
  const hiding = LEAVES_OUT.exec(optionsOfProc(mounts.value))?.[1];
  const reasons: UnlistedProcesses[] = [];
  if (hiding !== undefined && !(await seesOthers(backend))) {
    const message = `/proc hides the processes of others (hidepid=${hiding}): root sees them`;
    reasons.push({ kind: 'hidepid', message });
  }
  if (await isWithinNamespace(backend)) {
    const message =
      'these are the processes of a PID namespace; those outside of it cannot be seen';
    reasons.push({ kind: 'pid-namespace', message });
  }
  return reasons;
}

/** Of what is mounted there last. */
function optionsOfProc(mounts: string): string {
  const lines = mounts.split('\n').map((line) => line.split(' '));
  return lines.findLast(([, place]) => place === '/proc')?.[3] ?? '';
}

/** Who may trace everybody sees everybody; so do members of the group that the mount names. */
async function seesOthers(backend: Backend): Promise<boolean> {
  const [own, init] = await Promise.all(
    ['self', INIT].map((pid) => backend.readText(`/proc/${pid}/status`)),
  );
  if (!own?.ok) return false;
  const status = parseStatus(own.value);
  if (hasCapability(status, 'CAP_SYS_PTRACE') === true) return true;
  return init?.ok === true && parseStatus(init.value).realUid !== status.effectiveUid;
}

/** Where both of these are hidden nobody can tell. */
async function isWithinNamespace(backend: Backend): Promise<boolean> {
  const stat = await backend.readText(`/proc/${KTHREADD}/stat`);
  if (!stat.ok) return (await backend.readText(`/proc/${INIT}/stat`)).ok;
  return ((parseStat(stat.value)?.flags ?? 0) & PF_KTHREAD) === 0;
}
