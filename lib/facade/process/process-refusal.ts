/**
 * What a refused call about another process means, or a file of /proc about it: who refused it,
 * and why.
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { type Explanation, type FailedCall, NumaError, systemError } from '../../core/errors.ts';
import type { NodeMask } from '../../core/node-mask.ts';
import {
  explainDenied,
  isDenial,
  isReached,
  type PrivilegedOption,
  probeOf,
} from '../capabilities/denial.ts';
import {
  type AskedProcess,
  explainAccess,
  nodesAllowedTo,
  outsideCpuset,
} from '../errors/access-denied.ts';
import { otherProcessesHint } from '../errors/explanations.ts';
import { WITHOUT_MEMORY, whyWithoutMemory } from './without-memory.ts';

/** There wherever /proc is. */
const OWN_STAT = '/proc/self/stat';

/** What calls about a process without memory answer. */
const NO_MEMORY = { syscall: 'move_pages', errno: ERRNO.EINVAL };

/** A call about another process. */
export interface ProcessRequest {
  readonly asked: string;
  /** Nodes that its pages were to go to. */
  readonly to?: NodeMask;
  /** What of it needs CAP_SYS_NICE. */
  readonly privileged?: PrivilegedOption | undefined;
}

/** The typed error of a call about another process that was refused, with its cause. */
export async function refusalOf(
  target: AskedProcess,
  failure: SyscallFailure,
  request: ProcessRequest,
): Promise<NumaError> {
  const { syscall, errno } = failure;
  const { asked } = request;
  const call = { syscall, errno, asked };
  if (errno === ERRNO.ESRCH) return noSuchProcess(target, call);
  if (errno === ERRNO.ENOENT) {
    const hasProc = (await target.backend.readText(OWN_STAT)).ok;
    return hasProc ? noSuchProcess(target, call) : noProc(target, asked);
  }
  if (isDenial(errno)) {
    const without = await withoutMemory(target, `process ${target.pid}`, failure);
    if (without !== undefined) return without;
    return errorAbout(target, call, await whoRefused(target, failure, request));
  }
  return errorAbout(target, call, UNKNOWN);
}

const UNKNOWN: Explanation = {
  code: 'NUMA_SYSTEM_ERROR',
  rule: 'the system refused',
  hint: 'see proc(5)',
};

/**
 * The error of a call about a process that is there, and has no memory of its own: a thread of the
 * kernel, or one that has ended and that nobody has waited for; `undefined` for all others.
 * Source: fs/proc/task_mmu.c, m_start(); mm/migrate.c, find_mm_struct(), which names EINVAL.
 */
export async function withoutMemory(
  target: AskedProcess,
  asked: string,
  { syscall, errno }: Pick<SyscallFailure, 'syscall' | 'errno'> = NO_MEMORY,
): Promise<NumaError | undefined> {
  const why = await whyWithoutMemory(target.backend, target.pid);
  if (why === null) return undefined;
  return errorAbout(target, { syscall, errno, asked }, WITHOUT_MEMORY[why]);
}

/**
 * Who refused it: somebody who refuses the call as such (a filter, a kernel without it), the kernel
 * for a flag that needs a privilege, the process's cpuset, or what protects the process from us.
 */
async function whoRefused(
  target: AskedProcess,
  failure: SyscallFailure,
  { to, privileged }: ProcessRequest,
): Promise<Explanation> {
  const { backend } = target;
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
    const allowed = await nodesAllowedTo(target);
    const facts = allowed === null ? OUTSIDE_SOME_CPUSET : outsideCpuset(allowed);
    return { code: 'NUMA_NODE_NOT_ALLOWED', argument: 'options.to', ...facts };
  }
  return { code: 'NUMA_NOT_PERMITTED', ...(await explainAccess(target, { syscall, to })) };
}

const OUTSIDE_SOME_CPUSET = {
  rule: "the target node is outside the process's cpuset",
  hint: 'choose a node of its cpuset, or widen cpuset.mems',
} as const;

/** The error of a process that is not there, or that hides. */
async function noSuchProcess(target: AskedProcess, call: AskedCall): Promise<NumaError> {
  const { backend } = target;
  const explanation: Explanation = {
    code: 'NUMA_NO_SUCH_PROCESS',
    rule: 'there is no such process, or it is hidden (hidepid)',
    hint: 'check that the process still runs and is visible in this pid namespace; root sees all',
  };
  if (backend.identity.kind !== 'simulator') return errorAbout(target, call, explanation);
  const processes = await processIds(backend);
  const hint = otherProcessesHint(processes);
  return errorAbout(target, call, { ...explanation, hint }, { processes });
}

async function processIds(backend: Backend): Promise<number[]> {
  const names = await backend.readNames('/proc');
  return names.ok ? names.value.filter((name) => /^\d+$/.test(name)).map(Number) : [];
}

/** The error of a process that has ended, and whose pid another one has now. */
export function pidOfAnother({ backend, pid }: AskedProcess): NumaError {
  return new NumaError(`process ${pid} has ended, and another one has its pid now`, {
    code: 'NUMA_NO_SUCH_PROCESS',
    args: { pid },
    backend: backend.identity.kind,
    hint: 'nothing of the other process was touched',
  });
}

/** The error of a file that is cut short: the process ends at this moment. */
export function cutShort(target: AskedProcess, asked: string): Promise<NumaError> {
  return noSuchProcess(target, { syscall: 'read', errno: ERRNO.ESRCH, asked });
}

/** The error of a kernel without numa_maps. */
export function noNumaMaps(
  target: AskedProcess,
  { syscall, errno }: SyscallFailure,
  asked: string,
): NumaError {
  return errorAbout(
    target,
    { syscall, errno, asked },
    {
      code: 'NUMA_UNSUPPORTED',
      rule: 'this kernel tells of no process on which nodes its memory is',
      hint: 'use a kernel built with CONFIG_NUMA',
    },
  );
}

/** The error of a system without /proc. */
export function noProc(target: AskedProcess, asked: string): NumaError {
  return errorAbout(
    target,
    { syscall: 'open', errno: ERRNO.ENOENT, asked },
    {
      code: 'NUMA_UNSUPPORTED',
      rule: 'no /proc is mounted here',
      hint: 'mount it: mount -t proc proc /proc',
    },
  );
}

type AskedCall = Pick<FailedCall, 'syscall' | 'errno' | 'asked'>;

function errorAbout(
  { backend, pid }: AskedProcess,
  call: AskedCall,
  explanation: Explanation,
  args: Readonly<Record<string, unknown>> = {},
): NumaError {
  const { kind } = backend.identity;
  return systemError({ ...call, args: { pid, ...args }, backend: kind, explanation });
}
