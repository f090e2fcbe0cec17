/**
 * A memory policy as the kernel keeps it: what was asked for, and the nodes that it means now.
 *
 * Source: mm/mempolicy.c, mpol_new(), mpol_set_nodemask(), __mpol_equal() and
 * get_policy_nodemask(). What modes do is in modes.ts.
 */

import { ERRNO } from '../../core/errno.ts';
import { formatIdList } from '../../core/id-list.ts';
import type { KernelFacts } from '../../core/kernel-facts.ts';
import { MPOL, MPOL_MODE_FLAG } from '../../core/uapi.ts';
import { NO_NODE, NO_NODES, type Nodemask, nodesIn, relativeTo, remap } from '../nodes/nodemask.ts';
import { LOCAL_MODE, MODES, type Mode } from './modes.ts';

export interface Mempolicy {
  readonly mode: Mode;
  /** `MPOL_MODE_FLAG`s. */
  readonly flags: number;
  /** The effective nodes; empty for LOCAL. */
  readonly nodes: Nodemask;
  /** NO_NODE: the touching CPU's. */
  readonly homeNode: number;
  /** Whether `context` is the mask as given; else it is the cpuset's nodes at that time. */
  readonly keepsUserMask: boolean;
  /** The kernel's union `w`: one word with two meanings, which rebinding mixes up. */
  readonly context: Nodemask;
}

/** Mode and flags of one mode word. */
export interface ModeWord {
  readonly mode: Mode;
  readonly flags: number;
}

/** What a policy is made of. */
export interface MempolicyArguments extends ModeWord {
  readonly user: Nodemask;
}

/** The nodes that a policy may use when it is set. */
export interface PolicyContext {
  /** The caller's cpuset. */
  readonly memsAllowed: Nodemask;
  /** Nodes with memory. */
  readonly memoryNodes: Nodemask;
  readonly facts: KernelFacts;
}

const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;
const FLAGS = STATIC_NODES | RELATIVE_NODES | NUMA_BALANCING;

/** Splits a mode word, or answers EINVAL. Source: mm/mempolicy.c, sanitize_mpol_flags(). */
export function splitModeWord(word: number, facts: KernelFacts): ModeWord | null {
  const flags = word & FLAGS;
  const mode = MODES.get(word & ~FLAGS);
  if (mode?.isKnown(facts) !== true) return null;
  if ((flags & STATIC_NODES) !== 0 && (flags & RELATIVE_NODES) !== 0) return null;
  const isBalanced = (flags & NUMA_BALANCING) !== 0;
  if (isBalanced && !(mode.takesBalancing && mode.isBalancedBy(facts))) return null;
  return { mode, flags };
}

/** Whether mode and mask go together: 0 or EINVAL. */
export function checkNodes({ mode, flags, user }: MempolicyArguments): number {
  if (user !== NO_NODES) return mode.nodeCount === 'none' ? ERRNO.EINVAL : 0;
  if (mode.isEmptyTaken === 'always') return 0;
  const isFixed = (flags & (STATIC_NODES | RELATIVE_NODES)) !== 0;
  return mode.isEmptyTaken === 'without flags' && !isFixed ? 0 : ERRNO.EINVAL;
}

/**
 * Makes a policy of arguments that `checkNodes` has passed; `null` for DEFAULT. A mask of which no
 * node is usable is the errno EINVAL.
 */
export function makeMempolicy(
  { mode, flags, user }: MempolicyArguments,
  { memsAllowed, memoryNodes, facts }: PolicyContext,
): Mempolicy | null | { readonly errno: number } {
  if (mode.isNone) return null;
  const base = { flags, homeNode: NO_NODE };
  if (user === NO_NODES) {
    const local = { mode: LOCAL_MODE, nodes: NO_NODES, keepsUserMask: false, context: NO_NODES };
    return { ...base, ...local };
  }
  const allowed = memsAllowed & memoryNodes;
  const effective = (flags & RELATIVE_NODES) !== 0 ? relativeTo(user, allowed) : user & allowed;
  if (effective === NO_NODES) return { errno: ERRNO.EINVAL };
  const keepingFlags =
    STATIC_NODES | RELATIVE_NODES | (facts.balancingKeepsUserMask ? NUMA_BALANCING : 0);
  const keepsUserMask = (flags & keepingFlags) !== 0;
  const nodes = mode.keptOf(effective);
  return { ...base, mode, nodes, keepsUserMask, context: keepsUserMask ? user : memsAllowed };
}

/**
 * What becomes of a policy when the nodes that its task may use change.
 * Source: mpol_rebind_policy(), mpol_rebind_nodemask() and mpol_rebind_preferred().
 */
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

/** Whether two ranges with these policies are one mapping. */
export function isEqualPolicy(a: Mempolicy | null, b: Mempolicy | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (a.mode !== b.mode || a.flags !== b.flags || a.homeNode !== b.homeNode) return false;
  if (a.keepsUserMask && a.context !== b.context) return false;
  return a.nodes === b.nodes;
}

/** The mode word that get_mempolicy stores. */
export function modeWordOf(policy: Mempolicy | null): number {
  return policy === null ? MPOL.DEFAULT : policy.mode.uapi | policy.flags;
}

/** The mask that get_mempolicy stores. */
export function reportedNodes(policy: Mempolicy | null): Nodemask {
  if (policy === null) return NO_NODES;
  return policy.keepsUserMask ? policy.context : policy.nodes;
}

/** In the words of numa_maps. Source: mpol_to_str(). */
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
  return `${mode.label}${flagText}${nodeText}`;
}
