/** Numbers by node, as callers write them: `{ 0: 3, 1: 1 }`. */

import { invalidArgumentType, invalidArgumentValue, outOfRange } from './argument-errors.ts';
import { checkInteger, LIST_LENGTH_MAX, reading } from './check-arguments.ts';
import type { NodeId } from './node-mask.ts';
import { NODE_ID_MAX } from './uapi.ts';

/** Numbers by node; members are read once. */
export type NodeNumbers = Readonly<Record<NodeId, number>>;

/** @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; RangeError ERR_OUT_OF_RANGE */
export function checkNodeNumbers(
  value: unknown,
  argument: string,
  range: { readonly min: number; readonly max: number },
): Map<NodeId, number> {
  const rule = 'an object with numbers by node, such as { 0: 3, 1: 1 }';
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(argument, rule, value);
  const entries = reading(value, argument, () =>
    Symbol.iterator in value ? null : Object.entries(value),
  );
  if (entries === null) throw invalidArgumentType(argument, rule, value);
  if (entries.length === 0) throw invalidArgumentValue(argument, 'must name a node', value);
  if (entries.length > LIST_LENGTH_MAX)
    throw outOfRange(argument, 'it has too many members', value);
  const numbers = entries.map(([name, number]) => {
    const node = /^(?:0|[1-9]\d{0,3})$/.test(name) ? Number(name) : Number.NaN;
    if (!(node <= NODE_ID_MAX)) {
      throw invalidArgumentValue(argument, 'has a member that is no node number', name);
    }
    return [node, checkInteger(number, argument, range.min, range.max)] as const;
  });
  return new Map(numbers.sort(([a], [b]) => a - b));
}
