/**
 * What cannot be passed to a kernel at all, told alike by every backend: the wrong JavaScript type,
 * a number that does not fit its C type, an array that is shorter than the call says. What the
 * kernel refuses itself passes. Members of a request are read once; errors name them alone, as the
 * manual pages do.
 */

import { invalidArgumentType } from './argument-errors.ts';
import {
  checkAddress,
  checkFlag,
  checkInteger,
  checkWord,
  readMembers,
} from './check-arguments.ts';

/** Gives the value back as it is used from then on. @throws TypeError, RangeError */
export type Check<T> = (value: unknown, argument: string) => T;

type Checks<T> = { readonly [Name in keyof T]-?: Check<T[Name]> };

/** An unsigned long that a number can hold. */
export const size: Check<number> = (value, argument) => checkInteger(value, argument, 0);

/** An int, or the same 32 bits as an unsigned one. */
export const bits32: Check<number> = (value, argument) =>
  checkInteger(value, argument, -(2 ** 31), 2 ** 32 - 1) | 0;

/** An unsigned long, as a number or as a bigint. */
export const longSize: Check<number | bigint> = (value, argument) =>
  typeof value === 'bigint' ? checkAddress(value, argument) : size(value, argument);

/** Whatever a C type would be cut from. */
export const whole: Check<number> = (value, argument) =>
  checkInteger(value, argument, Number.MIN_SAFE_INTEGER);

export const text: Check<string> = (value, argument) => {
  if (typeof value === 'string') return value;
  throw invalidArgumentType(argument, 'a string', value);
};

export const boolean: Check<boolean> = checkFlag;

/** One of some words. */
export const word =
  <W extends string>(...words: readonly W[]): Check<W> =>
  (value, argument) =>
    checkWord(value, argument, words);

/** What may be left out. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, argument) =>
    value === undefined ? undefined : check(value, argument);

/** What may be the NULL pointer. */
export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value, argument) =>
    value === null ? null : check(value, argument);

/** By the check in front where the value is of its kind, else by the other. */
export const either =
  <A, B>(isFirst: (value: unknown) => boolean, first: Check<A>, other: Check<B>): Check<A | B> =>
  (value, argument) =>
    isFirst(value) ? first(value, argument) : other(value, argument);

/** An object whose members are each checked; those that are undefined are left out. */
export const members =
  <T extends object>(checks: Checks<T>, rule?: string): Check<T> =>
  (value, argument) =>
    checkMembers(value, { argument, rule, prefix: `${argument}.` }, checks);

/** The same for the only argument of a call, whose members are the call's own arguments. */
export const request =
  <T extends object>(checks: Checks<T>): Check<T> =>
  (value, argument) =>
    checkMembers(value, { argument, rule: undefined, prefix: '' }, checks);

function checkMembers<T extends object>(
  value: unknown,
  told: { readonly argument: string; readonly rule: string | undefined; readonly prefix: string },
  checks: Checks<T>,
): T {
  const names = Object.keys(checks) as (keyof T & string)[];
  const given = readMembers<T>(value, told.argument, names, told.rule);
  for (const name of names) {
    const member = checks[name](given[name], `${told.prefix}${name}`);
    if (member !== undefined) given[name] = member;
  }
  return given as T;
}

/** Typed arrays of other realms are as good; a detached one has no elements. */
const getterOf = (name: PropertyKey) =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), name)?.get as (
    this: unknown,
  ) => unknown;
const tagOf = getterOf(Symbol.toStringTag);
const [bufferOf, offsetOf, lengthOf] = ['buffer', 'byteOffset', 'length'].map(getterOf) as [
  (this: unknown) => ArrayBufferLike,
  (this: unknown) => number,
  (this: unknown) => number,
];

export function isBigUint64Array(value: unknown): value is BigUint64Array {
  return tagOf.call(value) === 'BigUint64Array';
}

export function isInt32Array(value: unknown): value is Int32Array {
  return tagOf.call(value) === 'Int32Array';
}

/** The same elements without members of the caller's own, a `length` say. */
function plainView<T>(
  value: T,
  type: new (buffer: ArrayBufferLike, offset: number, length: number) => T,
): T {
  const length = lengthOf.call(value);
  const buffer = length === 0 ? new ArrayBuffer(0) : bufferOf.call(value);
  return new type(buffer, length === 0 ? 0 : offsetOf.call(value), length);
}

export const words64: Check<BigUint64Array> = (value, argument) => {
  if (isBigUint64Array(value)) return plainView(value, BigUint64Array);
  throw invalidArgumentType(argument, 'a BigUint64Array', value);
};

export const ints32: Check<Int32Array> = (value, argument) => {
  if (isInt32Array(value)) return plainView(value, Int32Array);
  throw invalidArgumentType(argument, 'an Int32Array', value);
};

/** The same array: what it shows is meant, at its own addresses. */
export const view8: Check<Uint8Array> = (value, argument) => {
  if (tagOf.call(value) === 'Uint8Array') return plainView(value as Uint8Array, Uint8Array);
  throw invalidArgumentType(argument, 'a Uint8Array', value);
};
