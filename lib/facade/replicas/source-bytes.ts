/** The bytes of whatever memory there is: that of the engine, of others, of node-numa. */

import { outOfRange } from '../../core/argument-errors.ts';
import { NumaError } from '../../core/errors.ts';
import { isMappedBuffer, type MappedBuffer } from '../buffer/mapped-buffer.ts';
import { bytesOfView, isMemoryView, type MemoryView } from '../buffer/memory-view.ts';
import { isSharedBuffer, type SharedBuffer } from '../buffer/shared-buffer.ts';
import { type ViewableMemory, viewedBytesOf } from '../buffer/viewed-memory.ts';
import type { Context } from '../context.ts';

/** Where bytes are taken from. */
export type ReplicaSource = ViewableMemory | MappedBuffer | SharedBuffer | MemoryView;

/**
 * @internal All bytes of a source; of a view, those of its whole pages.
 * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE for none; NumaError
 *   NUMA_RELEASED
 */
export function bytesOfSource(source: unknown, argument: string): Uint8Array {
  if (isMappedBuffer(source) || isSharedBuffer(source)) return source.bytes;
  if (isMemoryView(source)) return bytesOfView(source);
  const { buffer, offsetBytes, lengthBytes } = viewedBytesOf(source, argument);
  if (lengthBytes > 0) return new Uint8Array(buffer, offsetBytes, lengthBytes);
  throw outOfRange(argument, 'it must have bytes: it is empty, or detached', source);
}

/** @internal @throws NumaError NUMA_RELEASED where they were detached, or made shorter */
export function checkStillThere({ backend }: Context, bytes: Uint8Array, asked: string): void {
  if (bytes.byteLength > 0) return;
  throw new NumaError('the memory was released, detached or transferred while it was copied', {
    code: 'NUMA_RELEASED',
    asked,
    backend: backend.identity.kind,
    hint: 'keep it as it is until the promise is settled; what was there before is still read',
  });
}
