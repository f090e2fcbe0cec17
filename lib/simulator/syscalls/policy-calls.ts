/**
 * The calls that set a policy, with their arguments as a caller has them: read as C would, each by
 * the kind that the call's row has for it.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { type ArgumentKind, NUMA_CALLS, type PolicyCall } from '../../core/calls.ts';
import type { Thread } from '../tasks/thread.ts';
import { mbind, setMempolicyHomeNode } from './mbind.ts';
import { setMempolicy } from './set-mempolicy.ts';
import { maskArgument } from './user-memory.ts';

const MADE: Readonly<
  Record<PolicyCall, (thread: Thread, call: never) => SyscallResult<undefined>>
> = {
  set_mempolicy: setMempolicy,
  mbind,
  set_mempolicy_home_node: setMempolicyHomeNode,
};

const asIs = (value: unknown): unknown => value;
const asLong = (value: unknown): bigint => BigInt(value as number | bigint);

/** The calls themselves cut what is an int. */
const READ: Readonly<Record<ArgumentKind, (value: unknown, thread: Thread) => unknown>> = {
  ...{ address: asIs, int: asIs, flags: asIs, length: asLong, long: asLong },
  mask: (value, thread) => maskArgument(thread, value as Parameters<typeof maskArgument>[1]),
};

export function decoded<Arguments>(thread: Thread, call: PolicyCall, request: object): Arguments {
  const given = request as Readonly<Record<string, unknown>>;
  const read: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(NUMA_CALLS[call].takes)) {
    read[name] = READ[kind](given[name], thread);
  }
  return read as Arguments;
}

export function policyCall(
  thread: Thread,
  call: PolicyCall,
  request: object,
): SyscallResult<undefined> {
  return MADE[call](thread, decoded<never>(thread, call, request));
}
