/**
 * Memory that the engine has as a SharedArrayBuffer of its own, with the verbs of any range: it can
 * be posted to workers as it is, on every version of Node.
 */

import { constants } from 'node:buffer';
import { checkInteger } from '../../core/check-arguments.ts';
import { NumaError } from '../../core/errors.ts';
import type { MemoryPolicy } from '../../core/memory-policy.ts';
import type { Context } from '../context.ts';
import { RangeMemory } from './range-memory.ts';
import { addressOfBytes, ViewedMemory, viewedBytesOf } from './viewed-memory.ts';

export interface SharedAllocateOptions {
  /** Memory of the engine's own, whose `bytes` workers share when they are posted there. */
  readonly sharedArrayBuffer: true;
  /** Range policy, set before any page is touched. */
  readonly policy?: MemoryPolicy;
}

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isSharedBuffer: (value: unknown) => value is SharedBuffer;

export class SharedBuffer extends RangeMemory {
  static {
    isSharedBuffer = (value): value is SharedBuffer =>
      typeof value === 'object' && value !== null && #memory in value;
  }

  readonly #context: Context;
  readonly #memory: SharedArrayBuffer;
  /** Where its whole pages begin. */
  readonly #offsetBytes: number;
  #bytes: Uint8Array<SharedArrayBuffer> | undefined;

  /** @internal Use `numa.allocate()`. */
  constructor(
    context: Context,
    owner: ViewedMemory,
    { memory, offsetBytes }: { readonly memory: SharedArrayBuffer; readonly offsetBytes: number },
  ) {
    super(context, owner, 'SharedBuffer');
    this.#context = context;
    this.#memory = memory;
    this.#offsetBytes = offsetBytes;
    owner.watch(this);
  }

  /**
   * The memory as bytes; the same array at each call. Post it to workers, which then share it;
   * there `numa.view(bytes)` has the same verbs. Threads that share it must use Atomics.
   * @throws NumaError NUMA_UNSUPPORTED for a buffer longer than this engine's largest array
   *   (`buffer.constants.MAX_LENGTH`): `bytesAt()` has parts of it
   */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    this.#bytes ??= this.#part(0, this.lengthBytes);
    return this.#bytes;
  }

  /**
   * Some of the bytes, of memory of any length: workers to which it is posted share all of it.
   * @param lengthBytes at most the length of this engine's largest array
   * @throws RangeError ERR_OUT_OF_RANGE outside of the buffer; NumaError NUMA_UNSUPPORTED for more
   *   than an array can have
   */
  bytesAt(offsetBytes: number, lengthBytes: number): Uint8Array<SharedArrayBuffer> {
    checkInteger(offsetBytes, 'offsetBytes', 0, this.lengthBytes - 1);
    checkInteger(lengthBytes, 'lengthBytes', 1, this.lengthBytes - offsetBytes);
    return this.#part(offsetBytes, lengthBytes);
  }

  #part(offsetBytes: number, lengthBytes: number): Uint8Array<SharedArrayBuffer> {
    try {
      return new Uint8Array(this.#memory, this.#offsetBytes + offsetBytes, lengthBytes);
    } catch (cause) {
      const { backend } = this.#context;
      const detail = {
        code: 'NUMA_UNSUPPORTED',
        asked: `an array of ${lengthBytes} bytes`,
        backend: backend.identity.kind,
        hint: 'bytesAt() has parts of it',
      } as const;
      throw new NumaError('no array of this engine is as long as that', detail, { cause });
    }
  }
}

/** @internal `numa.allocate()` with `sharedArrayBuffer`. */
export function allocateShared(
  context: Context,
  lengthBytes: number,
  policy: MemoryPolicy | undefined,
): SharedBuffer {
  const { pageSizeBytes } = context.backend;
  const wholePages = Math.ceil(lengthBytes / pageSizeBytes) * pageSizeBytes;
  // A page more, because the engine may begin anywhere in one.
  const memory = newSharedArrayBuffer(context, wholePages + pageSizeBytes);
  const found = addressOfBytes(context, viewedBytesOf(memory, 'memory'));
  const start = context.unwrap(found, `mapping ${lengthBytes} bytes`, { lengthBytes });
  const offsetBytes = Number(-start & BigInt(pageSizeBytes - 1));
  const pages = { address: start + BigInt(offsetBytes), offsetBytes, lengthBytes };
  const owner = new ViewedMemory(context, viewedBytesOf(memory, 'memory'), pages);
  const buffer = new SharedBuffer(context, owner, { memory, offsetBytes });
  if (policy !== undefined) buffer.setPolicy(policy);
  return buffer;
}

/**
 * One that could grow has fresh pages of its own, where another may get memory of before: but not
 * where it is so long. In Node 20 one that could grow is no longer than an array.
 */
function newSharedArrayBuffer(context: Context, bytes: number): SharedArrayBuffer {
  try {
    return bytes > constants.MAX_LENGTH
      ? new SharedArrayBuffer(bytes)
      : new SharedArrayBuffer(bytes, { maxByteLength: bytes });
  } catch (cause) {
    throw new NumaError(
      'the engine has no room for a SharedArrayBuffer as long as that',
      {
        code: 'NUMA_OUT_OF_MEMORY',
        asked: `mapping ${bytes} bytes`,
        backend: context.backend.identity.kind,
        hint: 'allocate several buffers, or one without sharedArrayBuffer',
      },
      { cause },
    );
  }
}
