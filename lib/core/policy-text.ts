/**
 * A memory policy from its text: `bind:0-1`, `interleave=static:0-3`, `bind:0-1 from 1`. It reads
 * what `MemoryPolicy` and /proc/PID/numa_maps print, and the modes under the names that they have
 * in this library: `preferred:1`, `preferred-many:0-1`, `weighted-interleave:0-1`.
 */

import { invalidArgumentValue } from './argument-errors.ts';
import {
  bind,
  defaultPolicy,
  interleave,
  local,
  type MemoryPolicy,
  type PolicyFlag,
  preferred,
  preferredMany,
  weightedInterleave,
} from './memory-policy.ts';

const MODES = {
  bind,
  interleave,
  preferred,
  prefer: preferred,
  'preferred-many': preferredMany,
  'prefer (many)': preferredMany,
  'weighted-interleave': weightedInterleave,
  'weighted interleave': weightedInterleave,
} as const;

const FLAGS: Readonly<Record<string, PolicyFlag>> = {
  static: 'static-nodes',
  relative: 'relative-nodes',
  balancing: 'numa-balancing',
};

/** Mode, flags, nodes, home node. */
const FORM = /^([a-z][a-z() -]*[a-z)])(?:=([a-z|]+))?(?::(\S+))?(?: from (\S+))?$/;

const RULE = 'must be a policy as numa_maps has it: bind:0-1, interleave:0-3, prefer:1, local';

/**
 * @param argument how errors name it
 * @throws TypeError ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE
 */
export function parsePolicy(text: string, argument: string): MemoryPolicy {
  const match = FORM.exec(text);
  if (match === null) throw invalidArgumentValue(argument, RULE, text);
  const [, mode = '', flagText, nodes, homeNode] = match;
  const hasMore = flagText !== undefined || nodes !== undefined || homeNode !== undefined;
  if (mode === 'default' || mode === 'local') {
    if (hasMore) throw invalidArgumentValue(argument, `has no nodes and flags for ${mode}`, text);
    return mode === 'local' ? local() : defaultPolicy();
  }
  if (!Object.hasOwn(MODES, mode)) throw invalidArgumentValue(argument, RULE, text);
  if (nodes === undefined) throw invalidArgumentValue(argument, 'must name nodes', text);
  const flags = flagText?.split('|').map((word) => {
    const flag = Object.hasOwn(FLAGS, word) ? FLAGS[word] : undefined;
    if (flag !== undefined) return flag;
    throw invalidArgumentValue(argument, 'has the flags static, relative and balancing', text);
  });
  const options = {
    ...(flags === undefined ? {} : { flags }),
    ...(homeNode === undefined ? {} : { homeNode }),
  };
  return MODES[mode as keyof typeof MODES](nodes, options);
}
