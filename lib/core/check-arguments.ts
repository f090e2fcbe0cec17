/**
 * The checks that public functions make on plain arguments before any system call.
 */

import { invalidArgumentType, invalidArgumentValue, outOfRange } from './argument-errors.ts';

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

/**
 * An options object, or `{}` when absent. A member that the function does not know is refused:
 * it would be an argument silently ignored.
 */
export function checkOptions<T extends object>(
  value: T | undefined,
  argument: string,
  known: readonly (keyof T & string)[],
): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgumentType(argument, 'an object', value);
  }
  for (const name of Object.keys(value)) {
    if (!known.some((member) => member === name)) {
      const members = known.join(', ');
      throw invalidArgumentValue(`${argument}.${name}`, `is not known; known are ${members}`, name);
    }
  }
  return value;
}

/** `true`, `false` or absent (`false`). */
export function checkBoolean(value: unknown, argument: string): boolean {
  if (value === undefined) return false;
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

/** An AbortSignal, or absent. */
export function checkSignal(value: unknown, argument: string): AbortSignal | undefined {
  if (value === undefined) return undefined;
  if (!(value instanceof AbortSignal)) {
    throw invalidArgumentType(argument, 'an AbortSignal', value);
  }
  return value;
}
