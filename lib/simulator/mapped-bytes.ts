/**
 * The bytes that JavaScript sees of mappings: how they end, or become others.
 */

import { type ReadableByteStreamController, ReadableStream } from 'node:stream/web';
import type { Contents } from './mapped-file.ts';
import type { LiveSpan } from './viewed-buffers.ts';

/** Came with Node 22. */
export const transfer: (() => ArrayBuffer) | undefined = Object(ArrayBuffer.prototype).transfer;

/** What detached views showed. Node's pending operations hold a view, and go on with its memory. */
const memoryOfDetached = new WeakMap<ArrayBuffer, unknown>();

/** Marked as that by their users: nobody can detach them any more. */
const untransferable = new WeakSet<ArrayBuffer>();

/** Whether bytes were asked for, and no script has taken them along. */
export function hasOwnBytes<S extends Pick<LiveSpan, 'bytes'>>(
  mapped: S,
): mapped is S & { bytes: NonNullable<S['bytes']> } {
  return mapped.bytes !== undefined && mapped.bytes.byteLength > 0;
}

/** A copy, cut or with zeros behind it. */
export function resized(bytes: ArrayBuffer, lengthBytes: number): ArrayBuffer {
  const copy = new ArrayBuffer(lengthBytes);
  const kept = Math.min(lengthBytes, bytes.byteLength);
  new Uint8Array(copy, 0, kept).set(new Uint8Array(bytes, 0, kept));
  return copy;
}

export function zeroUntransferable({ bytes }: Contents): void {
  if (bytes !== undefined && untransferable.has(bytes)) new Uint8Array(bytes).fill(0);
}

/**
 * Views lose their bytes at once; owners that never looked will find them in a new buffer.
 * @param isLast nobody will
 */
export function detachBytes(contents: Contents, isLast: boolean): void {
  const { bytes } = contents;
  if (bytes === undefined || !hasOwnBytes({ bytes })) return;
  if (transfer !== undefined) {
    try {
      contents.bytes = Reflect.apply(transfer, bytes, []);
      memoryOfDetached.set(bytes, contents.bytes);
    } catch {
      untransferable.add(bytes);
    }
    return;
  }
  contents.bytes = isLast ? undefined : bytes.slice(0);
  // A stream takes along what it is given.
  const start = (stream: ReadableByteStreamController) =>
    stream.enqueue(new Uint8Array(bytes, 0, 1));
  memoryOfDetached.set(bytes, new ReadableStream({ type: 'bytes', start }));
}
