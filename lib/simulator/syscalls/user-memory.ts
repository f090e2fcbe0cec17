/**
 * Memory of a process that a call reads or writes by address: words, where there is memory, and
 * how far it reaches.
 *
 * Source: copy_from_user() and copy_to_user() of arch/x86/lib/copy_user_64.S.
 */

import type { Access } from '../../backend/backend.ts';
import { BITS_PER_BYTE } from '../../core/units.ts';
import type { MaskArgument } from '../../machine/numa.ts';
import { touchPages } from '../memory/fault.ts';
import { folioIdOf, isFolio } from '../memory/page-entry.ts';
import { indexInFolio } from '../memory/split-folio.ts';
import type { Vma } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { type MaskMemory, UNREADABLE, type UserMask, userMask } from './decode-mask.ts';
import { pageOf } from './range-argument.ts';

const WORD_BYTES = 8;
const INT_BITS = 32;

/** Faults the page in; whether it could be had. */
function canAccess(thread: Thread, address: bigint, access: Access): boolean {
  const page = pageOf(address, thread.mm.memory.pageSizeBytes);
  return touchPages(thread, page, page + 1, access) === 'done';
}

/** A word of memory; undefined where there is none that can be read. */
export function readWord(thread: Thread, address: bigint): bigint | undefined {
  const { mm } = thread;
  if (!canAccess(thread, address, 'read')) return undefined;
  const { pageSizeBytes, folios } = mm.memory;
  const entry = mm.pages.get(pageOf(address, pageSizeBytes));
  if (!isFolio(entry)) return 0n;
  return folios.get(folioIdOf(entry)).words?.get(placeIn(thread, address)) ?? 0n;
}

/** Writes a word; false where there is no memory that can be written. */
export function writeWord(thread: Thread, address: bigint, value: bigint): boolean {
  const { mm } = thread;
  if (!canAccess(thread, address, 'write')) return false;
  const folioId = mm.folioAt(pageOf(address, mm.memory.pageSizeBytes));
  const folio = mm.memory.folios.get(folioId);
  folio.words ??= new Map();
  folio.words.set(placeIn(thread, address), BigInt.asUintN(64, value));
  return true;
}

/** Half a word: a number of 32 bits, of either sign. */
export function readInt(thread: Thread, address: bigint): number | undefined {
  const { start, shift } = halfAt(address);
  const word = readWord(thread, start);
  return word === undefined ? undefined : Number(BigInt.asIntN(INT_BITS, word >> shift));
}

/** Writes half a word; the other half stays. */
export function writeInt(thread: Thread, address: bigint, value: number): boolean {
  const { start, shift } = halfAt(address);
  const word = readWord(thread, start);
  if (word === undefined) return false;
  const kept = word & ~(((1n << BigInt(INT_BITS)) - 1n) << shift);
  return writeWord(thread, start, kept | (BigInt.asUintN(INT_BITS, BigInt(value)) << shift));
}

/** The word that a number of 32 bits is part of. */
function halfAt(address: bigint): { readonly start: bigint; readonly shift: bigint } {
  const start = address - (address % BigInt(WORD_BYTES));
  return { start, shift: (address - start) * BITS_PER_BYTE };
}

/** Byte offset in the page's folio. */
function placeIn({ mm }: Thread, address: bigint): number {
  const { pageSizeBytes, folios } = mm.memory;
  const page = pageOf(address, pageSizeBytes);
  const entry = mm.pages.get(page);
  const inPage = Number(address % BigInt(pageSizeBytes));
  const folio = isFolio(entry) ? folios.get(folioIdOf(entry)) : null;
  if (folio === null) return inPage;
  return indexInFolio(mm.vmas.lookup(page) as Vma, page, folio) * pageSizeBytes + inPage;
}

/** A mask in the process's own memory. */
function maskAt(thread: Thread, address: bigint): MaskMemory {
  return { word: (index) => readWord(thread, address + BigInt(index * WORD_BYTES)) };
}

/** A mask argument, whose words are given or lie in the process's own memory. */
export function maskArgument(thread: Thread, mask: MaskArgument): UserMask {
  if (mask === null || 'words' in mask) return userMask(mask);
  const maxnode = BigInt(mask.maxnode);
  if (mask.pointer === 0n) return { memory: null, maxnode };
  const isAligned = mask.pointer % BigInt(WORD_BYTES) === 0n;
  return { memory: isAligned ? maskAt(thread, mask.pointer) : UNREADABLE, maxnode };
}

/** Bytes that can be written from an address on, up to a limit. */
export function writableBytes(thread: Thread, address: bigint, limit: bigint): bigint {
  const size = BigInt(thread.mm.memory.pageSizeBytes);
  let end = address;
  while (end - address < limit && canAccess(thread, end, 'write')) end = (end / size + 1n) * size;
  return end - address;
}
