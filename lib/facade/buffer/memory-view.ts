/**
 * Memory that node-numa has not mapped: the whole pages inside of a buffer of the engine's, with
 * the verbs of any range.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import type { Context } from '../context.ts';
import { RangeMemory } from './range-memory.ts';
import { addressOfBytes, ViewedMemory, viewedBytesOf } from './viewed-memory.ts';

/** Bytes that were viewed and share a page with other memory: no verb is about them. */
export interface ViewEdges {
  /** In front of the first whole page. */
  readonly leadingBytes: number;
  /** Behind the last one. */
  readonly trailingBytes: number;
}

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isMemoryView: (value: unknown) => value is MemoryView;

/** @internal The bytes of its whole pages. @throws NumaError NUMA_RELEASED */
export let bytesOfView: (view: MemoryView) => Uint8Array;

export class MemoryView extends RangeMemory {
  static {
    isMemoryView = (value): value is MemoryView =>
      typeof value === 'object' && value !== null && #viewed in value;
    bytesOfView = (view) => view.#viewed.bytes;
  }

  readonly #viewed: ViewedMemory;
  /** What of the memory is in no whole page. */
  readonly edges: ViewEdges;

  /** @internal Use `numa.view()`. */
  constructor(context: Context, owner: ViewedMemory, edges: ViewEdges) {
    super(context, owner, 'MemoryView');
    this.#viewed = owner;
    this.edges = Object.freeze({ ...edges });
    owner.watch(this);
  }
}

/** @internal `numa.view()`. */
export function viewOf(context: Context, memory: unknown): MemoryView {
  const bytes = viewedBytesOf(memory, 'memory');
  const { lengthBytes } = bytes;
  const size = BigInt(context.backend.pageSizeBytes);
  if (lengthBytes === 0) throw tooShort('it must have bytes: it is empty, or detached', memory);
  const found = addressOfBytes(context, bytes);
  const start = context.unwrap(found, `a view of ${lengthBytes} bytes`, { lengthBytes });
  const end = start + BigInt(lengthBytes);
  const address = ((start + size - 1n) / size) * size;
  const behind = (end / size) * size;
  if (behind <= address) {
    const rule =
      `it must hold a whole page of ${size} bytes; small and pooled buffers share theirs with ` +
      'others: view the whole .buffer of a pool, or use numa.allocate()';
    throw tooShort(rule, memory);
  }
  const leadingBytes = Number(address - start);
  const pages = {
    address,
    offsetBytes: bytes.offsetBytes + leadingBytes,
    lengthBytes: Number(behind - address),
  };
  const edges = { leadingBytes, trailingBytes: Number(end - behind) };
  return new MemoryView(context, new ViewedMemory(context, bytes, pages), edges);
}

function tooShort(rule: string, memory: unknown): RangeError {
  return outOfRange('memory', rule, memory);
}
