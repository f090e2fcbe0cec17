/**
 * What is behind a mapping, and what JavaScript sees of it: all shared mappings of the same bytes
 * of an object show one ArrayBuffer, in whichever process of the machine.
 *
 * Deviation: mappings of one object that begin or end elsewhere have bytes of their own
 * (docs/simulator.md, "Differences").
 */

import type { Mapping } from '../backend/mapping.ts';
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
  /** Live shares that have asked for them. */
  readonly viewers: Set<Mapping>;
}

/** Of shared mappings of an object, by offset and length. */
const sharedContents = new WeakMap<MemoryObject, Map<string, Contents>>();

export function contentsOf(file: MappedFile | null, lengthBytes: number): Contents {
  const made = { bytes: undefined, viewers: new Set<Mapping>() };
  if (file === null || !file.isShared) return made;
  const known = sharedContents.get(file.object) ?? new Map<string, Contents>();
  sharedContents.set(file.object, known);
  const key = `${file.offsetBytes} ${lengthBytes}`;
  const contents = known.get(key) ?? made;
  known.set(key, contents);
  return contents;
}
