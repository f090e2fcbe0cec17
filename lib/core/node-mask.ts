/**
 * An immutable set of node numbers, and its text form as the kernel prints it ("0-2,5").
 *
 * Named after nodemask_t (include/linux/nodemask.h). The text forms that depend on a machine
 * ("all", "!0", "+0-1") are read by node-expression.ts.
 */

import { invalidArgumentType } from './argument-errors.ts';
import { checkInteger, checkItems, checkOptions } from './check-arguments.ts';
import { formatIdList } from './id-list.ts';
import { inspectAs } from './inspect.ts';
import { type NodeContext, parseNodeExpression, resolveNodeExpression } from './node-expression.ts';
import { NODE_ID_MAX } from './uapi.ts';

/** Number of a memory node: 0 to 1023, the kernel's `nid`. */
export type NodeId = number;

/** What every function that takes nodes accepts. */
export type NodeExpression = number | string | NodeMask | Iterable<number>;

const ITERABLE_RULE = 'an iterable of node numbers; NodeMask.of(1) takes numbers, parse() text';

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isNodeMask: (value: unknown) => value is NodeMask;

/** @internal The set of an iterable's node numbers; an error says by `rule` what was wanted. */
export let maskOfItems: (nodes: unknown, argument: string, rule: string) => NodeMask;

export class NodeMask implements Iterable<NodeId> {
  static {
    isNodeMask = (value): value is NodeMask =>
      typeof value === 'object' && value !== null && #nodes in value;
    maskOfItems = (nodes, argument, rule) => {
      if (isNodeMask(nodes)) return nodes;
      const distinct = new Set<NodeId>();
      for (const node of checkItems(nodes, argument, rule)) {
        distinct.add(checkInteger(node, argument, 0, NODE_ID_MAX));
      }
      return new NodeMask([...distinct].sort((a, b) => a - b));
    };
  }

  /** The set without nodes. */
  static readonly empty: NodeMask = new NodeMask([]);

  readonly #nodes: readonly NodeId[];

  private constructor(ascending: readonly NodeId[]) {
    this.#nodes = ascending;
  }

  /**
   * The set of the given node numbers; order and repetition do not matter.
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE for what is no node number
   */
  static of(...nodes: number[]): NodeMask {
    return NodeMask.from(nodes);
  }

  /** The set of an iterable's node numbers; errors name `argument`. @throws as `of` */
  static from(nodes: Iterable<number>, argument = 'nodes'): NodeMask {
    return maskOfItems(nodes, argument, ITERABLE_RULE);
  }

  /**
   * Reads a node list: `0-2,5`, the empty text for no node, and with a context also `all` (the
   * allowed nodes), `!LIST` (the allowed nodes that are not in LIST) and `+LIST` (ordinals within
   * the allowed nodes; `!+LIST` for both).
   * @param context.allowed nodes that `all`, `!` and `+` refer to; default `context.online`
   * @param context.online nodes that a plain number may name; default any
   * @throws TypeError ERR_INVALID_ARG_VALUE with the position for text that is no node list,
   *   RangeError ERR_OUT_OF_RANGE for a node that is not online
   */
  static parse(text: string, context: { allowed?: NodeMask; online?: NodeMask } = {}): NodeMask {
    if (typeof text !== 'string') throw invalidArgumentType('text', 'a string', text);
    const { allowed, online } = checkOptions(context, 'context', ['allowed', 'online']);
    const plain: NodeContext = {};
    const referred = allowed ?? online;
    if (referred !== undefined) plain.allowed = checkMask(referred, 'context.allowed').toArray();
    if (online !== undefined) plain.online = checkMask(online, 'context.online').toArray();
    return new NodeMask(resolveNodeExpression(parseNodeExpression(text), plain));
  }

  /** Number of nodes in the set. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Whether the set has no node. */
  get isEmpty(): boolean {
    return this.#nodes.length === 0;
  }

  /** Lowest node number, `undefined` for the empty set. */
  get first(): NodeId | undefined {
    return this.#nodes[0];
  }

  /** Whether the set has the node; a number that no node can have is in no set. */
  has(node: number): boolean {
    if (typeof node !== 'number') throw invalidArgumentType('node', 'a number', node);
    return this.#nodes.includes(node);
  }

  /** Nodes in this set or the other. */
  union(other: NodeMask): NodeMask {
    return NodeMask.from([...this.#nodes, ...checkMask(other)]);
  }

  /** Nodes in this set and the other. */
  intersection(other: NodeMask): NodeMask {
    checkMask(other);
    return new NodeMask(this.#nodes.filter((node) => other.has(node)));
  }

  /** Nodes in this set and not in the other. */
  difference(other: NodeMask): NodeMask {
    checkMask(other);
    return new NodeMask(this.#nodes.filter((node) => !other.has(node)));
  }

  /** Nodes in exactly one of the two sets. */
  symmetricDifference(other: NodeMask): NodeMask {
    return this.union(other).difference(this.intersection(other));
  }

  isSubsetOf(other: NodeMask): boolean {
    checkMask(other);
    return this.#nodes.every((node) => other.has(node));
  }

  equals(other: NodeMask): boolean {
    return this.size === checkMask(other).size && this.isSubsetOf(other);
  }

  toArray(): NodeId[] {
    return [...this.#nodes];
  }

  [Symbol.iterator](): IterableIterator<NodeId> {
    return this.#nodes[Symbol.iterator]();
  }

  /** `0-2,5`; the empty text for the empty set. */
  toString(): string {
    return formatIdList(this.#nodes);
  }

  /** The same text: a mask in JSON is a node list. */
  toJSON(): string {
    return this.toString();
  }
}

inspectAs(NodeMask, (mask) => `NodeMask(${mask})`);

function checkMask(value: NodeMask, argument = 'other'): NodeMask {
  if (!isNodeMask(value)) throw invalidArgumentType(argument, 'a NodeMask', value);
  return value;
}
