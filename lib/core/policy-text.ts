/**
 * A memory policy from its text: `bind:0-1`, `interleave=static:0-3`, `bind:0-1 from 1`. It reads
 * what `MemoryPolicy` and /proc/PID/numa_maps print, and the modes under the names that they have
 * in this library: `preferred:1`, `preferred-many:0-1`, `weighted-interleave:0-1`.
 */

import { invalidArgumentValue } from './argument-errors.ts';
import { createPolicy, MemoryPolicy, type PolicyFlag } from './memory-policy.ts';
import { NodeMask } from './node-mask.ts';
import { POLICY_MODE_NAMES, POLICY_MODES, type PolicyMode } from './policy-modes.ts';

const MODES: ReadonlyMap<string, PolicyMode> = new Map(
  POLICY_MODE_NAMES.flatMap((mode) => [mode, POLICY_MODES[mode].label].map((word) => [word, mode])),
);

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
  const [, word = '', flagText, nodes, homeNode] = match;
  const hasMore = flagText !== undefined || nodes !== undefined || homeNode !== undefined;
  const mode = MODES.get(word);
  if (mode === undefined) throw invalidArgumentValue(argument, RULE, text);
  if (POLICY_MODES[mode].nodeCount === 'none') {
    if (hasMore) throw invalidArgumentValue(argument, `has no nodes and flags for ${mode}`, text);
    return new MemoryPolicy(mode, NodeMask.empty, []);
  }
  if (nodes === undefined) throw invalidArgumentValue(argument, 'must name nodes', text);
  const flags = flagText?.split('|').map((name) => {
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    if (flag !== undefined) return flag;
    throw invalidArgumentValue(argument, 'has the flags static, relative and balancing', text);
  });
  const options = {
    ...(flags === undefined ? {} : { flags }),
    ...(homeNode === undefined ? {} : { homeNode }),
  };
  return createPolicy(mode, nodes, options);
}
