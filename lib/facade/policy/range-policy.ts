/**
 * Gives a range a policy: mbind, and the home node that the kernel takes in a call of its own.
 *
 * Source: mbind(2), set_mempolicy_home_node(2); mm/mempolicy.c.
 */

import { checkBoolean, checkOptions, checkWord } from '../../core/check-arguments.ts';
import { checkPolicy, type MemoryPolicy } from '../../core/memory-policy.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { type PageRange, RANGE_OPTION_NAMES, type RangeOptions } from '../pages/page-range.ts';

export interface SetPolicyOptions extends RangeOptions {
  /**
   * Move pages that are elsewhere: `own` those of this process alone (`MPOL_MF_MOVE`), `all` also
   * those that other processes share (`MPOL_MF_MOVE_ALL`, CAP_SYS_NICE). Default: pages stay.
   */
  readonly move?: 'own' | 'all';
  /** Fail when a page does not follow the policy afterwards (`MPOL_MF_STRICT`). */
  readonly strict?: boolean;
}

/** Checked arguments of `setPolicy()`. */
export interface SetPolicyRequest {
  readonly policy: MemoryPolicy;
  readonly move: 'own' | 'all' | undefined;
  readonly isStrict: boolean;
  readonly rangeOptions: RangeOptions;
}

const MOVE_FLAGS = { own: MPOL_MF.MOVE, all: MPOL_MF.MOVE_ALL } as const;
const OPTION_NAMES = [...RANGE_OPTION_NAMES, 'move', 'strict'] as const;

/** @throws TypeError, RangeError */
export function checkSetPolicy(
  policy: MemoryPolicy,
  options: SetPolicyOptions | undefined,
): SetPolicyRequest {
  checkPolicy(policy, 'policy');
  const { move, strict, ...rangeOptions } = checkOptions(options, 'options', OPTION_NAMES);
  if (move !== undefined) checkWord(move, 'options.move', ['own', 'all']);
  const isStrict = checkBoolean(strict, 'options.strict');
  return { policy, move, isStrict, rangeOptions };
}

/** Two calls where there is a home node: mbind gives the range a new policy, which has none yet. */
export function setRangePolicy(
  context: Context,
  { address, lengthBytes }: PageRange,
  { policy, move, isStrict }: SetPolicyRequest,
): void {
  const { backend } = context;
  const flags = (move === undefined ? 0 : MOVE_FLAGS[move]) | (isStrict ? MPOL_MF.STRICT : 0);
  const homeNode = context.resolveHomeNode(policy);
  const request = { address, lengthBytes, flags, ...context.encodePolicy(policy) };
  const asked = `${policy} on ${lengthBytes} bytes`;
  const args = { policy: `${policy}`, address, lengthBytes, move, strict: isStrict };
  const privileged = { argument: 'options.move', value: "'all'" };
  const made = { mode: request.mode, privileged: move === 'all' ? privileged : undefined };
  context.unwrap(backend.mbind(request), asked, args, made);
  if (homeNode === undefined) return;
  const home = { address, lengthBytes, node: homeNode, flags: 0 };
  context.unwrap(backend.setMempolicyHomeNode(home), asked, { ...args, homeNode });
}
