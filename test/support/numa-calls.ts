/** The NUMA calls of tests, by the rows of their table. */

import type { Backend } from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import {
  methodOf,
  NUMA_CALLS,
  type NumaCall,
  numaCalls,
  type PolicyCall,
  policyCalls,
} from '../../lib/core/calls.ts';
import type { PolicyCalls } from '../../lib/machine/numa.ts';
import type { Later } from './later.ts';

export type PolicyRequest = Readonly<Record<string, unknown>>;

/** Those that set a policy, each made of its name. */
export function policyCallsOf(
  make: (call: PolicyCall) => (request: PolicyRequest) => Promise<SyscallResult<undefined>>,
): Later<PolicyCalls> {
  const methods = policyCalls.map((call) => [methodOf(call), make(call)]);
  return Object.fromEntries(methods) as Later<PolicyCalls>;
}

/** Methods of a backend that refuses calls, default all. */
export function refusing(errno: number, calls: readonly NumaCall[] = numaCalls): Partial<Backend> {
  const methods = calls.flatMap((syscall) => {
    const refuse = () => ({ ok: false, errno, syscall });
    const later = async () => refuse();
    const method = methodOf(syscall);
    const { runs } = NUMA_CALLS[syscall];
    if (runs === 'sync') return [[method, refuse]];
    return [[method, later], ...(runs === 'both' ? [[`${method}Sync`, refuse]] : [])];
  });
  return Object.fromEntries(methods);
}
