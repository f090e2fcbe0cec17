/**
 * The errors with which node-numa reports that the system said no: data, of which words are made
 * once. What an errno means is told by whoever knows what was asked.
 */

import { text } from './call-arguments.ts';
import { checkOptions, readMembers } from './check-arguments.ts';
import { errnoName } from './errno.ts';
import { jsonOf } from './json.ts';
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
  | 'NUMA_CPUS_IN_USE'
  | 'NUMA_MEMORY_IN_USE'
  | 'NUMA_WORKER_ENDED'
  | 'NUMA_SYSTEM_ERROR';

/** What a NumaError is made of, beside its rule. */
export interface NumaErrorFields {
  readonly code: NumaErrorCode;
  /** Negative, as Node's own errors have it; absent where no system call was made. */
  readonly errno?: number;
  /** `EPERM`, `EINVAL` and so on; absent where no system call was made. */
  readonly errnoName?: string;
  /** The call that failed, by its kernel name. */
  readonly syscall?: string;
  /** What was asked, in words: "3 pages to node 1". The message has it behind call and errno. */
  readonly asked?: string;
  /** What was asked of the call, as data. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** The argument that the rule is about, as the function names it: `options.strict`. Absent where
   *  it is about none, or about several. */
  readonly argument?: string;
  /** `native`, `simulator` or a third party's kind. */
  readonly backend?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** What was done before the error, where pages had been handled. */
  readonly report?: AnyMigrationReport;
}

const TEXTS = ['code', 'errnoName', 'syscall', 'asked', 'argument', 'backend', 'hint'] as const;
const FIELD_NAMES: readonly (keyof NumaErrorFields)[] = [...TEXTS, 'errno', 'args', 'report'];

/** The system said no. Match on `code`; the message is made of the other members, once. */
export class NumaError extends Error {
  override readonly name: string = 'NumaError';
  readonly code: NumaErrorCode;
  readonly errno?: number;
  readonly errnoName?: string;
  readonly syscall?: string;
  readonly asked?: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly argument?: string;
  /** Which rule was broken, in words that name no argument: `argument` does. */
  readonly rule: string;
  readonly backend?: string;
  readonly hint?: string;
  readonly report?: AnyMigrationReport;

  /** @param rule which one was broken; the whole message, where only the code is known besides */
  constructor(rule: string, fields: NumaErrorFields, options?: ErrorOptions) {
    const known = readMembers<NumaErrorFields>(fields, 'fields', FIELD_NAMES);
    for (const name of TEXTS) {
      if (name === 'code' || known[name] !== undefined) text(known[name], `fields.${name}`);
    }
    super(messageOf(text(rule, 'rule'), known), checkOptions(options, 'options', ['cause']));
    this.code = known.code as NumaErrorCode;
    this.rule = rule;
    Object.assign(this, known);
  }

  /**
   * The same with some members changed or added, of which a new message is made; its `cause` is
   * this one. Those that are undefined stay as they are.
   * @throws TypeError for a member that is none of the fields, as the rule
   */
  with(changes: Partial<NumaErrorFields>): NumaError {
    const changed = checkOptions<Partial<NumaErrorFields>>(changes, 'changes', FIELD_NAMES);
    return new NumaError(this.rule, { ...this, ...changed }, { cause: this });
  }

  /** All members and the message; addresses are hexadecimal text. */
  toJSON(): Record<string, unknown> {
    return jsonOf({ ...this, message: this.message });
  }
}

/** "move_pages: EPERM: 3 pages to node 1: options.includeShared: needs ...; leave it out". */
function messageOf(rule: string, fields: Partial<NumaErrorFields>): string {
  const { syscall, errnoName: name, asked, argument, hint } = fields;
  const call = asked === undefined ? [] : [syscall, name, asked];
  const said = [...call, argument, rule].filter((part) => part !== undefined).join(': ');
  return hint === undefined ? said : `${said}; ${hint}`;
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

  /** All members and the message; addresses are hexadecimal text. */
  toJSON(): Record<string, unknown> {
    return jsonOf({ ...this, message: this.message });
  }
}

/** What a failure means. */
export interface Explanation {
  readonly code: NumaErrorCode;
  /** The argument that the rule is about, where it is about one. */
  readonly argument?: string;
  /** Which rule was broken. */
  readonly rule: string;
  /** What to try. */
  readonly hint: string;
}

/** What a failed call was about, and what that means. */
export interface FailedCall {
  readonly syscall: string;
  /** Positive. */
  readonly errno: number;
  /** What was asked, in words: "bind:1 on 64 kB". */
  readonly asked: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly backend: string;
  readonly explanation: Explanation;
}

/** The typed error of a failed system call: the only place that makes one of an errno. */
export function systemError({ errno, explanation, ...call }: FailedCall): NumaError {
  const { rule, ...meaning } = explanation;
  return new NumaError(rule, { ...call, ...meaning, errno: -errno, errnoName: errnoName(errno) });
}
