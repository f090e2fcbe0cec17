/** What a worker does with memory that it shares with the thread that started it. */

import { parentPort, type TransferListItem, workerData } from 'node:worker_threads';
import { addon } from './storm.ts';

export interface SharingWorkerData {
  readonly task: 'transfer' | 'attach';
  readonly words: Int32Array;
  /** Where in the words: a handle, and how often it was found, found stale, or led elsewhere. */
  readonly at: Readonly<Record<'id' | 'generation' | 'found' | 'stale' | 'wrong', number>>;
}

/** How it tries to give its bytes away. */
const TRANSFERS = ['post', 'transfer and post', 'clone and post'] as const;
const LENGTH_BYTES = 64 * 1024;

const { task, words, at } = workerData as SharingWorkerData;

if (task === 'transfer') giveAway();
else attachForEver();

/** Posts buffers that it owns, in each way, and ends. */
function giveAway(): void {
  for (const way of TRANSFERS) {
    const made = addon.mmap(LENGTH_BYTES);
    if (!made.ok) throw new Error(`mmap failed with errno ${made.errno}`);
    const result = addon.array_buffer(made.value);
    if (!result.ok) throw new Error(`array_buffer failed with errno ${result.errno}`);
    const buffer = result.value;
    new Uint8Array(buffer).fill(7);
    try {
      const moved = moveAway(way, buffer);
      parentPort?.postMessage({ way, moved }, [moved as unknown as TransferListItem]);
    } catch (error) {
      parentPort?.postMessage({ way, refusal: String(error) });
    }
  }
}

function moveAway(way: (typeof TRANSFERS)[number], buffer: ArrayBuffer): ArrayBuffer {
  if (way === 'clone and post') return structuredClone(buffer, { transfer: [buffer] });
  if (way === 'post') return buffer;
  const { transfer } = buffer as { transfer?: () => ArrayBuffer };
  return transfer?.call(buffer) ?? buffer;
}

/**
 * The handle may be stale, or half of the last one and half of the next. The bytes that it leads to
 * are the mapping's id.
 */
function attachForEver(): void {
  for (;;) {
    const id = Atomics.load(words, at.id);
    const generation = Atomics.load(words, at.generation);
    const attached = addon.attach(id, generation);
    if (!attached.ok) {
      Atomics.add(words, at.stale, 1);
      continue;
    }
    const result = addon.array_buffer(attached.value);
    if (result.ok) {
      const bytes = new Uint8Array(result.value);
      const isRight = bytes[0] === (id & 0xff) && bytes[bytes.length - 1] === (id & 0xff);
      Atomics.add(words, isRight ? at.found : at.wrong, 1);
    }
    addon.munmap(attached.value);
  }
}
