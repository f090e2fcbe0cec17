/** Checks of plain arguments: what passes comes back as it was, the rest is a typed error. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkBoolean,
  checkCallback,
  checkInteger,
  checkOptions,
  checkSignal,
  checkWord,
} from '../../lib/core/check-arguments.ts';
import { thrownBy } from './thrown.ts';

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';

function never(): void {}

/** Check, wrong value, code, and what the message must say. */
const REFUSALS: readonly (readonly [string, () => unknown, string, RegExp])[] = [
  ['text as number', () => checkInteger('1', 'n', 0), TYPE, /"n" argument must be a number/],
  ['bigint as number', () => checkInteger(1n, 'n', 0), TYPE, /received 1n/],
  ['NaN', () => checkInteger(Number.NaN, 'n', 0), RANGE, /integer, at least 0; received NaN/],
  ['infinity', () => checkInteger(Number.POSITIVE_INFINITY, 'n', 0), RANGE, /Infinity/],
  ['fraction', () => checkInteger(1.5, 'n', 0), RANGE, /received 1.5/],
  ['negative', () => checkInteger(-1, 'n', 0), RANGE, /at least 0; received -1/],
  ['too large', () => checkInteger(8, 'n', 0, 7), RANGE, /from 0 to 7/],
  ['unsafe', () => checkInteger(2 ** 53, 'n', 0), RANGE, /9007199254740992/],
  ['null options', () => checkOptions(null as never, 'o', []), TYPE, /"o" .* an object/],
  ['array options', () => checkOptions([] as never, 'o', []), TYPE, /an array of 0/],
  ['number options', () => checkOptions(7 as never, 'o', []), TYPE, /received 7/],
  ['function options', () => checkOptions(never as never, 'o', []), TYPE, /function never/],
  ['unknown member', () => checkOptions({ b: 1 } as never, 'o', ['a' as never]), VALUE, /"o\.b"/],
  ['null as boolean', () => checkBoolean(null, 'b'), TYPE, /a boolean; received null/],
  ['0 as boolean', () => checkBoolean(0, 'b'), TYPE, /received 0/],
  ['text as boolean', () => checkBoolean('false', 'b'), TYPE, /"false"/],
  ['no word', () => checkWord(undefined, 'w', ['own', 'all']), TYPE, /a string/],
  ['other word', () => checkWord('any', 'w', ['own', 'all']), VALUE, /one of own, all/],
  ['inherited word', () => checkWord('constructor', 'w', ['own']), VALUE, /one of own/],
  ['object as function', () => checkCallback({} as never, 'f'), TYPE, /a function/],
  ['null as function', () => checkCallback(null as never, 'f'), TYPE, /a function/],
  ['controller as signal', () => checkSignal(new AbortController(), 's'), TYPE, /AbortSignal/],
  ['lookalike signal', () => checkSignal({ aborted: false }, 's'), TYPE, /an AbortSignal/],
  ['null as signal', () => checkSignal(null, 's'), TYPE, /an AbortSignal/],
];

describe('a wrong argument', () => {
  test.each(REFUSALS)('%s: the error names it and the rule', (_, check, code, message) => {
    const thrown = thrownBy(check);
    expect(thrown.code).toBe(code);
    expect(thrown.name).toBe(code === RANGE ? 'RangeError' : 'TypeError');
    expect(thrown.message).toMatch(message);
  });
});

describe('a right argument', () => {
  test('is given back as it was', () => {
    const { signal } = new AbortController();
    const options = { a: 1 };
    expect(checkOptions(options, 'o', ['a'])).toEqual(options);
    expect(checkBoolean(true, 'b')).toBe(true);
    expect(checkWord('all', 'w', ['own', 'all'])).toBe('all');
    expect(checkCallback(never, 'f')).toBe(never);
    expect(checkSignal(signal, 's')).toBe(signal);
  });

  test('may be absent where it has a default', () => {
    expect(checkOptions(undefined, 'o', [])).toEqual({});
    expect(checkBoolean(undefined, 'b')).toBe(false);
    expect(checkCallback(undefined, 'f')).toBeUndefined();
    expect(checkSignal(undefined, 's')).toBeUndefined();
  });

  test('is an integer exactly when it is one within the limits', () => {
    fc.assert(
      fc.property(fc.double(), fc.maxSafeInteger(), fc.maxSafeInteger(), (any, a, b) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        for (const value of [any, a, b, min - 1, max + 1]) {
          const isRight = Number.isSafeInteger(value) && value >= min && value <= max;
          const check = () => checkInteger(value, 'n', min, max);
          if (isRight) expect(check()).toBe(value);
          else expect(thrownBy(check).code).toBe(RANGE);
        }
      }),
    );
  });
});
