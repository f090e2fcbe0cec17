/** Values that no caller means, each made anew: some of them change when they are looked at. */

import { runInNewContext } from 'node:vm';

/** What hostile accessors throw: no words of the engine. */
export class Thrown extends Error {}

function raise(): never {
  throw new Thrown('looked at');
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function detached(): unknown {
  const words = new BigUint64Array(4);
  structuredClone(words, { transfer: [words.buffer] });
  return words;
}

/** Every way to look at it throws. */
function throwingProxy(): unknown {
  const handler = new Proxy({}, { get: () => raise });
  return new Proxy({}, handler);
}

/** An accessor of every name that somebody may ask for. */
function throwingAccessors(): unknown {
  return new Proxy({}, { get: raise, has: () => true });
}

function* endless(): Generator<number> {
  for (;;) yield 0;
}

function* throwsLate(): Generator<number> {
  yield 0;
  raise();
}

class OddName {
  static readonly name = Symbol('odd') as never;
  readonly member = 1;
}

class ThrowingName {
  static get name(): never {
    return raise();
  }
  readonly member = 1;
}

/** Something else at each look. */
function changing(): unknown {
  let looks = 0;
  const values = [0, -1, '0', 0n, null, {}];
  return new Proxy({}, { get: () => values[looks++ % values.length] });
}

/** Name, and how to make one. */
export const HOSTILE: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  NaN: () => Number.NaN,
  'minus zero': () => -0,
  infinity: () => Number.POSITIVE_INFINITY,
  'minus infinity': () => Number.NEGATIVE_INFINITY,
  'a fraction': () => 0.5,
  'a negative number': () => -1,
  '2 ** 31': () => 2 ** 31,
  '2 ** 53 - 1': () => Number.MAX_SAFE_INTEGER,
  '2 ** 53': () => 2 ** 53,
  'the largest number': () => Number.MAX_VALUE,
  '0n': () => 0n,
  '-1n': () => -1n,
  '2n ** 64n - 1n': () => 2n ** 64n - 1n,
  '2n ** 64n': () => 2n ** 64n,
  'a bigint of 4,000 bits': () => 2n ** 4000n,
  'the empty text': () => '',
  'a number as text': () => '0',
  'controls as text': () => '\u0000\u001b[2J\n\u202e\u009b',
  'a long text': () => 'x'.repeat(10_000),
  'a name of Object.prototype': () => '__proto__',
  'a symbol': () => Symbol('s'),
  'a function': () => () => 0,
  'a function that throws': () => raise,
  'an async function': () => async () => 0,
  'an object': () => ({}),
  'an object with a null prototype': () => Object.create(null),
  'an object with members': () => ({ surprise: 1 }),
  'an array': () => [],
  'an array with holes': () => new Array(3),
  'a long array': () => new Array(2 ** 32 - 1),
  'an array of itself': () => {
    const array: unknown[] = [];
    array.push(array);
    return array;
  },
  'a class with an odd name': () => OddName,
  'of a class with an odd name': () => new OddName(),
  'a class whose name throws': () => ThrowingName,
  'of a class whose name throws': () => new ThrowingName(),
  'a revoked proxy': () => revoked({}),
  'a revoked proxy of an array': () => revoked([]),
  'a revoked proxy of a function': () => revoked(() => 0),
  'a proxy that throws': throwingProxy,
  'accessors that throw': throwingAccessors,
  'accessors that change': changing,
  'a toString that throws': () => ({ toString: raise, valueOf: raise, toJSON: raise }),
  'a primitive that throws': () => ({ [Symbol.toPrimitive]: raise }),
  'an iterator that throws': () => ({ [Symbol.iterator]: raise }),
  'an iterator that throws late': throwsLate,
  'an iterator without end': endless,
  'an iterator of nothing': () => ({ [Symbol.iterator]: () => 0 }),
  'a thenable': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is hostile.
    then: (resolve: (value: number) => void) => resolve(0),
  }),
  'a detached array': detached,
  'an array of 0 elements': () => new Int32Array(0),
  'an array of bytes': () => new Uint8Array(4),
  'a shared array': () => new Int32Array(new SharedArrayBuffer(4)),
  'a shared buffer': () => new SharedArrayBuffer(4),
  'a view': () => new DataView(new ArrayBuffer(8)),
  'an object of another realm': () => runInNewContext('({})'),
  'an array of another realm': () => runInNewContext('[0]'),
  'a typed array of another realm': () => runInNewContext('new BigUint64Array(1)'),
  'a signal that only looks like one': () => ({ aborted: false, addEventListener: () => {} }),
  'a signal without state': () => Object.create(AbortSignal.prototype),
  'a date': () => new Date(Number.NaN),
  'a map': () => new Map([[0, 0]]),
};
