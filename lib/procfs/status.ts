/**
 * /proc/PID/status and /proc/PID/task/TID/status: facts by name.
 *
 * Source: proc_pid_status(5); fs/proc/array.c, proc_pid_status().
 */

import { parseIdList } from '../core/id-list.ts';
import { CPU_ID_MAX, NODE_ID_MAX } from '../core/uapi.ts';
import { KIB_BYTES } from '../core/units.ts';

/** What is not told by this kernel is `null`. */
export interface TaskStatus {
  readonly name: string | null;
  /** The process of a thread. */
  readonly threadGroupId: number | null;
  /** Whose it is, by effective user id. */
  readonly effectiveUid: number | null;
  readonly realUid: number | null;
  /** Real, effective, saved, file system. */
  readonly userIds: readonly number[] | null;
  readonly groupIds: readonly number[] | null;
  /** Effective capabilities, bit n for capability n. */
  readonly effectiveCapabilities: bigint | null;
  readonly permittedCapabilities: bigint | null;
  /** 0 none, 1 strict, 2 filtered. */
  readonly seccompMode: number | null;
  readonly hasNoNewPrivileges: boolean | null;
  readonly cpusAllowed: readonly number[] | null;
  readonly nodesAllowed: readonly number[] | null;
  readonly residentBytes: number | null;
}

/** Source: include/uapi/linux/capability.h. */
export const CAPABILITY_BITS = { CAP_SYS_PTRACE: 19n, CAP_SYS_NICE: 23n } as const;

export function parseStatus(text: string): TaskStatus {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const words = (name: string): string[] => values.get(name)?.split(/\s+/) ?? [];
  const noNewPrivileges = integerOf(values.get('NoNewPrivs'));
  return {
    name: values.get('Name') ?? null,
    threadGroupId: integerOf(values.get('Tgid')),
    realUid: integerOf(words('Uid')[0]),
    effectiveUid: integerOf(words('Uid')[1]),
    userIds: values.has('Uid') ? words('Uid').map(Number) : null,
    groupIds: values.has('Gid') ? words('Gid').map(Number) : null,
    effectiveCapabilities: hexOf(values.get('CapEff')),
    permittedCapabilities: hexOf(values.get('CapPrm')),
    seccompMode: integerOf(values.get('Seccomp')),
    hasNoNewPrivileges: noNewPrivileges === null ? null : noNewPrivileges !== 0,
    cpusAllowed: listOf(values.get('Cpus_allowed_list'), CPU_ID_MAX),
    nodesAllowed: listOf(values.get('Mems_allowed_list'), NODE_ID_MAX),
    residentBytes: kibOf(values.get('VmRSS')),
  };
}

/** Whether a task has a privilege; `null` where the kernel does not tell. */
export function hasCapability(
  { effectiveCapabilities }: TaskStatus,
  name: keyof typeof CAPABILITY_BITS,
): boolean | null {
  if (effectiveCapabilities === null) return null;
  return (effectiveCapabilities & (1n << CAPABILITY_BITS[name])) !== 0n;
}

function integerOf(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

function hexOf(text: string | undefined): bigint | null {
  return text !== undefined && /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : null;
}

function kibOf(text: string | undefined): number | null {
  const match = /^(\d+) kB$/.exec(text ?? '');
  return match === null ? null : Number(match[1]) * KIB_BYTES;
}

function listOf(text: string | undefined, idMax: number): number[] | null {
  if (text === undefined) return null;
  try {
    return parseIdList(text, 'status', idMax);
  } catch {
    return null;
  }
}
