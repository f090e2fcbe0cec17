/**
 * One owner's share of a mapping, as the owner of a range: what `release()` gives up.
 */

import type { Access } from '../../backend/backend.ts';
import type { Mapping } from '../../backend/mapping.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { NumaError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import type { RangeOwner } from './range-owner.ts';

export class OwnedMapping implements RangeOwner {
  mapping: Mapping;
  isReleased = false;
  readonly #context: Context;

  constructor(context: Context, mapping: Mapping) {
    this.#context = context;
    this.mapping = mapping;
  }

  get address(): bigint {
    return this.mapping.address;
  }

  get lengthBytes(): number {
    return this.mapping.lengthBytes;
  }

  lossOf(verb: string): NumaError | undefined {
    if (!this.isReleased) return undefined;
    return new NumaError('this buffer was released', {
      code: 'NUMA_RELEASED',
      asked: verb,
      backend: this.#context.backend.identity.kind,
      hint: 'use it before release(), or attach() to its handle while another owner lives',
    });
  }

  /** A verb that has begun goes on over a release. */
  endingOf(_verb: string, signal: AbortSignal | undefined): AbortSignal | undefined {
    return signal;
  }

  /** With a share of its own: release() meanwhile must not unmap between two calls. */
  async hold<T>(run: (mapping: Mapping) => Promise<T>): Promise<T> {
    const { backend } = this.#context;
    const share = this.#context.unwrap(backend.attach(this.mapping.handle), 'the same memory');
    try {
      return await run(share);
    } finally {
      backend.munmap(share);
    }
  }

  /** The policy goes with the mapping. */
  willSetPolicy(): void {}

  touch(offsetBytes: number, lengthBytes: number, access: Access): SyscallResult<undefined> {
    return this.#context.backend.touch(this.mapping, offsetBytes, lengthBytes, access);
  }

  resize(lengthBytes: number): void {
    const result = this.#context.backend.mremap(this.mapping, lengthBytes);
    const asked = `resizing ${this.lengthBytes} bytes to ${lengthBytes}`;
    this.mapping = this.#context.unwrap(result, asked, { lengthBytes });
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.#context.backend.munmap(this.mapping);
  }
}
