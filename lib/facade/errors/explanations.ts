/**
 * What the errno of a call means to who uses the facade: its stable code, the rule that was broken,
 * and what to do.
 *
 * Source: the ERRORS sections of the calls' pages, corrected by mm/mempolicy.c and mm/migrate.c.
 */

import { NUMA_CALLS } from '../../core/calls.ts';
import { ERRNO } from '../../core/errno.ts';
import {
  type Explanation,
  type FailedCall,
  type NumaError,
  type NumaErrorCode,
  systemError,
} from '../../core/errors.ts';
import { OF_KINDS } from './kinds-of-memory.ts';

/**
 * @param processes of the machine, where they are known
 * @param way to those of this host: a function of the library, or words of a command
 */
export function otherProcessesHint(
  processes?: readonly number[],
  way: string = "for one of this host use openNuma({ backend: 'native' })",
): string {
  const own = 'a simulated machine has processes of its own';
  if (processes === undefined) return `${own}; ${way}`;
  return `${own}: ${processes.join(', ') || 'this one has none'}; ${way}`;
}

/** Where the remedy is another one on a simulated machine. */
const SIMULATOR_HINTS: Readonly<Partial<Record<NumaErrorCode, string>>> = {
  NUMA_NO_SUCH_PROCESS: otherProcessesHint(),
  NUMA_RELEASED:
    'keep one MappedBuffer until all have attached; a worker has a simulated machine of its own, ' +
    'where handles of other threads name nothing',
};

export const SECCOMP_HINT: string =
  'in a container the seccomp profile may block this call: run it with ' +
  '--security-opt seccomp=PROFILE that allows it (npx node-numa doctor tells which)';

/** What an errno means whatever the call. */
const BY_ERRNO: Readonly<Record<number, Explanation>> = {
  [ERRNO.EPERM]: {
    code: 'NUMA_NOT_PERMITTED',
    rule: 'the caller lacks a privilege, or a seccomp profile blocks the call',
    hint: SECCOMP_HINT,
  },
  [ERRNO.EINVAL]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'the kernel takes no such value, or none of the nodes may be used',
    hint: 'name at least one allowed node, and a mode that this kernel has',
  },
  [ERRNO.EFAULT]: {
    code: 'NUMA_RANGE_UNMAPPED',
    rule: 'part of the range is not mapped',
    hint: 'name a range inside one live mapping',
  },
  [ERRNO.ENOMEM]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'the kernel, the node or the limit on mappings has no room',
    hint: 'free memory, choose another node, or raise vm.max_map_count',
  },
  [ERRNO.ENOSYS]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this kernel does not have the call',
    hint: 'use a kernel built with CONFIG_NUMA and CONFIG_MIGRATION',
  },
  [ERRNO.ESRCH]: {
    code: 'NUMA_NO_SUCH_PROCESS',
    rule: 'there is no such process',
    hint: 'check that the process still runs and is visible in this pid namespace',
  },
};

const RELEASED: Explanation = {
  code: 'NUMA_RELEASED',
  rule: 'the last owner of this mapping has released it, or was garbage collected',
  hint: 'keep one MappedBuffer, or its bytes, until every worker has attached',
};

/** What an errno means for one call, where it means something of its own. */
const BY_CALL: Readonly<Record<string, Explanation>> = {
  [`mbind ${ERRNO.EIO}`]: {
    code: 'NUMA_POLICY_NOT_MET',
    argument: 'options.strict',
    rule: 'some pages are elsewhere or could not be moved',
    hint: 'look at residency() for the pages left behind; without strict they are tolerated',
  },
  [`set_mempolicy_home_node ${ERRNO.EOPNOTSUPP}`]: {
    code: 'NUMA_POLICY_MISMATCH',
    argument: 'policy.homeNode',
    rule: 'part of the range has a policy that takes no home node; parts before it have it now',
    hint: 'set bind() or preferredMany() with { homeNode } on the range',
  },
  [`set_mempolicy_home_node ${ERRNO.ENOENT}`]: {
    code: 'NUMA_POLICY_MISMATCH',
    argument: 'policy.homeNode',
    rule: 'no part of the range has a policy of its own, or nothing there is mapped',
    hint: 'set bind() or preferredMany() with { homeNode } on the range',
  },
  [`set_mempolicy_home_node ${ERRNO.EINVAL}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    argument: 'policy.homeNode',
    rule: 'the home node is not online, the address no page, or the flags are not 0',
    hint: 'choose an online node',
  },
  [`set_mempolicy_home_node ${ERRNO.ENOSYS}`]: {
    code: 'NUMA_UNSUPPORTED',
    argument: 'policy.homeNode',
    rule: 'this kernel does not have the call',
    hint: `leave homeNode out; Linux ${NUMA_CALLS.set_mempolicy_home_node.since} or newer has it`,
  },
  [`move_pages ${ERRNO.EINVAL}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'the process has no memory of its own: a kernel thread, or one that is ending',
    hint: 'choose another process',
  },
  [`move_pages ${ERRNO.ENOMEM}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'the kernel or the node has no room',
    hint: 'free memory, or choose another node',
  },
  [`move_pages ${ERRNO.ENODEV}`]: {
    code: 'NUMA_NODE_OFFLINE',
    argument: 'options.to',
    rule: 'the target node is not online or has no memory',
    hint: 'choose a node with memory',
  },
  [`move_pages ${ERRNO.EACCES}`]: {
    code: 'NUMA_NODE_NOT_ALLOWED',
    argument: 'options.to',
    rule: "the target node is outside the process's cpuset",
    hint: 'choose an allowed node, or widen cpuset.mems',
  },
  [`migrate_pages ${ERRNO.EPERM}`]: {
    code: 'NUMA_NOT_PERMITTED',
    rule: 'the process is not ours to trace, or a target node is outside its cpuset',
    hint: 'run as the same user, or with CAP_SYS_NICE and CAP_SYS_PTRACE',
  },
  [`migrate_pages ${ERRNO.EINVAL}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'the process has no memory of its own, or none of the nodes has memory',
    hint: 'choose another process, and nodes with memory',
  },
  [`migrate_pages ${ERRNO.ENOMEM}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'the kernel or the node has no room',
    hint: 'free memory, or choose another node',
  },
  [`sched_setaffinity ${ERRNO.EINVAL}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'none of the CPUs is online and allowed by the cpuset',
    hint: 'name an online CPU that the cpuset allows',
  },
  [`sched_setaffinity ${ERRNO.EPERM}`]: {
    code: 'NUMA_NOT_PERMITTED',
    rule: "the thread is another user's, or has privileges that we lack",
    hint: 'run as its user, or with CAP_SYS_NICE',
  },
  [`execve ${ERRNO.ENOENT}`]: {
    code: 'NUMA_SYSTEM_ERROR',
    rule: 'there is no such program, or not its interpreter',
    hint: 'name a program of the PATH, or the path of one',
  },
  [`execve ${ERRNO.EACCES}`]: {
    code: 'NUMA_SYSTEM_ERROR',
    rule: 'this is no file that this user may start',
    hint: 'name a program, or make the file executable',
  },
  [`numa_node_size64 ${ERRNO.EINVAL}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'there is no such node',
    hint: 'name an online node',
  },
  [`attach ${ERRNO.ENOENT}`]: RELEASED,
  [`move_pages ${ERRNO.ENOENT}`]: RELEASED,
  [`touch ${ERRNO.ENOENT}`]: RELEASED,
  [`array_buffer ${ERRNO.ENOENT}`]: RELEASED,
  [`madvise ${ERRNO.ENOENT}`]: RELEASED,
  [`msync ${ERRNO.ENOENT}`]: RELEASED,
  [`fstat ${ERRNO.ENOENT}`]: RELEASED,
  [`copy_pages ${ERRNO.EAGAIN}`]: {
    code: 'NUMA_SYSTEM_ERROR',
    rule: 'no thread could be made for the copies; nothing of this step has moved',
    hint: "end some, raise the limit (ulimit -u, the cgroup's pids.max), or have the kernel move",
  },
  [`open ${ERRNO.ENOENT}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'a file of /proc or /sys that this needs is not there, or may not be read',
    hint: "mount both; under Node's permission model start with --allow-fs-read for them",
  },
  ...OF_KINDS,
  [`touch ${ERRNO.ESRCH}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'no node that the policy allows had memory left, for which a kernel ends the process',
    hint: 'bind to more nodes, or prefer one instead; the simulated process is gone',
  },
  [`array_buffer ${ERRNO.EOVERFLOW}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this JavaScript engine cannot make an array as long as that',
    hint: 'bytesAt(offsetBytes, lengthBytes) has parts, of buffer.constants.MAX_LENGTH bytes each',
  },
  [`array_buffer ${ERRNO.EOPNOTSUPP}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this JavaScript engine forbids ArrayBuffers over mapped memory',
    hint: 'use a build of Node.js without the V8 memory cage (Electron has it)',
  },
};

const UNDOCUMENTED: Explanation = {
  code: 'NUMA_SYSTEM_ERROR',
  rule: 'the system refused with an error that this call does not document',
  hint: 'see the manual page of the call',
};

/** What a failed call means where nothing is known but the call, the errno and who answered. */
export function explain({
  syscall,
  errno,
  backend,
}: Pick<FailedCall, 'syscall' | 'errno' | 'backend'>): Explanation {
  const row = BY_CALL[`${syscall} ${errno}`] ?? BY_ERRNO[errno] ?? UNDOCUMENTED;
  const hint = backend === 'simulator' ? SIMULATOR_HINTS[row.code] : undefined;
  return hint === undefined ? row : { ...row, hint };
}

/** The error of such a call. */
export function explainedError(call: Omit<FailedCall, 'explanation'>): NumaError {
  return systemError({ ...call, explanation: explain(call) });
}
