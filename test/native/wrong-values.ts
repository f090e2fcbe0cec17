/** What no call of the addon asks for, or asks for elsewhere. */

import type { Mapping } from '../../lib/backend/mapping.ts';

export function detachedWords(): BigUint64Array {
  const words = new BigUint64Array(4);
  structuredClone(words, { transfer: [words.buffer] });
  return words;
}

/** Values of every kind; some of them look like a mapping, or are made from one. */
export function wrongValues(mapping: Mapping): readonly unknown[] {
  const { handle, address, lengthBytes } = mapping;
  return [
    ...[undefined, null, true, '', 'x'.repeat(100_000), Symbol('x'), () => 0, {}, new Date()],
    ...[Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 53 - 1, 2 ** 31],
    ...[-1n, 2n ** 64n, 2n ** 64n - 1n, 0n],
    ...[{ handle, address, lengthBytes }, Object.create(mapping), new Proxy(mapping, {})],
    ...[[], [Number.NaN], [-1], ['0'], new Array(10)],
    ...[new BigUint64Array(0), detachedWords(), new Int32Array(1), new Float64Array(8)],
    ...[new DataView(new ArrayBuffer(8)), new ArrayBuffer(8)],
    ...[shrunk(BigUint64Array), shrunk(Int32Array), shrunk(Uint8Array), revoked({}), revoked([])],
    ...[new Int32Array(new SharedArrayBuffer(64)), new BigUint64Array(new SharedArrayBuffer(64))],
    ...[new Uint8Array(new SharedArrayBuffer(64)), Object.create(null), globalThis],
  ];
}

/** A view of four elements whose buffer has become too short for it. */
function shrunk<View>(
  Kind: new (buffer: ArrayBuffer, offset: number, length: number) => View,
): View {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void };
  const buffer = new Resizable(64, { maxByteLength: 64 });
  const view = new Kind(buffer, 0, 4);
  buffer.resize(1);
  return view;
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/**
 * Values that run `act` as soon as JavaScript looks into them.
 * @param act may release a mapping, or end the thread
 */
export function actingValues(act: () => void): readonly unknown[] {
  const trap = () => {
    act();
    return undefined;
  };
  const handler = new Proxy({}, { get: () => trap });
  const array = [0, 0, 0];
  Object.defineProperty(array, 1, { get: trap });
  const primitive = { [Symbol.toPrimitive]: trap, valueOf: trap, toString: trap };
  const accessors = { ...primitive };
  for (const name of ['length', 'handle', 'address', 'lengthBytes', 'id', 'generation', '0']) {
    Object.defineProperty(accessors, name, { get: trap, enumerable: true });
  }
  return [
    ...[array, primitive, accessors, new Proxy({}, handler), new Proxy([0, 1], handler)],
    ...[new Proxy(new Int32Array(8), handler), new Proxy(() => 0, handler)],
  ];
}
