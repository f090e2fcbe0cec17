/**
 * Node lists as people write them, before a machine gives them a meaning: "0-2,5", "all", "!0",
 * "+0-1".
 *
 * Source: numa_parse_nodestring of numa(3), whose forms these are. Two differences on purpose:
 * "!" complements within the allowed nodes themselves, where libnuma counts up to their number
 * and so goes wrong for sparse ids, and an impossible list is an error, never the empty set.
 */

import { invalidArgumentValue, outOfRange } from './argument-errors.ts';
import { formatIdList, parseIdList } from './id-list.ts';
import { NODE_ID_MAX } from './uapi.ts';

/** A parsed expression; plain data. */
export interface ParsedNodeExpression {
  readonly text: string;
  readonly isAll: boolean;
  readonly isInverted: boolean;
  readonly isRelative: boolean;
  readonly ids: readonly number[];
}

/** What gives an expression its meaning; ascending node numbers. */
export interface NodeContext {
  allowed?: readonly number[];
  online?: readonly number[];
}

/** Checks the syntax. @throws TypeError ERR_INVALID_ARG_VALUE */
export function parseNodeExpression(text: string, argument = 'nodes'): ParsedNodeExpression {
  const match = /^(!?)(\+?)(.*)$/s.exec(text.trim());
  const [, bang, plus, list] = match as unknown as [string, string, string, string];
  const isInverted = bang === '!';
  const isRelative = plus === '+';
  if (list === 'all') {
    if (isRelative) throw invalidArgumentValue(argument, 'cannot have "+" before "all"', text);
    return { text, isAll: true, isInverted, isRelative, ids: [] };
  }
  if (list === '' && (isInverted || isRelative)) {
    throw invalidArgumentValue(argument, `needs a node list after "${bang}${plus}"`, text);
  }
  const ids = parseIdList(list, argument, NODE_ID_MAX, text);
  return { text, isAll: false, isInverted, isRelative, ids };
}

/**
 * The node numbers that an expression stands for, ascending.
 * @throws RangeError ERR_OUT_OF_RANGE for an ordinal or a node that the context does not have
 */
export function resolveNodeExpression(
  expression: ParsedNodeExpression,
  context: NodeContext,
  argument: string = 'nodes',
): number[] {
  const named = namedNodes(expression, context, argument);
  if (!expression.isInverted) return named;
  return allowedOf(expression, context, argument).filter((node) => !named.includes(node));
}

function namedNodes(
  expression: ParsedNodeExpression,
  context: NodeContext,
  argument: string,
): number[] {
  if (expression.isAll) return [...allowedOf(expression, context, argument)];
  if (expression.isRelative) {
    const allowed = allowedOf(expression, context, argument);
    return expression.ids.map((ordinal) => {
      const node = allowed[ordinal];
      if (node !== undefined) return node;
      const list = formatIdList(allowed);
      const rule = `"+" counts within the ${allowed.length} allowed nodes (${list})`;
      throw outOfRange(argument, rule, expression.text);
    });
  }
  const { online } = context;
  const unknown = online === undefined ? [] : expression.ids.filter((id) => !online.includes(id));
  if (unknown.length > 0) {
    const list = formatIdList(online ?? []);
    const rule = `node ${formatIdList(unknown)} is not online (online: ${list})`;
    throw outOfRange(argument, rule, expression.text);
  }
  return [...expression.ids];
}

function allowedOf(
  expression: ParsedNodeExpression,
  context: NodeContext,
  argument: string,
): readonly number[] {
  if (context.allowed === undefined) {
    const rule = 'needs the allowed nodes of a machine: pass { allowed } or let a Numa resolve it';
    throw invalidArgumentValue(argument, rule, expression.text);
  }
  return context.allowed;
}
