/**
 * Memory that node-numa mapped: its bytes, its handle, and its end, beside the verbs of any range.
 */

import type { Mapping, MappingHandle } from '../../backend/mapping.ts';
import { checkInteger, checkOptions } from '../../core/check-arguments.ts';
import { NumaError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import { foundHugePages, type HugePagesFound } from '../pages/huge-pages.ts';
import { type PageRange, RANGE_OPTION_NAMES, type RangeOptions } from '../pages/page-range.ts';
import { OwnedMapping } from './owned-mapping.ts';
import {
  checkPopulate,
  POPULATE_OPTION_NAMES,
  type PopulateOptions,
  type PopulateReport,
  populate,
} from './populate.ts';
import { RangeMemory } from './range-memory.ts';
import { checkLive, liveRange } from './range-owner.ts';

/** Who holds the bytes holds the share: a handle stays good while any view of them is in use. */
const owners = new WeakMap<ArrayBuffer, Mapping>();

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isMappedBuffer: (value: unknown) => value is MappedBuffer;

export class MappedBuffer extends RangeMemory {
  static {
    isMappedBuffer = (value): value is MappedBuffer =>
      typeof value === 'object' && value !== null && #owner in value;
  }

  readonly #context: Context;
  readonly #owner: OwnedMapping;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #populated: PopulateReport | null = null;

  /** @internal Use `numa.allocate()` or `numa.attach()`. */
  constructor(context: Context, mapping: Mapping) {
    const owner = new OwnedMapping(context, mapping);
    super(context, owner, 'MappedBuffer');
    this.#context = context;
    this.#owner = owner;
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
   *   largest array (`buffer.constants.MAX_LENGTH`): `bytesAt()` has parts of it
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    checkLive(this.#owner, 'bytes');
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
   * Some of the bytes, of memory of any length. Writes are seen by all that show the same bytes.
   * After `release()` and `resize()` its length is 0.
   * @param lengthBytes at most the length of this engine's largest array
   * @throws RangeError ERR_OUT_OF_RANGE outside of the buffer; NumaError NUMA_RELEASED,
   *   NUMA_UNSUPPORTED for more than an array can have
   */
  bytesAt(offsetBytes: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
    checkInteger(offsetBytes, 'offsetBytes', 0, this.lengthBytes - 1);
    checkInteger(lengthBytes, 'lengthBytes', 1, this.lengthBytes - offsetBytes);
    checkLive(this.#owner, 'bytesAt');
    const { mapping } = this.#owner;
    const { backend } = this.#context;
    if (this.#bytes !== undefined || backend.arrayBuffer(mapping).ok) {
      // No array can be made over bytes that were transferred.
      return this.bytes.length === 0
        ? this.bytes
        : this.bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
    }
    const part = backend.bytesAt({ mapping, offsetBytes, lengthBytes });
    const bytes = this.#context.unwrap(part, `an array of ${lengthBytes} bytes`);
    owners.set(bytes.buffer, mapping);
    return bytes;
  }

  /**
   * Gives the memory another length, and mostly another address. Its pages stay on their nodes,
   * policies, advice and `handle` stay; what comes behind is untouched, with the policy of the last
   * page, and what was cut off is gone. Arrays over it get length 0: `bytes` is another one. Only
   * for private memory outside of pools. Synchronous; no byte is copied.
   * @param lengthBytes at least 1
   * @throws RangeError ERR_OUT_OF_RANGE; NumaError NUMA_MEMORY_IN_USE (another owner has it, a verb
   *   is under way, a script has taken the bytes along), NUMA_UNSUPPORTED (shared memory, files,
   *   pools), NUMA_OUT_OF_MEMORY, NUMA_RELEASED; all is as it was then
   * Source: mremap(2).
   */
  resize(lengthBytes: number): void {
    checkInteger(lengthBytes, 'lengthBytes', 1);
    checkLive(this.#owner, 'resize');
    this.#owner.resize(lengthBytes);
    this.#bytes = undefined;
  }

  /**
   * The descriptor of shared memory, or of the file behind it; `null` for private memory. Name it
   * in a child's `stdio`, and map it there with `numa.map()`. It is closed on exec otherwise, and
   * with the memory: after the last owner's `release()`.
   */
  get descriptor(): number | null {
    return this.#owner.mapping.descriptor;
  }

  /**
   * Writes what was changed to the file, and waits for it. Shared memory and private mappings have
   * no file to write to: nothing happens.
   * @throws NumaError NUMA_RELEASED; NUMA_SYSTEM_ERROR where the file cannot be written, or was cut
   *   off meanwhile: what is written behind its end is in no file (`isTruncated()`)
   * Source: msync(2), MS_SYNC.
   */
  async flush(options?: RangeOptions): Promise<void> {
    const checked = checkOptions(options, 'options', RANGE_OPTION_NAMES);
    const { offsetBytes, lengthBytes: wholePages } = this.#range('flush', checked);
    const lengthBytes = Math.min(wholePages, this.lengthBytes - offsetBytes);
    await this.#owner.hold(async (mapping) => {
      const result = await this.#context.backend.msync({ mapping, offsetBytes, lengthBytes });
      const asked = `writing ${lengthBytes} bytes to the file`;
      this.#context.unwrap(result, asked);
      if (this.#isCutOff(mapping)) throw cutOff(this.#context, asked);
    });
  }

  /**
   * Whether somebody has made the file shorter, and an access came to where it was: from there on
   * the buffer has zeros of its own, which reach no file. Private memory has no file. Synchronous.
   * @throws NumaError NUMA_RELEASED
   * Source: fstat(2).
   */
  isTruncated(): boolean {
    checkLive(this.#owner, 'isTruncated');
    return this.#isCutOff(this.#owner.mapping);
  }

  #isCutOff(mapping: Mapping): boolean {
    if (mapping.descriptor === null) return false;
    return this.#context.unwrap(this.#context.backend.fstat(mapping), 'the file').isTruncated;
  }

  /**
   * How much of the memory is in huge pages. Untouched memory is in none. Of a part of it, or with
   * the nodes: `residency({ hugePages: true })`.
   * @throws NumaError NUMA_RELEASED, NUMA_UNSUPPORTED (no /proc)
   * Source: proc_pid_smaps(5).
   */
  async hugePages(): Promise<HugePagesFound> {
    checkLive(this.#owner, 'hugePages');
    const { address, pageCount } = this;
    const found = await foundHugePages(this.#context.backend, { address, pageCount });
    return this.#context.unwrap(found, 'looking for huge pages');
  }

  /**
   * Makes all pages of the range now, without changing a byte: on threads of Node's pool, on CPUs
   * of the nodes that the policy names, or of the calling thread's node, which itself goes on.
   * Resolves with what was got.
   * @throws the signal's reason; NumaError NUMA_OUT_OF_MEMORY where bound nodes have too little
   *   left, NUMA_UNSUPPORTED before Linux 5.14, NUMA_RELEASED
   * Source: madvise(2), MADV_POPULATE_WRITE.
   */
  async populate(options?: PopulateOptions): Promise<PopulateReport> {
    const names = [...RANGE_OPTION_NAMES, ...POPULATE_OPTION_NAMES] as const;
    const { threads, signal, onProgress, ...rest } = checkOptions(options, 'options', names);
    const request = checkPopulate({ threads, signal, onProgress }, 'options');
    const range = this.#range('populate', rest);
    this.#populated = await this.#owner.hold((mapping) =>
      populate(this.#context, { ...range, mapping }, request),
    );
    return this.#populated;
  }

  /** What the last `populate()` of this object got, or `allocate()` with `populate`; `null` before
   *  that. Later changes are not in it: `residency()` and `hugePages()` look again. */
  get populated(): PopulateReport | null {
    return this.#populated;
  }

  #range(verb: string, options: RangeOptions): PageRange {
    return liveRange(this.#context, this.#owner, verb, options);
  }
}

function cutOff({ backend }: Context, asked: string): NumaError {
  return new NumaError('the file was made shorter while it was mapped', {
    code: 'NUMA_SYSTEM_ERROR',
    asked,
    backend: backend.identity.kind,
    hint: 'what was written in front of its end is there; map what there is of it now',
  });
}
