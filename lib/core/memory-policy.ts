/**
 * A memory policy as a value: mode, nodes and mode flags. A policy keeps the node *expression*
 * ("all", "!0", "+0-1"); the Numa that applies it resolves it against its allowed nodes.
 *
 * Source: set_mempolicy(2); mm/mempolicy.c, mpol_new() for which mode takes which nodes.
 */

import { invalidArgumentType, invalidArgumentValue, outOfRange } from './argument-errors.ts';
import { checkArray, checkOptions, checkWord } from './check-arguments.ts';
import { NODE_IDS, needsMachine, parseIdExpression } from './id-expression.ts';
import { inspectAs } from './inspect.ts';
import { isNodeMask, maskOfItems, type NodeExpression, NodeMask } from './node-mask.ts';
import {
  POLICY_MODE_NAMES,
  POLICY_MODES,
  type PolicyMode,
  type PolicyModeRow,
} from './policy-modes.ts';
import { MPOL_MODE_FLAG } from './uapi.ts';

/** The kernel's mode flags, `MPOL_F_*`. */
export type PolicyFlag = 'static-nodes' | 'relative-nodes' | 'numa-balancing';

export interface PolicyOptions {
  /**
   * `static-nodes`: the nodes mean these very nodes, whatever the cpuset does; `relative-nodes`:
   * they are ordinals within the cpuset's nodes; `numa-balancing`: automatic balancing may still
   * move the pages (bind; on kernels since 6.10 also preferred-many).
   */
  readonly flags?: readonly PolicyFlag[];
}

/** Of policies whose nodes are looked through from one of them outwards. */
export interface HomeNodePolicyOptions extends PolicyOptions {
  /**
   * The one node from which free memory is looked for, nearest of the policy's nodes first, in
   * place of the node of the CPU that touches the page. Any online node, of the policy or not. For
   * policies of ranges only, and the kernel does not tell it again: a policy that is read back has
   * none. Kernels since 5.17.
   */
  readonly homeNode?: NodeExpression;
}

const FLAGS: Readonly<Record<PolicyFlag, number>> = {
  'static-nodes': MPOL_MODE_FLAG.STATIC_NODES,
  'relative-nodes': MPOL_MODE_FLAG.RELATIVE_NODES,
  'numa-balancing': MPOL_MODE_FLAG.NUMA_BALANCING,
};

const FLAG_NAMES = Object.keys(FLAGS) as PolicyFlag[];

/** Whether it is one itself, and no object that only inherits from one. */
let isPolicy: (value: unknown) => value is MemoryPolicy;

/** A policy. Immutable; made by `bind()`, `preferred()` and the other functions of this file. */
export class MemoryPolicy {
  static {
    isPolicy = (value): value is MemoryPolicy =>
      typeof value === 'object' && value !== null && #row in value;
  }

  readonly mode: PolicyMode;
  /** The nodes, or the text of an expression that needs a machine to have a meaning. */
  readonly nodes: NodeMask | string;
  readonly flags: readonly PolicyFlag[];
  /** One node, or the text of an expression; `undefined` where none was given or it is unknown. */
  readonly homeNode: NodeMask | string | undefined;
  readonly #row: PolicyModeRow;

  /** @internal Use `bind()` and its siblings. */
  constructor(
    mode: PolicyMode,
    nodes: NodeMask | string,
    flags: readonly PolicyFlag[],
    homeNode?: NodeMask | string,
  ) {
    this.mode = checkWord(mode, 'mode', POLICY_MODE_NAMES);
    this.nodes = checkKept(nodes, 'nodes');
    const words = checkArray(flags, 'flags');
    this.flags = Object.freeze(words.map((flag) => checkWord(flag, 'flags', FLAG_NAMES)));
    this.homeNode = homeNode === undefined ? undefined : checkKept(homeNode, 'homeNode');
    this.#row = POLICY_MODES[mode];
    Object.freeze(this);
  }

  /**
   * As /proc/PID/numa_maps prints it: `bind:0-1`, `interleave=static:0-3`, `local`. A home node,
   * which the kernel never prints, comes last: `bind:0-1 from 1`.
   */
  toString(): string {
    const flags = this.flags.map((flag) => flag.replace(/^numa-|-nodes$/g, '')).join('|');
    const nodes = this.#row.nodeCount === 'none' ? '' : `:${this.nodes}`;
    const home = this.homeNode === undefined ? '' : ` from ${this.homeNode}`;
    return `${this.#row.label}${flags === '' ? '' : `=${flags}`}${nodes}${home}`;
  }
}

inspectAs(MemoryPolicy, (policy) => `MemoryPolicy(${policy})`);

/** No policy of its own: a range follows its thread, a thread the system's default. */
export function defaultPolicy(): MemoryPolicy {
  return new MemoryPolicy('default', NodeMask.empty, []);
}

/** Pages go to the node of the CPU that touches them first. */
export function local(): MemoryPolicy {
  return new MemoryPolicy('local', NodeMask.empty, []);
}

/** Pages go to these nodes only, nearest first; when they are full the process is out of memory. */
export function bind(nodes: NodeExpression, options?: HomeNodePolicyOptions): MemoryPolicy {
  return createPolicy('bind', nodes, options);
}

/** Pages go to this node, and to others when it is full. */
export function preferred(node: NodeExpression, options?: PolicyOptions): MemoryPolicy {
  return createPolicy('preferred', node, options);
}

/** Pages go to these nodes, and to others when they are full. Kernels since 5.15. */
export function preferredMany(
  nodes: NodeExpression,
  options?: HomeNodePolicyOptions,
): MemoryPolicy {
  return createPolicy('preferred-many', nodes, options);
}

/** Pages go to these nodes in turn, by their place in the mapping. */
export function interleave(nodes: NodeExpression, options?: PolicyOptions): MemoryPolicy {
  return createPolicy('interleave', nodes, options);
}

/** As interleave, with the system's weight for each node. Kernels since 6.9. */
export function weightedInterleave(nodes: NodeExpression, options?: PolicyOptions): MemoryPolicy {
  return createPolicy('weighted-interleave', nodes, options);
}

/** @internal Checks that a caller's value is a policy. */
export function checkPolicy(value: unknown, argument: string): MemoryPolicy {
  if (isPolicy(value)) return value;
  const rule = 'a memory policy: bind(), preferred(), interleave(), local() or one of their kind';
  throw invalidArgumentType(argument, rule, value);
}

/** @internal A mode takes no node, exactly one, or at least one. */
export function checkNodeCount(mode: PolicyMode, nodes: NodeMask, expression: unknown): void {
  const { nodeCount } = POLICY_MODES[mode];
  if (nodeCount !== 'none' && nodes.isEmpty) {
    throw invalidArgumentValue('nodes', `must name at least one node for ${mode}`, expression);
  }
  if (nodeCount === 'one' && nodes.size > 1) {
    const rule = 'must name one node for preferred; preferredMany() takes several';
    throw invalidArgumentValue('nodes', rule, `${nodes}`);
  }
}

/** @internal The kernel's mode word. */
export function modeWord(policy: MemoryPolicy): number {
  return policy.flags.reduce((word, flag) => word | FLAGS[flag], POLICY_MODES[policy.mode].uapi);
}

/** @internal The policy that get_mempolicy reported; `undefined` for a mode that we do not know. */
export function policyOfModeWord(word: number, nodes: NodeMask): MemoryPolicy | undefined {
  const flags = FLAG_NAMES.filter((flag) => (word & FLAGS[flag]) !== 0);
  const base = flags.reduce((rest, flag) => rest & ~FLAGS[flag], word);
  const mode = POLICY_MODE_NAMES.find((name) => POLICY_MODES[name].uapi === base);
  return mode === undefined ? undefined : new MemoryPolicy(mode, nodes, flags);
}

/** @internal Node lists that mean the same on every machine become masks, the others stay text. */
export function nodesOrExpression(
  nodes: NodeExpression | undefined,
  argument: string,
): NodeMask | string {
  const rule = 'a node number, a node list, a NodeMask or an iterable of node numbers';
  if (typeof nodes === 'number') return NodeMask.from([nodes], argument);
  if (typeof nodes !== 'string') return maskOfItems(nodes, argument, rule);
  const parsed = parseIdExpression(nodes, NODE_IDS, argument);
  return needsMachine(parsed) ? nodes : NodeMask.from(parsed.ids);
}

/** @internal A policy of any mode that has nodes. */
export function createPolicy(
  mode: PolicyMode,
  nodes: NodeExpression,
  options: HomeNodePolicyOptions | undefined,
): MemoryPolicy {
  const { takesHomeNode } = POLICY_MODES[mode];
  const optionNames = takesHomeNode ? (['flags', 'homeNode'] as const) : (['flags'] as const);
  const { flags = [], homeNode } = checkOptions(options, 'options', optionNames);
  const words = checkArray(flags, 'options.flags');
  const distinct = new Set(words.map((flag) => checkWord(flag, 'options.flags', FLAG_NAMES)));
  if (distinct.has('static-nodes') && distinct.has('relative-nodes')) {
    const rule = 'cannot have both static-nodes and relative-nodes';
    throw invalidArgumentValue('options.flags', rule, [...distinct].join(', '));
  }
  const kept = nodesOrExpression(nodes, 'nodes');
  if (isNodeMask(kept)) checkNodeCount(mode, kept, nodes);
  // In the kernel's order: a policy that is read back equals the one that was set.
  const ordered = FLAG_NAMES.filter((flag) => distinct.has(flag));
  if (homeNode === undefined) return new MemoryPolicy(mode, kept, ordered);
  return new MemoryPolicy(mode, kept, ordered, checkHomeNode(homeNode));
}

function checkHomeNode(homeNode: NodeExpression): NodeMask | string {
  const kept = nodesOrExpression(homeNode, 'options.homeNode');
  if (isNodeMask(kept) && kept.size !== 1) {
    throw outOfRange('options.homeNode', 'it must name exactly one node', `${kept}`);
  }
  return kept;
}

function checkKept(nodes: unknown, argument: string): NodeMask | string {
  if (typeof nodes === 'string' || isNodeMask(nodes)) return nodes;
  throw invalidArgumentType(argument, 'a NodeMask or a node list', nodes);
}
