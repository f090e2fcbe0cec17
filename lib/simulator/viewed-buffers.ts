/**
 * What arrays of the program show: bytes of a mapping, or memory that the engine has. An
 * ArrayBuffer of the engine's is an area of the simulated process from the first look on, for as
 * long as it lives, and the same area however often it is looked at.
 *
 * Source: madvise(2) with MADV_POPULATE_READ and MADV_POPULATE_WRITE. Deviation: a buffer that is
 * transferred is another one, with another area; the memory of a kernel would stay where it is.
 */

import type { Access } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import type { Span } from '../core/sorted-spans.ts';
import { MADV } from '../core/uapi.ts';
import type { Caller } from './caller.ts';
import type { Mm } from './memory/mm.ts';
import { DONE, failure, success } from './syscalls/answer.ts';
import { madvise } from './syscalls/madvise.ts';
import { mmap, roomFor } from './syscalls/mapping-calls.ts';
import { addressOf, pageOf } from './syscalls/range-argument.ts';

/** What the engine's allocator keeps in front of a buffer whose length is fixed. */
const HEADER_BYTES = 16;

/** Pages whose bytes are those of a buffer. */
export interface LiveSpan extends Span {
  /** Bytes of the first page in front of the buffer's. */
  readonly leadBytes: number;
  readonly bytes: ArrayBufferLike | undefined;
  /** What they were before anybody wrote; absent for zeros. */
  readonly original?: Uint8Array | undefined;
  /** Of which of its pages, counted from the first, somebody has the bytes; absent: of any. */
  readonly looked?: readonly Span[] | undefined;
}

/** Holds its buffer weakly: nobody would ever give it back. */
class ViewedArea implements LiveSpan {
  readonly start: number;
  readonly end: number;
  readonly leadBytes: number;
  readonly #buffer: WeakRef<ArrayBufferLike>;

  constructor(buffer: ArrayBufferLike, { start, end }: Span, leadBytes: number) {
    this.start = start;
    this.end = end;
    this.leadBytes = leadBytes;
    this.#buffer = new WeakRef(buffer);
  }

  get bytes(): ArrayBufferLike | undefined {
    return this.#buffer.deref();
  }
}

/**
 * Where a buffer begins in its first page: behind the allocator's header, but at the start where
 * the engine reserves addresses to grow into. Such buffers say so, or are frozen, as those of
 * shared WebAssembly memories are.
 *
 * Deviation: those of other WebAssembly memories say nothing of it.
 */
function leadBytesOf(buffer: ArrayBufferLike): number {
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
  return resizable === true || growable === true || Object.isFrozen(buffer) ? 0 : HEADER_BYTES;
}

export class ViewedBuffers {
  readonly #pageSizeBytes: number;
  #areas = new WeakMap<ArrayBufferLike, LiveSpan>();
  #collected: LiveSpan[] = [];
  readonly #registry = new FinalizationRegistry<LiveSpan>((area) => {
    this.#collected.push(area);
  });

  constructor(pageSizeBytes: number) {
    this.#pageSizeBytes = pageSizeBytes;
  }

  find(buffer: ArrayBufferLike): LiveSpan | undefined {
    return this.#areas.get(buffer);
  }

  /** A buffer whose pages are mapped already. */
  enter(buffer: ArrayBufferLike, area: LiveSpan): void {
    this.#areas.set(buffer, area);
  }

  /** Pages that a new area needs: for the largest length that the buffer may ever have. */
  pageCountFor(buffer: ArrayBufferLike): number {
    const { maxByteLength = buffer.byteLength } = buffer as { readonly maxByteLength?: number };
    return Math.ceil((leadBytesOf(buffer) + maxByteLength) / this.#pageSizeBytes);
  }

  /** An area on these pages, as many as it needs. */
  add(buffer: ArrayBufferLike, pages: Span): LiveSpan {
    const area = new ViewedArea(buffer, pages, leadBytesOf(buffer));
    this.enter(buffer, area);
    this.#registry.register(buffer, area);
    return area;
  }

  /** Unmaps the areas of buffers that were collected; gives them. */
  dropCollected(mm: Mm): readonly LiveSpan[] {
    const dropped = this.#collected;
    if (dropped.length > 0) this.#collected = [];
    for (const { start, end } of dropped) mm.unmap(start, end);
    return dropped;
  }

  /** A program was executed. */
  clear(): void {
    this.#areas = new WeakMap();
    this.#collected = [];
  }
}

/** EFAULT: it shows nothing. */
export function viewAddress(caller: Caller, view: Uint8Array): SyscallResult<bigint> {
  const find = (): SyscallResult<bigint> => {
    if (view.length === 0) return failure('view', ERRNO.EFAULT);
    const address = locate(caller, view);
    return address === undefined ? failure('view', ERRNO.ENOMEM) : success(address);
  };
  // Only the first look at a buffer changes anything.
  const pageCount = caller.mappings.pagesNeededBy(view.buffer);
  if (pageCount === 0) return caller.ask('view', find);
  return caller.callOn(roomFor(caller.thread.mm, pageCount), 'view', find);
}

export function touchView(
  caller: Caller,
  view: Uint8Array,
  access: Access,
): SyscallResult<undefined> {
  if (view.length === 0) return caller.ask('madvise', () => DONE);
  const found = viewAddress(caller, view);
  if (!found.ok) return failure('madvise', found.errno);
  const { value: address } = found;
  const range = { address, lengthBytes: BigInt(view.length) };
  return caller.callOn(range, 'madvise', (thread) => {
    const { pageSizeBytes } = thread.mm.memory;
    const start = pageOf(address, pageSizeBytes);
    const pageCount = pageOf(address + BigInt(view.length - 1), pageSizeBytes) + 1 - start;
    const advice = access === 'write' ? MADV.POPULATE_WRITE : MADV.POPULATE_READ;
    return madvise(thread, { address: addressOf(start, pageSizeBytes), pageCount, advice });
  });
}

/** Undefined where a new area finds no room. */
function locate({ machine, thread, mappings }: Caller, view: Uint8Array): bigint | undefined {
  const { pageSizeBytes } = machine.memory;
  const area = mappings.areaOf(view.buffer, (pageCount) => {
    const where = { address: 0n, access: 'write', isShared: false, object: null } as const;
    const mapped = mmap(machine, thread, { ...where, pageCount, offset: 0 });
    return mapped.ok ? pageOf(mapped.value, pageSizeBytes) : undefined;
  });
  if (area === undefined) return undefined;
  return addressOf(area.start, pageSizeBytes) + BigInt(area.leadBytes + view.byteOffset);
}
