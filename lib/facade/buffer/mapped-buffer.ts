/**
 * Memory that node-numa mapped: its bytes, its handle, and its end, beside the verbs of any range.
 */

import type { Mapping, MappingHandle } from '../../backend/mapping.ts';
import { inspectAs } from '../../core/inspect.ts';
import type { Context } from '../context.ts';
import { OwnedMapping } from './owned-mapping.ts';
import { RangeMemory } from './range-memory.ts';

/** Who holds the bytes holds the share: a handle stays good while any view of them is in use. */
const owners = new WeakMap<ArrayBuffer, Mapping>();

export class MappedBuffer extends RangeMemory {
  readonly #context: Context;
  readonly #owner: OwnedMapping;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /** @internal Use `numa.allocate()` or `numa.attach()`. */
  constructor(context: Context, mapping: Mapping) {
    const owner = new OwnedMapping(context, mapping);
    super(context, owner);
    this.#context = context;
    this.#owner = owner;
  }

  /** Whether `release()` was called on this object. */
  get isReleased(): boolean {
    return this.#owner.isReleased;
  }

  /** Names this memory in other threads of the process: post it to a worker and `numa.attach()`
   *  there. Owns nothing. */
  get handle(): MappingHandle {
    return this.#owner.mapping.handle;
  }

  /**
   * The memory as bytes; the same view at each call. After `release()` its length is 0. Threads
   * that share the memory must use Atomics. Transferred (Node 20 copies) it has length 0, too.
   * @throws NumaError NUMA_RELEASED; NUMA_UNSUPPORTED for a buffer longer than this engine's
   *   largest ArrayBuffer (`buffer.constants.MAX_LENGTH`)
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    const loss = this.#owner.lossOf('bytes');
    if (loss !== undefined) throw loss;
    if (this.#bytes === undefined) {
      const { mapping } = this.#owner;
      const result = this.#context.backend.arrayBuffer(mapping);
      const asked = `a view of ${this.lengthBytes} bytes`;
      const arrayBuffer = this.#context.unwrap(result, asked);
      this.#bytes = new Uint8Array(arrayBuffer);
      owners.set(arrayBuffer, mapping);
    }
    return this.#bytes;
  }

  /**
   * Gives this owner's share up: `bytes` gets length 0 at once. The memory is given back when no
   * owner or running call uses it. Pending operations with `bytes` go on with zeros. Idempotent.
   */
  release(): void {
    this.#owner.release();
  }

  /** `using buffer = ...` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release();
  }
}

inspectAs(MappedBuffer, (buffer) => {
  const where = `${buffer.lengthBytes} bytes at 0x${buffer.address.toString(16)}`;
  return `MappedBuffer(${where}${buffer.isReleased ? ', released' : ''})`;
});
