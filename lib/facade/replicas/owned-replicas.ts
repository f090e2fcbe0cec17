/**
 * Replicas as the one who made them has them: brings changes to all copies, and ends them.
 */

import { setImmediate } from 'node:timers/promises';
import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import {
  checkCallback,
  checkOptions,
  checkSignal,
  isThenable,
} from '../../core/check-arguments.ts';
import { inspectAs } from '../../core/inspect.ts';
import type { NodeId } from '../../core/node-mask.ts';
import type { PopulateProgress } from '../buffer/populate.ts';
import type { SharedBuffer } from '../buffer/shared-buffer.ts';
import type { Context } from '../context.ts';
import type { Residency } from '../pages/residency.ts';
import { tellProgress } from '../progress.ts';
import { STEP_BYTES } from './place-copy.ts';
import { halfOf, ReplicaWords } from './replica-words.ts';
import { type ReplicaCopy, Replicas, type ReplicasHandle, releasedReplicas } from './replicas.ts';
import { bytesOfSource, checkStillThere, type ReplicaSource } from './source-bytes.ts';

export interface PublishOptions {
  /** Rejects with its reason before the next step; readers go on with the version before. */
  readonly signal?: AbortSignal;
  /** Called after each step, with bytes of all copies; a promise is waited for. Its error ends the
   *  work, as the `cause` of a TypeError. */
  readonly onProgress?: (progress: PopulateProgress) => unknown;
}

/** What is where, of one copy. */
export interface ReplicaResidency {
  readonly node: NodeId;
  /** Of the two versions that the copy has room for. */
  readonly residency: readonly [Residency, Residency];
}

/** @internal The memory of a copy. */
export interface OwnedCopy {
  readonly node: NodeId;
  readonly buffers: readonly [SharedBuffer, SharedBuffer];
}

/** @internal */
export interface OwnedHandle extends ReplicasHandle {
  readonly owned: readonly OwnedCopy[];
}

export class OwnedReplicas<T> extends Replicas<T> {
  readonly #context: Context;
  readonly #words: ReplicaWords;
  #owned: readonly OwnedCopy[];
  /** The last of the publishes that have been asked for. */
  #last: Promise<unknown> = Promise.resolve();

  /** @internal Use `numa.replicate()`. */
  constructor(context: Context, handle: OwnedHandle) {
    super(context, handle);
    this.#context = context;
    this.#words = new ReplicaWords(handle.words);
    this.#owned = handle.owned;
  }

  /**
   * Brings a change to all copies. Readers have the version before until every copy has the new
   * one, and then all of them have it. Several are published in the order in which they are asked
   * for, each knowing those before it. In steps of 8 MiB, between which JavaScript goes on.
   * Resolves with the version.
   * @param change other bytes, as many as there are, to be left alone until then; or a synchronous
   *   function that changes a copy of the latest version, `draft`
   * @throws TypeError, RangeError ERR_OUT_OF_RANGE for another length; the signal's reason; what
   *   the function throws; NumaError NUMA_RELEASED: of all these readers notice nothing
   */
  publish(
    change: ReplicaSource | ((draft: T) => unknown),
    options?: PublishOptions,
  ): Promise<number> {
    const published = this.#last.then(() => this.#publish(change, options));
    this.#last = published.catch(() => {});
    return published;
  }

  /**
   * Where the copies are, by the kernel's word.
   * @throws NumaError NUMA_RELEASED, NUMA_NOT_PERMITTED
   */
  async residency(): Promise<ReplicaResidency[]> {
    this.#checkLive('residency');
    return Promise.all(
      this.#owned.map(async ({ node, buffers: [one, other] }) => {
        const residency = await Promise.all([one.residency(), other.residency()]);
        return Object.freeze({ node, residency });
      }),
    );
  }

  /**
   * Ends the replicas, for all threads: whoever reads them has NUMA_RELEASED from then on. The
   * memory is given back when no thread has it any more. Idempotent.
   * @throws NumaError NUMA_OUT_OF_MEMORY, NUMA_NOT_PERMITTED where a policy could not be put back
   */
  override release(): void {
    const owned = this.#owned;
    this.#owned = [];
    this.#words.end();
    super.release();
    for (const buffer of owned.flatMap(({ buffers }) => buffers)) buffer.release();
  }

  async #publish(
    change: ReplicaSource | ((draft: T) => unknown),
    options: PublishOptions | undefined,
  ): Promise<number> {
    const checked = checkOptions(options, 'options', ['signal', 'onProgress']);
    const signal = checkSignal(checked.signal, 'options.signal');
    const onProgress = checkCallback(checked.onProgress, 'options.onProgress');
    this.#checkLive('publish');
    signal?.throwIfAborted();
    const bytes =
      typeof change === 'function' ? this.#drafted(change) : bytesOfSource(change, 'change');
    if (bytes.byteLength !== this.lengthBytes) {
      throw outOfRange('change', `it must have ${this.lengthBytes} bytes`, bytes.byteLength);
    }
    return this.#write(bytes, signal, onProgress);
  }

  /** The bytes of a draft that a function has changed. @throws what it throws */
  #drafted(change: (draft: T) => unknown): Uint8Array {
    const draft = this.on(this.nodes.first as NodeId).snapshot();
    const bytes = bytesOfSource(draft, 'draft');
    const result = change(draft);
    if (isThenable(result)) {
      // Nobody will wait for it any more; its rejection must not end the process.
      Promise.resolve(result).catch(() => {});
      throw invalidArgumentValue('change', 'must be synchronous: it is published then', result);
    }
    return bytes;
  }

  async #write(
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
    onProgress: PublishOptions['onProgress'],
  ): Promise<number> {
    const copies = this.#owned;
    const bytesTotal = this.lengthBytes * copies.length;
    const version = this.#words.begin();
    for (let start = 0; start < this.lengthBytes; start += STEP_BYTES) {
      if (start > 0) await setImmediate();
      this.#checkLive('publish');
      signal?.throwIfAborted();
      checkStillThere(this.#context, bytes, 'publish');
      const step = bytes.subarray(start, start + STEP_BYTES);
      // All copies by one look at the bytes: they are alike, whoever changes these meanwhile.
      for (const { buffers } of copies) buffers[halfOf(version)].bytes.set(step, start);
      const bytesDone = (start + step.byteLength) * copies.length;
      await tellProgress(onProgress, { bytesDone, bytesTotal });
    }
    this.#checkLive('publish');
    signal?.throwIfAborted();
    this.#words.publish(version);
    return version >>> 0;
  }

  #checkLive(verb: string): void {
    if (this.isReleased) throw releasedReplicas(this.#context, verb);
  }
}

inspectAs(OwnedReplicas, ({ lengthBytes, nodes, isReleased }) => {
  return `OwnedReplicas(${lengthBytes} bytes on nodes ${nodes}${isReleased ? ', released' : ''})`;
});

/** @internal The copies as other threads get them. */
export function copiesOf(owned: readonly OwnedCopy[]): ReplicaCopy[] {
  return owned.map(({ node, buffers: [one, other] }) => ({
    node,
    halves: [one.bytes, other.bytes],
  }));
}
