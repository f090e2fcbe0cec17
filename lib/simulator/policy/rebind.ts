/**
 * What becomes of a policy when the nodes that its task may use change.
 *
 * Source: mm/mempolicy.c, mpol_rebind_policy(), mpol_rebind_nodemask() and
 * mpol_rebind_preferred().
 */

import { MPOL_MODE_FLAG } from '../../core/uapi.ts';
import { NO_NODES, type Nodemask, relativeTo, remap } from '../nodes/nodemask.ts';
import type { Mempolicy } from './mempolicy.ts';

const { STATIC_NODES, RELATIVE_NODES } = MPOL_MODE_FLAG;

export function rebindPolicy(policy: Mempolicy | null, mems: Nodemask): Mempolicy | null {
  if (policy === null || policy.mode.nodeCount === 'none') return policy;
  if (!policy.keepsUserMask && policy.context === mems) return policy;
  return policy.mode.isRemapped ? rebindNodes(policy, mems) : { ...policy, context: mems };
}

function rebindNodes(policy: Mempolicy, mems: Nodemask): Mempolicy {
  const orAll = (nodes: Nodemask): Nodemask => (nodes === NO_NODES ? mems : nodes);
  if ((policy.flags & STATIC_NODES) !== 0) {
    return { ...policy, nodes: orAll(policy.context & mems) };
  }
  if ((policy.flags & RELATIVE_NODES) !== 0) {
    return { ...policy, nodes: orAll(relativeTo(policy.context, mems)) };
  }
  const nodes = orAll(remap(policy.nodes, policy.context, mems));
  return { ...policy, nodes, context: mems };
}
