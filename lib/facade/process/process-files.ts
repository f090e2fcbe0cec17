/**
 * The files of /proc that tell of a process, with what a refusal means.
 *
 * Source: proc(5); fs/proc/base.c, proc_pid_permission() and proc_mem_open().
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import { ERRNO, errnoName } from '../../core/errno.ts';
import { type Explanation, NumaError, type NumaErrorCode } from '../../core/errors.ts';
import type { NodeMask } from '../../core/node-mask.ts';
import { parseStat, type TaskStat } from '../../procfs/stat.ts';
import { parseStatus, type TaskStatus } from '../../procfs/status.ts';
import {
  explainDenied,
  isDenial,
  isReached,
  lacksNumaMaps,
  probeOf,
} from '../capabilities/denial.ts';
import { explainAccess, nodesAllowedTo, outsideCpuset } from './access-denied.ts';
import { WITHOUT_MEMORY, whyWithoutMemory } from './without-memory.ts';

/** Whose files are read. */
export interface ProcessFiles {
  readonly backend: Backend;
  readonly pid: number;
  /** Ends the wait for those that the kernel walks page tables for, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Those that only whoever may trace the process can read. */
export type PrivateFile = 'maps' | 'numa_maps' | 'smaps';

/** What calls about such a process answer. */
const NO_MEMORY = { syscall: 'move_pages', errno: ERRNO.EINVAL };

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
  const asked = `reading /proc/${files.pid}/${name}`;
  if (name === 'numa_maps' && lacksNumaMaps(files.backend)) {
    throw noNumaMaps(files, result, asked);
  }
  throw await refusalOf(files, result, { asked });
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
  if (!result.ok) throw await refusalOf(files, result, { asked: `reading ${path}` });
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

/** A call about another process. */
export interface ProcessRequest {
  readonly asked: string;
  /** Nodes that its pages were to go to. */
  readonly to?: NodeMask;
  /** What of it needs CAP_SYS_NICE, as the caller wrote it. */
  readonly privileged?: string | undefined;
}

/** The typed error of a call about another process that was refused, with its cause. */
export async function refusalOf(
  files: ProcessFiles,
  failure: SyscallFailure,
  request: ProcessRequest,
): Promise<NumaError> {
  const { syscall, errno } = failure;
  const { asked } = request;
  const call = { syscall, errno, asked };
  if (errno === ERRNO.ESRCH) return noSuchProcess(files, call, asked);
  if (errno === ERRNO.ENOENT) {
    const hasProc = (await files.backend.readText(OWN_STAT)).ok;
    return hasProc ? noSuchProcess(files, call, asked) : noProc(files, asked);
  }
  if (isDenial(errno)) {
    const without = await withoutMemory(files, `process ${files.pid}`, failure);
    if (without !== undefined) return without;
    return makeError(files, { ...call, ...(await whoRefused(files, failure, request)) });
  }
  const facts = { rule: 'the system refused', hint: 'see proc(5)' };
  return makeError(files, { ...call, ...facts, code: 'NUMA_SYSTEM_ERROR' });
}

/**
 * The error of a call about a process that is there, and has no memory of its own: a thread of the
 * kernel, or one that has ended and that nobody has waited for; `undefined` for all others.
 * Source: fs/proc/task_mmu.c, m_start(); mm/migrate.c, find_mm_struct(), which names EINVAL.
 */
export async function withoutMemory(
  files: ProcessFiles,
  asked: string,
  { syscall, errno }: Pick<SyscallFailure, 'syscall' | 'errno'> = NO_MEMORY,
): Promise<NumaError | undefined> {
  const why = await whyWithoutMemory(files.backend, files.pid);
  if (why === null) return undefined;
  return makeError(files, { syscall, errno, asked, ...WITHOUT_MEMORY[why] });
}

/**
 * Who refused it: somebody who refuses the call as such (a filter, a kernel without it), the kernel
 * for a flag that needs a privilege, the process's cpuset, or what protects the process from us.
 */
async function whoRefused(
  files: ProcessFiles,
  failure: SyscallFailure,
  { to, privileged }: ProcessRequest,
): Promise<Explanation> {
  const { backend } = files;
  const { syscall, errno } = failure;
  const probe = probeOf(syscall);
  if (probe !== undefined && !isReached(probe, await probe.ask(backend))) {
    return explainDenied(backend, failure, { doesPlainWork: undefined });
  }
  const all = privileged === undefined ? undefined : probeOf(syscall, 'MPOL_MF_MOVE_ALL');
  if (all !== undefined && !isReached(all, await all.ask(backend))) {
    return explainDenied(backend, failure, { privileged, doesPlainWork: true });
  }
  if (syscall === 'move_pages' && errno === ERRNO.EACCES) {
    const allowed = await nodesAllowedTo(files);
    const facts = allowed === null ? OUTSIDE_SOME_CPUSET : outsideCpuset(allowed);
    return { code: 'NUMA_NODE_NOT_ALLOWED', ...facts };
  }
  return { code: 'NUMA_NOT_PERMITTED', ...(await explainAccess(files, { syscall, to })) };
}

const OUTSIDE_SOME_CPUSET = {
  rule: "the target node is outside the process's cpuset",
  hint: 'choose a node of its cpuset, or widen cpuset.mems',
} as const;

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

function noNumaMaps(files: ProcessFiles, call: SyscallFailure, asked: string): NumaError {
  return makeError(files, {
    ...{ syscall: call.syscall, errno: call.errno, asked, code: 'NUMA_UNSUPPORTED' },
    rule: 'this kernel tells of no process on which nodes its memory is',
    hint: 'use a kernel built with CONFIG_NUMA',
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
