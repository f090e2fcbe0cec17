/**
 * A policy in the words of numa_maps.
 *
 * Source: mm/mempolicy.c, mpol_to_str() and policy_modes.
 */

import { formatIdList } from '../../core/id-list.ts';
import { MPOL, MPOL_MODE_FLAG } from '../../core/uapi.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { Mempolicy } from './mempolicy.ts';

const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;

const WORDS: Readonly<Record<number, string>> = {
  [MPOL.DEFAULT]: 'default',
  [MPOL.PREFERRED]: 'prefer',
  [MPOL.BIND]: 'bind',
  [MPOL.INTERLEAVE]: 'interleave',
  [MPOL.LOCAL]: 'local',
  [MPOL.PREFERRED_MANY]: 'prefer (many)',
  [MPOL.WEIGHTED_INTERLEAVE]: 'weighted interleave',
};

export function policyText(policy: Mempolicy | null): string {
  if (policy === null) return 'default';
  const { mode, flags } = policy;
  const words: string[] = [];
  if ((flags & STATIC_NODES) !== 0) words.push('static');
  if ((flags & RELATIVE_NODES) !== 0) words.push('relative');
  if ((flags & NUMA_BALANCING) !== 0) words.push('balancing');
  const flagText = words.length === 0 ? '' : `=${words.join('|')}`;
  const nodes = nodesIn(policy.nodes);
  const nodeText = nodes.length === 0 ? '' : `:${formatIdList(nodes)}`;
  return `${WORDS[mode]}${flagText}${nodeText}`;
}
