/**
 * One mapping that a simulated process has through its backend, what is behind it, and the bytes
 * that JavaScript sees of it: how they end, or become others. All shared mappings of the same bytes
 * of an object show one ArrayBuffer, in whichever process of the machine.
 *
 * Deviation: mappings of one object that begin or end elsewhere have bytes of their own, and a
 * file's bytes are those that it had when it was opened (docs/simulator.md, "Differences").
 */

import { type ReadableByteStreamController, ReadableStream } from 'node:stream/web';
import type { Mapping, MappingHandle } from '../backend/mapping.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import type { Span } from '../core/sorted-spans.ts';
import type { MemoryObject } from './memory/memory-object.ts';
import type { LiveSpan } from './viewed-buffers.ts';

/** What one mmap returned, with all of its owners. */
export class Mapped implements LiveSpan {
  looked: readonly Span[] | undefined = [];
  readonly handle: MappingHandle;
  readonly address: bigint;
  readonly lengthBytes: number;
  readonly start: number;
  readonly end: number;
  readonly leadBytes: number = 0;
  readonly file: MappedFile | null;
  readonly contents: Contents;

  constructor(members: Omit<Mapped, 'leadBytes' | 'bytes' | 'original' | 'looked' | 'look'>) {
    ({ handle: this.handle, address: this.address, lengthBytes: this.lengthBytes } = members);
    ({ start: this.start, end: this.end, file: this.file, contents: this.contents } = members);
  }

  get bytes(): ArrayBuffer | undefined {
    return this.contents.bytes;
  }

  get original(): Uint8Array | undefined {
    return this.contents.original;
  }

  /** Somebody may write these bytes from now on, or all; whether nobody had asked for them. */
  look(part: ByteRange | undefined, pageSizeBytes: number): boolean {
    const { looked } = this;
    if (looked === undefined) return false;
    if (part === undefined) {
      this.looked = undefined;
      return true;
    }
    const start = Math.floor(part.offsetBytes / pageSizeBytes);
    const end = Math.ceil((part.offsetBytes + part.lengthBytes) / pageSizeBytes);
    if (looked.some((span) => span.start <= start && span.end >= end)) return false;
    this.looked = joined([...looked, { start, end }]);
    return true;
  }
}

export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Ascending, apart from each other. */
function joined(spans: readonly Span[]): Span[] {
  const ends: Span[] = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const last = ends.at(-1);
    if (last === undefined || last.end < start) ends.push({ start, end });
    else ends.splice(-1, 1, { start: last.start, end: Math.max(last.end, end) });
  }
  return ends;
}

/** Of a child after a fork. */
export function privateCopyOf(mapped: Mapped): Mapped {
  const bytes = hasOwnBytes(mapped) ? mapped.bytes.slice(0) : undefined;
  const contents = { ...mapped.contents, bytes, viewers: new Set<Mapping>() };
  const copy = new Mapped({ ...mapped, contents });
  copy.looked = mapped.looked;
  return copy;
}

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

export interface MappedFile {
  readonly object: MemoryObject;
  /** Where in it the mapping begins. */
  readonly offsetBytes: number;
  readonly isShared: boolean;
  /** The mapping's own; `null` for huge pages without a name. */
  readonly descriptor: number | null;
}

interface Contents {
  /** Made when first asked for, so that a mapping of terabytes can be had. */
  bytes: ArrayBuffer | undefined;
  /** What the file has: other bytes were written here. Absent: zeros. */
  readonly original?: Uint8Array;
  /** Live shares that have asked for them. */
  readonly viewers: Set<Mapping>;
}

/** A file of the host. */
interface HostFile {
  /** As they were when it was opened, or written back. */
  readonly bytes: Uint8Array;
  /** Whether it was found to be shorter than what was to be written. */
  isTruncated: boolean;
  /** How many bytes. */
  write(offsetBytes: number, bytes: Uint8Array): SyscallResult<number>;
}

const hostFiles = new WeakMap<MemoryObject, HostFile>();

export function keepFile(object: MemoryObject, file: HostFile): void {
  hostFiles.set(object, file);
}

export function isTruncated(object: MemoryObject): boolean {
  return hostFiles.get(object)?.isTruncated === true;
}

/** Of shared mappings of an object, by offset and length. */
const sharedContents = new WeakMap<MemoryObject, Map<string, Contents>>();

export function contentsOf(file: MappedFile | null, lengthBytes: number): Contents {
  if (file === null) return { bytes: undefined, viewers: new Set() };
  const { object, offsetBytes, isShared } = file;
  const host = hostFiles.get(object)?.bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  const viewers = new Set<Mapping>();
  const made = { bytes: undefined, viewers, ...(host === undefined ? {} : { original: host }) };
  if (!isShared) return made;
  const known = sharedContents.get(object) ?? new Map<string, Contents>();
  sharedContents.set(object, known);
  const key = `${offsetBytes} ${lengthBytes}`;
  const contents = known.get(key) ?? made;
  known.set(key, contents);
  return contents;
}

/** Fresh bytes, as the file has them. */
export function newBytes({ original }: Contents, lengthBytes: number): ArrayBuffer {
  const bytes = new ArrayBuffer(lengthBytes);
  if (original !== undefined) new Uint8Array(bytes).set(original);
  return bytes;
}

/** Writes what differs from a host's file there, from the first such byte to the last; an errno. */
export function writeBack(mapped: {
  readonly file: MappedFile | null;
  readonly contents: Contents;
}): number {
  const { file, contents } = mapped;
  const { bytes, original } = contents;
  if (file === null || !file.isShared || original === undefined) return 0;
  if (bytes === undefined || bytes.byteLength === 0) return 0;
  const now = new Uint8Array(bytes);
  const differs = (byte: number, index: number): boolean => byte !== original[index];
  const first = now.findIndex(differs);
  if (first < 0) return 0;
  const changed = now.subarray(first, now.findLastIndex(differs) + 1);
  const host = hostFiles.get(file.object);
  const written = host?.write(file.offsetBytes + first, changed);
  if (host === undefined || written === undefined) return 0;
  if (!written.ok) return written.errno;
  if (written.value < changed.length) host.isTruncated = true;
  original.set(changed, first);
  return 0;
}
