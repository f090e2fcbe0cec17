/**
 * Why the kernel does not let us look into another process, or move its pages.
 *
 * Source: kernel/ptrace.c, __ptrace_may_access(), in the order of its checks;
 * security/commoncap.c, cap_ptrace_access_check(); mm/mempolicy.c, kernel_migrate_pages(). Yama's
 * ptrace_scope has no say: it is about attaching, and these are reads (PTRACE_MODE_READ).
 */

import type { Backend } from '../../backend/backend.ts';
import type { Explanation } from '../../core/errors.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { ROOT_UID } from '../../core/uapi.ts';
import { hasCapability, parseStatus, type TaskStatus } from '../../procfs/status.ts';

/** The process that was asked about. */
export interface AskedProcess {
  readonly backend: Backend;
  readonly pid: number;
}

export type DenialFacts = Pick<Explanation, 'rule' | 'hint'>;

/** What was asked. */
export interface DeniedRequest {
  readonly syscall: string;
  /** Nodes that pages were to go to. */
  readonly to?: NodeMask | undefined;
}

/** Who the process is, who we are, and what stands between. */
export async function explainAccess(
  files: AskedProcess,
  request: DeniedRequest,
): Promise<DenialFacts> {
  const [target, own] = [await readStatus(files, files.pid), await readStatus(files, 'self')];
  if (target === null || own === null) {
    return { rule: 'the process is not ours to look into', hint: 'run as root' };
  }
  const mayTrace = hasCapability(own, 'CAP_SYS_PTRACE') === true;
  const foreign = foreignIds(target, own, request);
  if (!mayTrace && foreign !== undefined) return foreign;
  const [isNamespaced, isOther] = await namespaceOf(files);
  if (isNamespaced && isOther) {
    return {
      rule: 'the process is in another user namespace, where our privileges count for nothing',
      hint: 'run in its user namespace (nsenter --user --target PID), or outside of any',
    };
  }
  const forbidden = forbiddenNodes(target, own, request);
  if (forbidden !== undefined) return forbidden;
  const profile = await profileOf(files);
  const confines = profile === null ? 'a security module' : `the security module (${profile})`;
  if (mayTrace) {
    return {
      rule: `we may trace the process, and ${confines} or a sandbox forbids the call`,
      hint: 'journalctl -k --grep "audit|apparmor|selinux" shows which, node-numa doctor the rest',
    };
  }
  const hint = runHint(own);
  if (hasMore(target, own)) {
    return {
      rule: 'the process has capabilities that we lack (CapPrm in /proc/PID/status)',
      hint,
    };
  }
  const notDumpable = 'the process is not dumpable (PR_SET_DUMPABLE, or a program with privileges)';
  return {
    rule: profile === null ? notDumpable : `${notDumpable}, or ${confines} forbids it`,
    hint,
  };
}

/** What helps, one of several; root, who may lack the privilege, is not sent to root. */
function runHint({ effectiveUid }: TaskStatus, ...ways: readonly string[]): string {
  const all = [...ways, 'with CAP_SYS_PTRACE', ...(effectiveUid === ROOT_UID ? [] : ['as root'])];
  return `run ${[all.slice(0, -1).join(', '), all.at(-1)].filter(Boolean).join(', or ')}`;
}

/** What the kernel says of a process; `null` where it says nothing. */
async function readStatus(
  { backend }: AskedProcess,
  pid: number | 'self',
): Promise<TaskStatus | null> {
  const result = await backend.readText(`/proc/${pid}/status`);
  return result.ok ? parseStatus(result.value) : null;
}

/** The nodes that a process may have memory of; `null` where nobody tells. */
export async function nodesAllowedTo(files: AskedProcess): Promise<NodeMask | null> {
  const status = await readStatus(files, files.pid);
  const nodes = status?.nodesAllowed ?? null;
  return nodes === null ? null : NodeMask.from(nodes);
}

/** A target that the cpuset of the process lacks. */
export function outsideCpuset(allowed: NodeMask): DenialFacts {
  return {
    rule: `the process's cpuset allows node ${allowed} only`,
    hint: 'choose one of them, or widen its cpuset.mems',
  };
}

/** Calls compare real ids, files those of the file system; all of the target's have to be ours. */
function foreignIds(
  target: TaskStatus,
  own: TaskStatus,
  { syscall }: DeniedRequest,
): DenialFacts | undefined {
  const isCall = syscall === 'move_pages' || syscall === 'migrate_pages';
  const uid = isCall ? own.realUid : own.effectiveUid;
  const differs = (
    ids: readonly number[] | null,
    ours: number | null | undefined,
  ): number | undefined => ids?.slice(0, 3).find((id) => id !== ours);
  const other = differs(target.userIds, uid);
  if (other !== undefined) {
    return {
      rule: `the process belongs to user ${other}, and we are ${uid}`,
      hint: runHint(own, `as user ${other}`),
    };
  }
  const gid = own.groupIds?.[isCall ? 0 : 1];
  const group = differs(target.groupIds, gid);
  if (group === undefined) return undefined;
  return {
    rule: `the process runs with group ${group}, and we with ${gid}`,
    hint: runHint(own, `with group ${group}`),
  };
}

/** Whether we are in a user namespace of our own, and the process in another one. */
async function namespaceOf({ backend, pid }: AskedProcess): Promise<[boolean, boolean]> {
  const ours = await backend.readText('/proc/self/uid_map');
  const theirs = await backend.readText(`/proc/${pid}/uid_map`);
  if (!ours.ok || !theirs.ok) return [false, false];
  const isInitial = /^\s*0\s+0\s+4294967295\s*$/.test(ours.value);
  return [!isInitial, wordsOf(ours.value) !== wordsOf(theirs.value)];
}

function wordsOf(text: string): string {
  return text.trim().split(/\s+/).join(' ');
}

/** migrate_pages alone answers EPERM for a target node, to callers without CAP_SYS_NICE. */
function forbiddenNodes(
  { nodesAllowed }: TaskStatus,
  own: TaskStatus,
  { syscall, to }: DeniedRequest,
): DenialFacts | undefined {
  if (syscall !== 'migrate_pages' || to === undefined || nodesAllowed === null) return undefined;
  const allowed = NodeMask.from(nodesAllowed);
  const isForbidden = !to.isSubsetOf(allowed) && hasCapability(own, 'CAP_SYS_NICE') !== true;
  return isForbidden ? outsideCpuset(allowed) : undefined;
}

/** What AppArmor or SELinux calls us; `null` where we are not confined. */
async function profileOf({ backend }: AskedProcess): Promise<string | null> {
  const found = await backend.readText('/proc/self/attr/current');
  const name = found.ok ? found.value.replaceAll('\0', '').trim() : '';
  return name === '' || name === 'unconfined' || /^kernel$/.test(name) ? null : name;
}

function hasMore(target: TaskStatus, own: TaskStatus): boolean {
  const [theirs, ours] = [target.permittedCapabilities, own.permittedCapabilities];
  return theirs !== null && ours !== null && (theirs & ~ours) !== 0n;
}
