/**
 * Ordinary pages in a row, each on whatever node, to one node that has room for them: the outcome
 * of moving one after the other, without a list. Nothing can keep such a page where it is.
 *
 * Source: mm/migrate.c, do_pages_move().
 */

import { NODE_ID_MAX } from '../../core/uapi.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import {
  inlineEntry,
  isInline,
  isIsolatedInline,
  isMarked,
  nodeOfInline,
} from '../memory/page-entry.ts';
import { hasFlag, VM } from '../memory/vma.ts';
import { countAllocation, findNode, type Search } from '../policy/placement.ts';

/** What is asked of the pages from `start` on. */
export interface OrdinaryMove {
  readonly start: number;
  /** Exclusive: where the call ends. */
  readonly end: number;
  readonly node: number;
  readonly search: Search;
  /** Pages in front of these that want room, too. */
  readonly pendingPages: number;
}

/**
 * Pages that move by themselves, whatever lies behind them: up to one that is there already, which
 * ends a run of the call, or to the call's end.
 */
export function ordinaryPages(space: AddressSpace, move: OrdinaryMove): number {
  const { start, end, node, search, pendingPages } = move;
  const { physical } = space.memory;
  const vma = space.vmas.lookup(start);
  if (vma === undefined || vma.access === 'none' || hasFlag(vma, VM.IO)) return 0;
  if (findNode(physical, search) !== node) return 0;
  const target = inlineEntry(node);
  const stop = Math.min(end, vma.end);
  let roomPages = physical.availablePages(node) - pendingPages;
  let settled = start;
  let page = start;
  space.pages.forEachPart(start, stop, (first, pageCount, entries, offset) => {
    if (page !== first || typeof entries === 'number') return;
    const found = scanTable(entries.subarray(offset, offset + pageCount), target, roomPages);
    roomPages -= found.moves;
    page += found.handled;
    if (found.settled > 0) settled = first + found.settled;
  });
  return (page === end ? page : settled) - start;
}

interface Scanned {
  /** Ordinary pages before the first that is not. */
  readonly handled: number;
  /** Those of them up to the last that is there already. */
  readonly settled: number;
  readonly moves: number;
}

function scanTable(entries: Uint32Array, target: number, roomPages: number): Scanned {
  let settled = 0;
  let moves = 0;
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] as number;
    if (entry === target) settled = index + 1;
    else if (!isOrdinary(entry) || moves === roomPages) return { handled: index, settled, moves };
    else moves += 1;
  }
  return { handled: entries.length, settled, moves };
}

/** Moves as many pages as `ordinaryPages` has told. */
export function moveOrdinary(space: AddressSpace, pageCount: number, move: OrdinaryMove): void {
  const { physical, migrated } = space.memory;
  const target = inlineEntry(move.node);
  // By entry: a Map would cost more than all the rest.
  const gone = new Int32Array(inlineEntry(NODE_ID_MAX) + 1);
  space.pages.forEachPart(move.start, move.start + pageCount, (_page, count, entries, offset) => {
    if (typeof entries !== 'number') {
      replaceAll(entries.subarray(offset, offset + count), target, gone);
    }
  });
  gone[target] = 0;
  for (const [entry, count] of gone.entries()) {
    if (count === 0) continue;
    physical.take(move.node, count);
    countAllocation(physical, move.search, move.node, count);
    migrated.moved += count;
    physical.giveBack(nodeOfInline(entry), count);
  }
}

/** Counts what was there, and puts the target in its place. */
function replaceAll(entries: Uint32Array, target: number, gone: Int32Array): void {
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] as number;
    gone[entry] = (gone[entry] as number) + 1;
    entries[index] = target;
  }
}

function isOrdinary(entry: number): boolean {
  return isInline(entry) && !isMarked(entry) && !isIsolatedInline(entry);
}
