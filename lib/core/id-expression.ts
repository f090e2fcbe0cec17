/**
 * Lists of nodes and of CPUs as people write them, before a machine gives them a meaning: "0-2,5",
 * "all", "!0", "+0-1".
 *
 * Source: numa_parse_nodestring and numa_parse_cpustring of numa(3), whose forms these are. Two
 * differences on purpose: "!" complements within the allowed ids themselves, where libnuma counts
 * up to their number and so goes wrong for sparse ids, and an impossible list is an error, never
 * the empty set.
 */

import { invalidArgumentValue, outOfRange } from './argument-errors.ts';
import { type DeviceName, parseDevice } from './device-expression.ts';
import { formatIdList, parseIdList } from './id-list.ts';
import { CPU_ID_MAX, NODE_ID_MAX } from './uapi.ts';

/** What the ids of a set are those of. */
export interface IdKind {
  /** In errors: `node`, `CPU`. */
  readonly noun: string;
  /** Name of an argument that is one of them; in the plural one that is several. */
  readonly argument: string;
  readonly idMax: number;
}

export const NODE_IDS: IdKind = { noun: 'node', argument: 'node', idMax: NODE_ID_MAX };
export const CPU_IDS: IdKind = { noun: 'CPU', argument: 'cpu', idMax: CPU_ID_MAX };

/** A parsed expression; plain data. */
export interface IdExpression {
  readonly kind: IdKind;
  readonly text: string;
  /** In the place of numbers, of nodes only. */
  readonly device: DeviceName | null;
  readonly isAll: boolean;
  readonly isInverted: boolean;
  readonly isRelative: boolean;
  readonly ids: readonly number[];
}

/** Whether an expression means something only on a machine. */
export function needsMachine(expression: IdExpression): boolean {
  const { isAll, isInverted, isRelative, device } = expression;
  return isAll || isInverted || isRelative || device !== null;
}

/** What gives an expression its meaning; ascending numbers. */
export interface IdContext {
  allowed?: readonly number[];
  online?: readonly number[];
  /** The node that a device is near to. */
  nodeOfDevice?: (device: DeviceName, argument: string) => number;
}

/** Checks the syntax. @throws TypeError ERR_INVALID_ARG_VALUE */
export function parseIdExpression(
  text: string,
  kind: IdKind,
  argument: string = `${kind.argument}s`,
): IdExpression {
  const match = /^(!?)(\+?)(.*)$/s.exec(text.trim());
  const [, bang, plus, list] = match as unknown as [string, string, string, string];
  const isInverted = bang === '!';
  const isRelative = plus === '+';
  if (list === 'all') {
    if (isRelative) throw invalidArgumentValue(argument, 'cannot have "+" before "all"', text);
    return { kind, text, device: null, isAll: true, isInverted, isRelative, ids: [] };
  }
  const device = kind === NODE_IDS ? parseDevice(list, argument) : null;
  if (device !== null) {
    if (!isRelative) return { kind, text, device, isAll: false, isInverted, isRelative, ids: [] };
    throw invalidArgumentValue(argument, 'cannot have "+" before a device', text);
  }
  if (list === '' && (isInverted || isRelative)) {
    throw invalidArgumentValue(argument, `needs a ${kind.noun} list after "${bang}${plus}"`, text);
  }
  const ids = parseIdList(list, argument, kind.idMax, text);
  return { kind, text, device: null, isAll: false, isInverted, isRelative, ids };
}

/**
 * The numbers that an expression stands for, ascending.
 * @throws RangeError ERR_OUT_OF_RANGE for an ordinal or a number that the context does not have
 */
export function resolveIdExpression(
  expression: IdExpression,
  context: IdContext,
  argument: string = `${expression.kind.argument}s`,
): number[] {
  const named = namedIds(expression, context, argument);
  if (!expression.isInverted) return named;
  return allowedOf(expression, context, argument).filter((id) => !named.includes(id));
}

function namedIds(expression: IdExpression, context: IdContext, argument: string): number[] {
  const { noun } = expression.kind;
  if (expression.device !== null)
    return [nodeNear(expression.device, expression, context, argument)];
  if (expression.isAll) return [...allowedOf(expression, context, argument)];
  if (expression.isRelative) {
    const allowed = allowedOf(expression, context, argument);
    return expression.ids.map((ordinal) => {
      const id = allowed[ordinal];
      if (id !== undefined) return id;
      const list = formatIdList(allowed);
      const rule = `"+" counts within the ${allowed.length} allowed ${noun}s (${list})`;
      throw outOfRange(argument, rule, expression.text);
    });
  }
  const { online } = context;
  const unknown = online === undefined ? [] : expression.ids.filter((id) => !online.includes(id));
  if (unknown.length > 0) {
    const list = formatIdList(online ?? []);
    const rule = `${noun} ${formatIdList(unknown)} is not online (online: ${list})`;
    throw outOfRange(argument, rule, expression.text);
  }
  return [...expression.ids];
}

function nodeNear(
  device: DeviceName,
  { text }: IdExpression,
  { nodeOfDevice }: IdContext,
  argument: string,
): number {
  if (nodeOfDevice !== undefined) return nodeOfDevice(device, argument);
  throw invalidArgumentValue(argument, 'names a device: let a Numa resolve it', text);
}

function allowedOf(
  expression: IdExpression,
  context: IdContext,
  argument: string,
): readonly number[] {
  if (context.allowed === undefined) {
    const allowed = `the allowed ${expression.kind.noun}s of a machine`;
    const rule = `needs ${allowed}: pass { allowed } or let a Numa resolve it`;
    throw invalidArgumentValue(argument, rule, expression.text);
  }
  return context.allowed;
}
