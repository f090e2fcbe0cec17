/**
 * Memory that the engine or others have mapped, as the owner of a range: the buffer behind an
 * array, looked at before each step. It may be detached, transferred, or change its length at any
 * time between two of them; during one it can at most be moved, for it is only moved then.
 */

import { types } from 'node:util';
import type { Access } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { invalidArgumentType } from '../../core/argument-errors.ts';
import { NumaError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import type { Ending } from '../pages/attempt-pages.ts';
import type { PageRange } from '../pages/page-range.ts';
import { layersOf } from '../policy/policy-layers.ts';
import type { RangeOwner } from './range-owner.ts';

/** A WebAssembly.Memory. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/** What `numa.view()` takes. */
export type ViewableMemory = ArrayBufferLike | ArrayBufferView | WasmMemory;

/** Bytes of a buffer. */
export interface ViewedBytes {
  readonly buffer: ArrayBufferLike;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Whose memory they are, where that has a buffer of its own after each growth. */
  readonly wasm: WasmMemory | undefined;
}

const RULE =
  'an ArrayBuffer, a SharedArrayBuffer, a typed array, a DataView or a WebAssembly.Memory';
/** Arrays of all engines can be as long as this. */
const ARRAY_BYTES_MAX = 2 ** 30;

type Getter = (this: unknown) => unknown;

function getterOf(prototype: object | undefined, name: string): Getter | undefined {
  return prototype && Object.getOwnPropertyDescriptor(prototype, name)?.get;
}

/** The engine's own: what scripts put on an object does not count. */
const lengthOfPrivate = getterOf(ArrayBuffer.prototype, 'byteLength') as Getter;
const lengthOfShared = getterOf(SharedArrayBuffer.prototype, 'byteLength') as Getter;
const arrays: object = Object.getPrototypeOf(Uint8Array.prototype);
/** Absent where the engine runs without a compiler. */
const wasm = (globalThis as { WebAssembly?: { Memory: { prototype: object } } }).WebAssembly;
const bufferOfWasm = getterOf(wasm?.Memory.prototype, 'buffer');

/** 0 for one that is detached. */
function byteLengthOf(buffer: ArrayBufferLike): number {
  const getter = types.isSharedArrayBuffer(buffer) ? lengthOfShared : lengthOfPrivate;
  return getter.call(buffer) as number;
}

/** @throws TypeError ERR_INVALID_ARG_TYPE */
export function viewedBytesOf(value: unknown, argument: string): ViewedBytes {
  if (types.isAnyArrayBuffer(value)) return wholeBuffer(value, undefined);
  if (types.isArrayBufferView(value)) {
    const prototype = types.isDataView(value) ? DataView.prototype : arrays;
    const member = (name: string): unknown => (getterOf(prototype, name) as Getter).call(value);
    const buffer = member('buffer') as ArrayBufferLike;
    // Of a DataView these throw where its buffer is detached or too short for it.
    try {
      const offsetBytes = member('byteOffset') as number;
      return { buffer, offsetBytes, lengthBytes: member('byteLength') as number, wasm: undefined };
    } catch {
      return { buffer, offsetBytes: 0, lengthBytes: 0, wasm: undefined };
    }
  }
  const buffer = wasmBufferOf(value);
  if (buffer !== undefined) return wholeBuffer(buffer, value as WasmMemory);
  throw invalidArgumentType(argument, RULE, value);
}

function wholeBuffer(buffer: ArrayBufferLike, memory: WasmMemory | undefined): ViewedBytes {
  return { buffer, offsetBytes: 0, lengthBytes: byteLengthOf(buffer), wasm: memory };
}

function wasmBufferOf(value: unknown): ArrayBufferLike | undefined {
  try {
    return bufferOfWasm?.call(value) as ArrayBufferLike | undefined;
  } catch {
    return undefined;
  }
}

/** An array over some of the bytes. */
function arrayOver({ buffer }: ViewedBytes, offsetBytes: number, lengthBytes: number): Uint8Array {
  return new Uint8Array(buffer, offsetBytes, lengthBytes);
}

/** Where the bytes are now. EFAULT: nowhere, they are detached. */
export function addressOfBytes(context: Context, bytes: ViewedBytes): SyscallResult<bigint> {
  const { offsetBytes, lengthBytes } = bytes;
  return context.backend.viewAddress(arrayOver(bytes, offsetBytes, Math.min(lengthBytes, 1)));
}

/** The policies of views that nobody has any more; they keep the buffers until then. */
const forgotten = new FinalizationRegistry<ViewedMemory>((memory) => memory.forget());

export class ViewedMemory implements RangeOwner {
  readonly address: bigint;
  readonly lengthBytes: number;
  /** Offset of `address` in the buffer. */
  readonly #offsetBytes: number;
  readonly #context: Context;
  readonly #bytes: ViewedBytes;
  readonly #bufferBytes: number;
  /** Whether pages may have a policy that is to be put back. */
  #isHolding = false;
  isReleased = false;

  /** @param pages the whole pages within the bytes */
  constructor(
    context: Context,
    bytes: ViewedBytes,
    pages: { readonly address: bigint; readonly offsetBytes: number; readonly lengthBytes: number },
  ) {
    this.#context = context;
    this.#bytes = bytes;
    this.#bufferBytes = byteLengthOf(bytes.buffer);
    this.address = pages.address;
    this.#offsetBytes = pages.offsetBytes;
    this.lengthBytes = pages.lengthBytes;
  }

  /** @throws NumaError NUMA_RELEASED */
  get bytes(): Uint8Array {
    const loss = this.lossOf('bytes');
    if (loss !== undefined) throw loss;
    return arrayOver(this.#bytes, this.#offsetBytes, this.lengthBytes);
  }

  lossOf(verb: string): NumaError | undefined {
    if (this.isReleased) return this.#loss(verb, 'this view was released', 'use it before that');
    if (this.#isAsItWas()) return undefined;
    const rule = 'the buffer was detached, transferred, or changed its length since it was viewed';
    return this.#loss(verb, rule, 'make a new view of what there is now');
  }

  endingOf(verb: string, signal: AbortSignal | undefined): Ending {
    const lossOf = () => (this.#isAsItWas() ? undefined : this.lossOf(verb));
    return {
      get loss() {
        return lossOf();
      },
      get aborted() {
        return this.loss !== undefined || signal?.aborted === true;
      },
      get reason() {
        return this.loss ?? signal?.reason;
      },
      throwIfAborted() {
        if (this.loss !== undefined) throw this.loss;
        signal?.throwIfAborted();
      },
    };
  }

  /** The engine keeps the buffer's memory as long as this object has the buffer. */
  hold<T>(run: (mapping: undefined) => Promise<T>): Promise<T> {
    return run(undefined);
  }

  /** The memory will be used again, for other things: what it had is kept. */
  willSetPolicy(range: PageRange): void {
    this.#isHolding = true;
    const kept = layersOf(this.#context.backend).push(this, range);
    this.#context.unwrap(kept, 'reading the policies of the range');
  }

  /** Puts policies back where a view is collected without its release. */
  watch(view: object): void {
    forgotten.register(view, this, this);
  }

  touch(offsetBytes: number, lengthBytes: number, access: Access): SyscallResult<undefined> {
    const { backend } = this.#context;
    const end = this.#offsetBytes + offsetBytes + lengthBytes;
    for (let at = this.#offsetBytes + offsetBytes; at < end; at += ARRAY_BYTES_MAX) {
      const array = arrayOver(this.#bytes, at, Math.min(ARRAY_BYTES_MAX, end - at));
      const result = backend.touchView(array, access);
      if (!result.ok) return result;
    }
    return { ok: true, value: undefined };
  }

  /** @throws NumaError where a policy could not be put back: the next call tries it again */
  release(): void {
    this.isReleased = true;
    if (this.#isHolding) this.#putBack();
    this.#isHolding = false;
    forgotten.unregister(this);
  }

  #putBack(): void {
    const { address, lengthBytes } = this;
    const pageCount = Math.ceil(lengthBytes / this.#context.backend.pageSizeBytes);
    const range = { address, pageCount };
    const layers = layersOf(this.#context.backend);
    if (!this.#isWhereItWas()) {
      layers.drop(this, range);
      return;
    }
    const refused = layers.pop(this, range);
    if (refused === undefined) return;
    const asked = 'putting the policies of the range back';
    throw this.#context.error(refused, { asked, args: { address, lengthBytes } });
  }

  /** The same, where nobody could be told. */
  forget(): void {
    try {
      this.release();
    } catch {
      // The limit on mappings, say: the policy stays.
    }
  }

  #isAsItWas(): boolean {
    const { buffer, wasm: memory } = this.#bytes;
    const isCurrent = memory === undefined || wasmBufferOf(memory) === buffer;
    return isCurrent && byteLengthOf(buffer) === this.#bufferBytes;
  }

  /** Whether the addresses are still the buffer's, whatever its length: memory that grows stays. */
  #isWhereItWas(): boolean {
    const { buffer, wasm: memory } = this.#bytes;
    const current = memory === undefined ? buffer : (wasmBufferOf(memory) ?? buffer);
    // No array can be made over one that is detached.
    if (byteLengthOf(current) === 0) return false;
    const found = addressOfBytes(this.#context, wholeBuffer(current, memory));
    return found.ok && found.value + BigInt(this.#offsetBytes) === this.address;
  }

  #loss(verb: string, rule: string, hint: string): NumaError {
    const backend = this.#context.backend.identity.kind;
    return new NumaError(rule, { code: 'NUMA_RELEASED', asked: verb, backend, hint });
  }
}
