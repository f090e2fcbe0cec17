/**
 * The checks that public functions make on plain arguments before any system call.
 */

import {
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
  unreadable,
} from './argument-errors.ts';

/** Longest list that a caller can mean: more than there are nodes or CPUs. */
export const LIST_LENGTH_MAX: number = 2 ** 16;

/** A safe integer of at least `min` and at most `max`. */
export function checkInteger(
  value: unknown,
  argument: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw invalidArgumentType(argument, 'a number', value);
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    const limit = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`;
    throw outOfRange(argument, `it must be an integer, ${limit}`, value);
  }
  return value;
}

/** What `read` makes of a caller's value; what looking at it throws becomes an argument error. */
export function reading<T>(value: unknown, argument: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unreadable(argument, value, cause);
  }
}

/** A copy of data as JSON has it, which nobody else can change; what is none stays as it is. */
export function plainCopy<T>(value: T, argument: string): T {
  return reading(value, argument, () => structuredClone(value));
}

/** Whether it is one, for any value: proxies may throw where they are asked. */
export function isInstance<T>(
  value: unknown,
  type: abstract new (...args: never) => T,
): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/**
 * The named members of an object, each read once: what it says later, or to another reader, does
 * not count. A member that is undefined is left out.
 */
export function readMembers<T extends object>(
  value: unknown,
  argument: string,
  names: readonly (keyof T & string)[],
  rule = 'an object',
): Partial<T> {
  if (!isPlain(value, argument)) throw invalidArgumentType(argument, rule, value);
  return reading(value, argument, () => {
    // Without a prototype: what scripts have put on Object.prototype is no member.
    const members = Object.create(null) as Partial<T>;
    for (const name of names) {
      const member = (value as T)[name];
      if (member !== undefined) members[name] = member;
    }
    return members;
  });
}

function isPlain(value: unknown, argument: string): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return reading(value, argument, () => !Array.isArray(value));
}

/**
 * The members of an options object, or `{}` when absent. A member that the function does not know
 * is refused: it would be an argument silently ignored.
 */
export function checkOptions<T extends object>(
  value: T | undefined,
  argument: string,
  known: readonly (keyof T & string)[],
): Partial<T> {
  if (value === undefined) return {};
  const members = readMembers<T>(value, argument, known);
  for (const name of reading(value, argument, () => Object.keys(value))) {
    if (!known.some((member) => member === name)) {
      const list = known.join(', ');
      throw invalidArgumentValue(`${argument}.${name}`, `is not known; known are ${list}`, name);
    }
  }
  return members;
}

/** The items of an iterable, which may end late, never, or by throwing. */
export function checkItems(
  value: unknown,
  argument: string,
  rule: string,
  lengthMax: number = LIST_LENGTH_MAX,
): unknown[] {
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(argument, rule, value);
  const items: unknown[] = [];
  const isWhole = reading(value, argument, () => {
    if (typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] !== 'function') return false;
    for (const item of value as Iterable<unknown>) {
      if (items.push(item) > lengthMax) return true;
    }
    return true;
  });
  if (!isWhole) throw invalidArgumentType(argument, rule, value);
  if (items.length <= lengthMax) return items;
  throw outOfRange(argument, `it must have at most ${lengthMax} items`, value);
}

/** The items of an array, read once. */
export function checkArray(value: unknown, argument: string): unknown[] {
  const isArray = reading(value, argument, () => Array.isArray(value));
  if (!isArray) throw invalidArgumentType(argument, 'an array', value);
  return checkItems(value, argument, 'an array');
}

/** A typed array with an element for each page, where this engine can make one as long as that. */
export function newArray<T>(type: new (length: number) => T, length: number, argument: string): T {
  try {
    return new type(length);
  } catch {
    throw outOfRange(argument, 'no array can have so many elements', length);
  }
}

/** A bigint that fits 64 bits. */
export function checkAddress(value: unknown, argument: string): bigint {
  if (typeof value !== 'bigint') throw invalidArgumentType(argument, 'a bigint', value);
  if (BigInt.asUintN(64, value) === value) return value;
  throw outOfRange(argument, 'it must be from 0n to 2n ** 64n - 1n', value);
}

/** `true`, `false` or absent (`false`). */
export function checkBoolean(value: unknown, argument: string): boolean {
  return value === undefined ? false : checkFlag(value, argument);
}

/** `true` or `false`. */
export function checkFlag(value: unknown, argument: string): boolean {
  if (typeof value !== 'boolean') throw invalidArgumentType(argument, 'a boolean', value);
  return value;
}

/** One of a list of words. */
export function checkWord<W extends string>(
  value: unknown,
  argument: string,
  words: readonly W[],
): W {
  if (typeof value !== 'string') throw invalidArgumentType(argument, 'a string', value);
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) {
    throw invalidArgumentValue(argument, `must be one of ${words.join(', ')}`, value);
  }
  return word;
}

/** A function, or absent. */
export function checkCallback<F extends (...args: never[]) => unknown>(
  value: F | undefined,
  argument: string,
): F | undefined {
  if (value !== undefined && typeof value !== 'function') {
    throw invalidArgumentType(argument, 'a function', value);
  }
  return value;
}

/** An AbortSignal, or absent. What only inherits from it has no state to ask for. */
export function checkSignal(value: unknown, argument: string): AbortSignal | undefined {
  if (value === undefined) return undefined;
  if (!isInstance(value, AbortSignal) || !hasState(value)) {
    throw invalidArgumentType(argument, 'an AbortSignal', value);
  }
  return value;
}

const abortedOf = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get;

function hasState(signal: AbortSignal): boolean {
  try {
    return typeof abortedOf?.call(signal) === 'boolean';
  } catch {
    return false;
  }
}

/** What can be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
