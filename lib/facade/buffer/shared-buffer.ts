/**
 * Memory that the engine has as a SharedArrayBuffer of its own, with the verbs of any range: it can
 * be posted to workers as it is, on every version of Node.
 */

import { invalidArgumentValue } from '../../core/argument-errors.ts';
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
      typeof value === 'object' && value !== null && #bytes in value;
  }

  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  /** @internal Use `numa.allocate()`. */
  constructor(context: Context, owner: ViewedMemory, bytes: Uint8Array<SharedArrayBuffer>) {
    super(context, owner, 'SharedBuffer');
    this.#bytes = bytes;
    owner.watch(this);
  }

  /**
   * The memory as bytes; the same array at each call. Post it to workers, which then share it;
   * there `numa.view(bytes)` has the same verbs. Threads that share it must use Atomics.
   */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    return this.#bytes;
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
  const bytes = arrayOver(memory, offsetBytes, lengthBytes);
  const pages = { address: start + BigInt(offsetBytes), offsetBytes, lengthBytes };
  const owner = new ViewedMemory(context, viewedBytesOf(memory, 'memory'), pages);
  const buffer = new SharedBuffer(context, owner, bytes);
  if (policy !== undefined) buffer.setPolicy(policy);
  return buffer;
}

/** One that could grow has fresh pages of its own, where another may get memory of before. */
function newSharedArrayBuffer(context: Context, bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes, { maxByteLength: bytes });
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

/** @throws TypeError where this engine has no array as long as that (Node 20: 4 GiB) */
function arrayOver(
  memory: SharedArrayBuffer,
  offsetBytes: number,
  lengthBytes: number,
): Uint8Array<SharedArrayBuffer> {
  try {
    return new Uint8Array(memory, offsetBytes, lengthBytes);
  } catch {
    const rule = 'is longer than an array of this engine can be';
    throw invalidArgumentValue('lengthBytes', rule, lengthBytes);
  }
}
