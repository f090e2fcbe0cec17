/**
 * The files of /proc that tell of a process, with what a refusal means.
 *
 * Source: proc(5); fs/proc/base.c, proc_pid_permission() and proc_mem_open(); kernel/ptrace.c,
 * __ptrace_may_access().
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import { ERRNO, errnoName } from '../../core/errno.ts';
import { NumaError, type NumaErrorCode } from '../../core/errors.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { parseStat, type TaskStat } from '../../procfs/stat.ts';
import { hasCapability, parseStatus, type TaskStatus } from '../../procfs/status.ts';

/** Whose files are read. */
export interface ProcessFiles {
  readonly backend: Backend;
  readonly pid: number;
  /** Ends the wait for those that the kernel walks page tables for, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Those that only whoever may trace the process can read. */
export type PrivateFile = 'maps' | 'numa_maps' | 'smaps';

/** There wherever /proc is. */
const OWN_STAT = '/proc/self/stat';

/**
 * The text of a file.
 * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED (no /proc); the
 *   signal's reason
 */
export async function readProcessFile(files: ProcessFiles, name: PrivateFile): Promise<string> {
  const { signal } = files;
  signal?.throwIfAborted();
  const reading = files.backend.readText(`/proc/${files.pid}/${name}`);
  const result = await (signal === undefined ? reading : untilAborted(reading, signal));
  if (result.ok) return result.value;
  throw await refusalOf(files, result, `reading /proc/${files.pid}/${name}`);
}

/** The kernel goes on with what nobody waits for any longer. */
async function untilAborted<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([reading, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The process as it is now.
 * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED (no /proc)
 */
export async function readProcessStat(files: ProcessFiles): Promise<TaskStat> {
  const path = `/proc/${files.pid}/stat`;
  const result = await files.backend.readText(path);
  if (!result.ok) throw await refusalOf(files, result, `reading ${path}`);
  const stat = parseStat(result.value);
  if (stat === null) throw await noSuchProcess(files, NO_ANSWER, `reading ${path}`);
  return stat;
}

/** Those that we may see, ascending. @throws NumaError NUMA_UNSUPPORTED (no /proc) */
export async function readProcessIds(backend: Backend): Promise<number[]> {
  const files = { backend, pid: backend.pid };
  const names = await backend.readNames('/proc');
  if (!names.ok) throw noProc(files, 'listing processes');
  const ids = names.value.filter((name) => /^\d+$/.test(name)).map(Number);
  if (ids.length === 0) throw noProc(files, 'listing processes');
  return ids.sort((a, b) => a - b);
}

/** What the kernel says of a process; `null` where it says nothing. */
export async function readStatus(
  { backend }: ProcessFiles,
  pid: number | 'self',
): Promise<TaskStatus | null> {
  const result = await backend.readText(`/proc/${pid}/status`);
  return result.ok ? parseStatus(result.value) : null;
}

/**
 * The typed error of a call about another process that the kernel refused, explained.
 * @param to nodes that its pages were to go to
 */
export async function refusalOf(
  files: ProcessFiles,
  { syscall, errno }: SyscallFailure,
  asked: string,
  to?: NodeMask,
): Promise<NumaError> {
  if (errno === ERRNO.ESRCH) return noSuchProcess(files, { syscall, errno }, asked);
  if (errno === ERRNO.ENOENT) {
    const hasProc = (await files.backend.readText(OWN_STAT)).ok;
    return hasProc ? noSuchProcess(files, { syscall, errno }, asked) : noProc(files, asked);
  }
  const call = { syscall, errno, asked };
  if (errno !== ERRNO.EPERM && errno !== ERRNO.EACCES) {
    const facts = { rule: 'the system refused', hint: 'see proc(5)' };
    return makeError(files, { ...call, ...facts, code: 'NUMA_SYSTEM_ERROR' });
  }
  return makeError(files, {
    ...call,
    ...(await explainDenial(files, to)),
    code: 'NUMA_NOT_PERMITTED',
  });
}

/** A file that is cut short is one of a process that ends at this moment. */
const NO_ANSWER = { syscall: 'read', errno: ERRNO.ESRCH };

async function simulatedProcesses({ backend }: ProcessFiles): Promise<string> {
  const names = await backend.readNames('/proc');
  const ids = names.ok ? names.value.filter((name) => /^\d+$/.test(name)) : [];
  return `a simulated machine has processes of its own: ${ids.join(', ') || 'this one has none'}`;
}

async function noSuchProcess(
  files: ProcessFiles,
  { syscall, errno }: Pick<SyscallFailure, 'syscall' | 'errno'>,
  asked: string,
): Promise<NumaError> {
  const isSimulated = files.backend.identity.kind === 'simulator';
  return makeError(files, {
    syscall,
    errno,
    asked,
    rule: 'there is no such process, or it is hidden (hidepid)',
    hint: isSimulated
      ? `${await simulatedProcesses(files)}; for one of this host use ` +
        "openNuma({ backend: 'native' })"
      : 'check that the process still runs and is visible in this pid namespace; root sees all',
    code: 'NUMA_NO_SUCH_PROCESS',
  });
}

function noProc(files: ProcessFiles, asked: string): NumaError {
  return makeError(files, {
    syscall: 'open',
    errno: ERRNO.ENOENT,
    asked,
    rule: 'no /proc is mounted here',
    hint: 'mount it: mount -t proc proc /proc',
    code: 'NUMA_UNSUPPORTED',
  });
}

/** Why a process is not ours to look into: who it is, and who we are. */
async function explainDenial(
  files: ProcessFiles,
  to: NodeMask | undefined,
): Promise<{ rule: string; hint: string }> {
  const [target, own] = [await readStatus(files, files.pid), await readStatus(files, 'self')];
  const isOurs = target?.realUid === own?.effectiveUid && target?.effectiveUid === target?.realUid;
  if (target === null || own === null) {
    return { rule: 'the process is not ours to look into', hint: 'run as root' };
  }
  const allowed = target.nodesAllowed === null ? null : NodeMask.from(target.nodesAllowed);
  if (to !== undefined && allowed !== null && !to.isSubsetOf(allowed)) {
    const rule = `the process's cpuset allows node ${allowed} only`;
    return { rule, hint: 'choose one of them, or widen its cpuset.mems' };
  }
  if (hasCapability(own, 'CAP_SYS_PTRACE')) {
    const rule = 'the call is denied although we may trace the process';
    return { rule, hint: 'a seccomp profile or a security module forbids it: node-numa doctor' };
  }
  if (isOurs) {
    const rule = 'the process is not dumpable (PR_SET_DUMPABLE, or a program with privileges)';
    return { rule, hint: 'run with CAP_SYS_PTRACE, or as root' };
  }
  const rule = `the process belongs to user ${target.realUid}, and we are ${own.effectiveUid}`;
  const hint = `run as user ${target.realUid}, with CAP_SYS_PTRACE, or as root`;
  return { rule, hint };
}

function makeError(
  { backend, pid }: ProcessFiles,
  facts: {
    syscall: string;
    errno: number;
    asked: string;
    rule: string;
    hint: string;
    code: NumaErrorCode;
  },
): NumaError {
  const { syscall, errno, asked, rule, hint, code } = facts;
  const name = errnoName(errno);
  return new NumaError(`${syscall}: ${name}: ${asked}: ${rule}`, {
    code,
    errno: -errno,
    errnoName: name,
    syscall,
    args: { pid },
    backend: backend.identity.kind,
    hint,
  });
}
