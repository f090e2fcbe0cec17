/**
 * What bytes are read as: arrays of the kind that was replicated, over bytes of any memory.
 */

import { types } from 'node:util';

/** Kinds of arrays that readers get; what is no array, or of another kind, comes as bytes. */
export interface ReplicaArrays {
  Int8Array: Int8Array;
  Uint8Array: Uint8Array;
  Uint8ClampedArray: Uint8ClampedArray;
  Int16Array: Int16Array;
  Uint16Array: Uint16Array;
  Int32Array: Int32Array;
  Uint32Array: Uint32Array;
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  BigInt64Array: BigInt64Array;
  BigUint64Array: BigUint64Array;
}

export type ReplicaArrayName = keyof ReplicaArrays;

/** What readers of a source get. */
export type ReplicaArray<Source> = Source extends { readonly [Symbol.toStringTag]: infer Name }
  ? Name extends ReplicaArrayName
    ? ReplicaArrays[Name]
    : Uint8Array
  : Uint8Array;

type ArrayType<T> = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offsetBytes: number, length: number): T;
};

const TYPES: { readonly [Name in ReplicaArrayName]: ArrayType<ReplicaArrays[Name]> } = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

const nameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** @internal The engine's own word: what scripts put on an object does not count. */
export function arrayNameOf(source: unknown): ReplicaArrayName {
  const name = types.isTypedArray(source) ? nameOf.call(source) : undefined;
  return isArrayName(name) ? name : 'Uint8Array';
}

/** @internal */
export function isArrayName(name: unknown): name is ReplicaArrayName {
  return typeof name === 'string' && Object.hasOwn(TYPES, name);
}

/** @internal Whether bytes of that length are whole elements. */
export function fitsArray(name: ReplicaArrayName, lengthBytes: number): boolean {
  return lengthBytes % TYPES[name].BYTES_PER_ELEMENT === 0;
}

/** @internal */
export function asArray<T>(name: ReplicaArrayName, bytes: Uint8Array): T {
  const { buffer, byteOffset, byteLength } = bytes;
  const type = TYPES[name];
  return new type(buffer, byteOffset, byteLength / type.BYTES_PER_ELEMENT) as T;
}
