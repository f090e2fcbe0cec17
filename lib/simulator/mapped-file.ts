/**
 * What is behind a mapping, and what JavaScript sees of it: all shared mappings of the same bytes
 * of an object show one ArrayBuffer, in whichever process of the machine.
 *
 * Deviation: mappings of one object that begin or end elsewhere have bytes of their own, and a
 * file's bytes are those that it had when it was opened (docs/simulator.md, "Differences").
 */

import type { Mapping } from '../backend/mapping.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import type { MemoryObject } from './memory/memory-object.ts';

export interface MappedFile {
  readonly object: MemoryObject;
  /** Where in it the mapping begins. */
  readonly offsetBytes: number;
  readonly isShared: boolean;
  /** The mapping's own; `null` for huge pages without a name. */
  readonly descriptor: number | null;
}

export interface Contents {
  /** Made when first asked for, so that a mapping of terabytes can be had. */
  bytes: ArrayBuffer | undefined;
  /** What the file has: other bytes were written here. Absent: zeros. */
  readonly original?: Uint8Array;
  /** Live shares that have asked for them. */
  readonly viewers: Set<Mapping>;
}

/** A file of the host. */
export interface HostFile {
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
