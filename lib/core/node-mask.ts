/**
 * An immutable set of node numbers, and its text form as the kernel prints it ("0-2,5").
 *
 * Named after nodemask_t (include/linux/nodemask.h).
 */

import { NODE_IDS } from './id-expression.ts';
import { IdSet, type IdSetClass, type IdSetContext, idSetOf, parseIdSet } from './id-set.ts';
import { inspectAs } from './inspect.ts';

/** Number of a memory node: 0 to 1023, the kernel's `nid`. */
export type NodeId = number;

/** What every function that takes nodes accepts. */
export type NodeExpression = number | string | NodeMask | Iterable<number>;

const ITERABLE_RULE = 'an iterable of node numbers; NodeMask.of(1) takes numbers, parse() text';

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isNodeMask: (value: unknown) => value is NodeMask;

let nodeMasks: IdSetClass<NodeMask>;

export class NodeMask extends IdSet<NodeMask> {
  static {
    isNodeMask = (value): value is NodeMask =>
      typeof value === 'object' && value !== null && #isNodeMask in value;
    const make = (ascending: readonly number[]): NodeMask => new NodeMask(ascending);
    nodeMasks = { kind: NODE_IDS, name: 'NodeMask', make, isOne: isNodeMask };
  }

  /** The set without nodes. */
  static readonly empty: NodeMask = new NodeMask([]);

  /** The mark of what this class has made. */
  readonly #isNodeMask = true;

  private constructor(ascending: readonly NodeId[]) {
    super(ascending, nodeMasks);
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
  static parse(text: string, context: IdSetContext<NodeMask> = {}): NodeMask {
    return parseIdSet(nodeMasks, text, context);
  }
}

inspectAs(NodeMask, (mask) => `NodeMask(${mask})`);

/** @internal The set of an iterable's node numbers; an error says by `rule` what was wanted. */
export function maskOfItems(nodes: unknown, argument: string, rule: string): NodeMask {
  return idSetOf(nodeMasks, nodes, argument, rule);
}
