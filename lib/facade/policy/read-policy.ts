/**
 * Reads a policy back from the kernel as a value.
 *
 * Source: get_mempolicy(2); mm/mempolicy.c, do_get_mempolicy().
 */

import type { GetMempolicyValue } from '../../backend/backend.ts';
import { NumaError } from '../../core/errors.ts';
import { type MemoryPolicy, policyOfModeWord } from '../../core/memory-policy.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { MAXNODE_ALL, nodesOfWords } from '../../core/nodemask-words.ts';
import type { Context } from '../context.ts';

/** The policy of the calling thread (flags 0) or of the range at an address (`MPOL_F_ADDR`). */
export function readPolicy(
  context: Context,
  request: { readonly flags: number; readonly address?: bigint },
): MemoryPolicy {
  const result = context.backend.getMempolicy({ ...request, maxnode: MAXNODE_ALL });
  return policyOfValue(context, context.unwrap(result, 'reading the policy', { ...request }));
}

/** @throws NumaError NUMA_UNSUPPORTED for a mode of a kernel to come */
export function policyOfValue(
  context: Context,
  { mode, nodemask }: GetMempolicyValue,
): MemoryPolicy {
  const policy = policyOfModeWord(mode, NodeMask.from(nodesOfWords(nodemask)));
  if (policy !== undefined) return policy;
  throw new NumaError(`this kernel reports mode ${mode}, which is not known here`, {
    code: 'NUMA_UNSUPPORTED',
    syscall: 'get_mempolicy',
    asked: 'reading the policy',
    args: { mode },
    backend: context.backend.identity.kind,
    hint: 'use a newer version of node-numa',
  });
}
