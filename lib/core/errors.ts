/**
 * The errors with which node-numa reports that the system said no, and the table from
 * (system call, errno) to their stable codes.
 *
 * Source: the ERRORS sections of mbind(2), move_pages(2), migrate_pages(2), set_mempolicy(2),
 * get_mempolicy(2) and set_mempolicy_home_node(2), corrected by mm/mempolicy.c and mm/migrate.c.
 */

import { text } from './call-arguments.ts';
import { NUMA_CALLS } from './calls.ts';
import { checkOptions, readMembers } from './check-arguments.ts';
import { ERRNO, errnoName } from './errno.ts';
import type { AnyMigrationReport } from './migration-report.ts';

/** Stable; messages may change, codes do not within a major version. */
export type NumaErrorCode =
  | 'NUMA_BACKEND_UNAVAILABLE'
  | 'NUMA_UNSUPPORTED'
  | 'NUMA_INVALID_ARGUMENT'
  | 'NUMA_NODE_NOT_ALLOWED'
  | 'NUMA_NODE_OFFLINE'
  | 'NUMA_NOT_PERMITTED'
  | 'NUMA_RANGE_UNMAPPED'
  | 'NUMA_POLICY_NOT_MET'
  | 'NUMA_POLICY_MISMATCH'
  | 'NUMA_OUT_OF_MEMORY'
  | 'NUMA_NO_SUCH_PROCESS'
  | 'NUMA_RELEASED'
  | 'NUMA_SYSTEM_ERROR';

/** Members of a NumaError beside its message. */
export interface NumaErrorFields {
  readonly code: NumaErrorCode;
  /** Negative, as Node's own errors have it; absent where no system call was made. */
  readonly errno?: number;
  /** `EPERM`, `EINVAL` and so on; absent where no system call was made. */
  readonly errnoName?: string;
  /** The call that failed, by its kernel name. */
  readonly syscall?: string;
  /** What was asked of the call, as data. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** `native`, `simulator` or a third party's kind. */
  readonly backend?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** What was done before the error, where pages had been handled. */
  readonly report?: AnyMigrationReport;
}

const FIELD_NAMES = [
  ...['code', 'errno', 'errnoName', 'syscall', 'args', 'backend', 'hint', 'report'],
] as (keyof NumaErrorFields)[];

/** The system said no. Match on `code`. */
export class NumaError extends Error {
  override readonly name: string = 'NumaError';
  readonly code: NumaErrorCode;
  readonly errno?: number;
  readonly errnoName?: string;
  readonly syscall?: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly backend?: string;
  readonly hint?: string;
  readonly report?: AnyMigrationReport;

  constructor(message: string, fields: NumaErrorFields, options?: ErrorOptions) {
    const known = readMembers<NumaErrorFields>(fields, 'fields', FIELD_NAMES);
    const hint = known.hint === undefined ? '' : `; ${text(known.hint, 'fields.hint')}`;
    super(`${text(message, 'message')}${hint}`, checkOptions(options, 'options', ['cause']));
    this.code = text(known.code, 'fields.code') as NumaErrorCode;
    Object.assign(this, known);
  }
}

/** An aborted operation: `name` is AbortError and `code` ABORT_ERR, as everywhere in Node. */
export class AbortError extends Error {
  override readonly name: string = 'AbortError';
  readonly code: 'ABORT_ERR' = 'ABORT_ERR';
  /** What was done before the abort. */
  readonly report: AnyMigrationReport;

  constructor(message: string, report: AnyMigrationReport, cause: unknown) {
    super(text(message, 'message'), { cause });
    this.report = report;
  }
}

/** What a failed call was about; becomes the error's message, `args` and `backend`. */
export interface FailedCall {
  readonly syscall: string;
  /** Positive. */
  readonly errno: number;
  /** What was asked, in words: "bind:1 on 64 kB". */
  readonly asked: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly backend: string;
  /** The allowed nodes as a list, where the call names nodes. */
  readonly allowedNodes?: string;
  readonly report?: AnyMigrationReport | undefined;
  /** What is known beyond call and errno. */
  readonly explanation?: Explanation | undefined;
}

/** What a failure means. */
export interface Explanation {
  readonly code: NumaErrorCode;
  /** Which rule was broken. */
  readonly rule: string;
  /** What to try. */
  readonly hint: string;
}

/** Makes the typed error for a failed system call. */
export function systemError(call: FailedCall): NumaError {
  const name = errnoName(call.errno);
  const row = call.explanation ?? explain(call.syscall, call.errno);
  const allowed = call.allowedNodes === undefined ? '' : ` (allowed nodes: ${call.allowedNodes})`;
  const message = `${call.syscall}: ${name}: ${call.asked}: ${row.rule}${allowed}`;
  return new NumaError(message, {
    code: row.code,
    errno: -call.errno,
    errnoName: name,
    syscall: call.syscall,
    args: call.args,
    backend: call.backend,
    hint: call.backend === 'simulator' ? (SIMULATOR_HINTS[row.code] ?? row.hint) : row.hint,
    ...(call.report === undefined ? {} : { report: call.report }),
  });
}

/** Where the remedy is another one on a simulated machine. */
const SIMULATOR_HINTS: Readonly<Partial<Record<NumaErrorCode, string>>> = {
  NUMA_NO_SUCH_PROCESS:
    'a simulated machine has processes of its own; for one of this host use ' +
    "openNuma({ backend: 'native' })",
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
    rule: 'strict was asked, and some pages are elsewhere or could not be moved',
    hint: 'look at residency() for the pages left behind; without strict they are tolerated',
  },
  [`set_mempolicy_home_node ${ERRNO.EOPNOTSUPP}`]: {
    code: 'NUMA_POLICY_MISMATCH',
    rule: 'part of the range has a policy that takes no home node; parts before it have it now',
    hint: 'set bind() or preferredMany() with { homeNode } on the range',
  },
  [`set_mempolicy_home_node ${ERRNO.ENOENT}`]: {
    code: 'NUMA_POLICY_MISMATCH',
    rule: 'no part of the range has a policy of its own, or nothing there is mapped',
    hint: 'set bind() or preferredMany() with { homeNode } on the range',
  },
  [`set_mempolicy_home_node ${ERRNO.EINVAL}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'the home node is not online, the address no page, or the flags are not 0',
    hint: 'choose an online node',
  },
  [`set_mempolicy_home_node ${ERRNO.ENOSYS}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this kernel does not have the call',
    hint: `leave homeNode out, or use Linux ${NUMA_CALLS.set_mempolicy_home_node.since} or newer`,
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
    rule: 'the target node is not online or has no memory',
    hint: 'choose a node with memory',
  },
  [`move_pages ${ERRNO.EACCES}`]: {
    code: 'NUMA_NODE_NOT_ALLOWED',
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
    hint: 'name a CPU of numa.thread.affinity() or of the topology',
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
    hint: 'name a node of numa.topology.online',
  },
  [`attach ${ERRNO.ENOENT}`]: RELEASED,
  [`move_pages ${ERRNO.ENOENT}`]: RELEASED,
  [`touch ${ERRNO.ENOENT}`]: RELEASED,
  [`array_buffer ${ERRNO.ENOENT}`]: RELEASED,
  [`touch ${ERRNO.ESRCH}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'no node that the policy allows had memory left, for which a kernel ends the process',
    hint: 'bind to more nodes, or prefer one instead; the simulated process is gone',
  },
  [`array_buffer ${ERRNO.EOVERFLOW}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this JavaScript engine cannot make an ArrayBuffer as long as the mapping',
    hint: 'allocate several buffers of at most buffer.constants.MAX_LENGTH bytes',
  },
  [`array_buffer ${ERRNO.EOPNOTSUPP}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this JavaScript engine forbids ArrayBuffers over mapped memory',
    hint: 'use a build of Node.js without the V8 memory cage (Electron has it)',
  },
};

function explain(syscall: string, errno: number): Explanation {
  return (
    BY_CALL[`${syscall} ${errno}`] ??
    BY_ERRNO[errno] ?? {
      code: 'NUMA_SYSTEM_ERROR',
      rule: 'the system refused with an error that this call does not document',
      hint: 'see the manual page of the call',
    }
  );
}
