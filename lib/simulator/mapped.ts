/**
 * One mapping that a simulated process has through its backend.
 */

import type { Mapping, MappingHandle } from '../backend/mapping.ts';
import type { Span } from '../core/sorted-spans.ts';
import { hasOwnBytes } from './mapped-bytes.ts';
import type { Contents, MappedFile } from './mapped-file.ts';
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
