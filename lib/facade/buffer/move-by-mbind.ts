/**
 * The second way to move pages, where move_pages is refused: seccomp profiles of container engines
 * leave mbind and get_mempolicy to those who have CAP_SYS_NICE. A step gets the policy to be on the
 * target alone, which moves its pages, and then its own policies back, part by part.
 *
 * No other JavaScript of this thread runs in the middle of a step: the memory stays whose it was.
 *
 * Source: mbind(2) with MPOL_MF_MOVE, get_mempolicy(2) with MPOL_F_NODE | MPOL_F_ADDR,
 * proc_pid_pagemap(5); mm/mempolicy.c, do_mbind() and lookup_node().
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { type NodeId, NodeMask } from '../../core/node-mask.ts';
import { nodemaskWords } from '../../core/nodemask-words.ts';
import {
  MPOL,
  MPOL_F,
  MPOL_MF,
  MPOL_MODE_FLAG,
  PM_FILE,
  PM_MMAP_EXCLUSIVE,
  PM_PRESENT,
  STATUS_UNSET,
} from '../../core/uapi.ts';
import { abortOf, type Stop } from '../pages/attempt-pages.ts';
import { type Chunk, outcomeOfUnmoved } from '../pages/move-chunk.ts';
import { STATUS_NOT_PRESENT, STATUS_ZERO_PAGE } from '../pages/residency.ts';
import { countByMappingsSync } from '../pages/residency-by-mappings.ts';
import { policiesOf, restorePolicies } from '../policy/policy-parts.ts';

/** Unlike what others set: a step is a mapping of its own, which numa_maps tells apart. */
const ON_TARGET = MPOL.BIND | MPOL_MODE_FLAG.STATIC_NODES;
/** Of a node's memory, what its kernel gives to nobody who asks for one page: its watermarks. */
const KEPT_BACK = 1 / 32;

/** What is known of the pages of a step. */
interface Look {
  /** A node, or `STATUS_NOT_PRESENT`. */
  readonly places: Int32Array;
  /** Pages that others map, too. */
  readonly shared: ReadonlySet<number>;
  /** Of no file, present, and not mapped here alone: of zeros, or shared. */
  readonly unclear: readonly number[];
}

/** The same as `moveChunk`, for a chunk of the calling process with one target. */
export async function moveChunkByMbind(
  chunk: Chunk,
  stopBefore: Stop | undefined,
): Promise<Stop | undefined> {
  const { tally, span, targetsOf, isJudged = false } = chunk;
  const look = lookAt(chunk);
  if (!look.ok) {
    tally.addUnknown(span.pageCount);
    return { kind: 'failed', failure: look };
  }
  const { places: before } = look.value;
  const target = targetsOf(before) as NodeId;
  const stop = abortOf(chunk.signal) ?? stopBefore;
  const hasWork = before.some((place) => place >= 0 && place !== target);
  const isAsked = hasWork || isJudged || look.value.unclear.length > 0;
  if (stop !== undefined || !isAsked) {
    const outcome = outcomeOfUnmoved(before, target, stop);
    tally.add({ before, targets: target, outcome, located: before });
    return stop;
  }
  return moveByPolicy(chunk, target, look.value);
}

function moveByPolicy(chunk: Chunk, target: NodeId, look: Look): Stop | undefined {
  const { range, span, tally } = chunk;
  const { backend } = range;
  const kept = policiesOf(backend, span);
  if (!kept.ok) return unmoved(chunk, look, target, kept);
  tally.countSyscall('mbind');
  const nodemask = nodemaskWords(NodeMask.of(target));
  const lengthBytes = span.pageCount * backend.pageSizeBytes;
  const bound = { address: span.address, lengthBytes, mode: ON_TARGET, nodemask };
  const moved = backend.mbind({ ...bound, flags: chunk.flags });
  const zeros = moved.ok ? zeroPagesIn(chunk, look) : [];
  tally.countSyscall('mbind', kept.value.length);
  const restored = restorePolicies(backend, kept.value);
  if (!moved.ok) return unmoved(chunk, look, target, moved);
  for (const index of zeros) look.places[index] = STATUS_ZERO_PAGE;
  const after = lookAt(chunk, look.places, target);
  if (!after.ok) return unmoved(chunk, look, target, after);
  const { places: located } = after.value;
  const outcome = outcomeOf(chunk, target, look, located);
  tally.add({ before: look.places, targets: target, outcome, located });
  return restored.ok ? undefined : { kind: 'failed', failure: restored };
}

/** A step whose policy could not be set, or whose pages could not be looked at afterwards. */
function unmoved({ tally }: Chunk, look: Look, target: NodeId, failure: SyscallFailure): Stop {
  const stop: Stop = { kind: 'failed', failure };
  const outcome = outcomeOfUnmoved(look.places, target, stop);
  tally.add({ before: look.places, targets: target, outcome, located: look.places });
  return stop;
}

/**
 * Where the pages are. Only those that are there are asked for: the others would be faulted in.
 * @param known of a second look: pages that were on the target, or not there, are not asked again
 */
function lookAt(
  { range, span, tally }: Chunk,
  known?: Int32Array,
  target?: NodeId,
): SyscallResult<Look> {
  const { backend } = range;
  const entries = backend.pagemap(span);
  if (!entries.ok) return entries;
  const places = known?.slice() ?? new Int32Array(span.pageCount).fill(STATUS_NOT_PRESENT);
  const shared = new Set<number>();
  const unclear: number[] = [];
  for (let index = 0; index < span.pageCount; index += 1) {
    const entry = entries.value[index] as bigint;
    if (isSettled(known?.[index], target)) continue;
    places[index] = STATUS_NOT_PRESENT;
    if ((entry & PM_PRESENT) === 0n) continue;
    const address = span.address + BigInt(index * backend.pageSizeBytes);
    const flags = MPOL_F.NODE | MPOL_F.ADDR;
    const place = backend.getMempolicy({ flags, address, maxnode: 0 });
    tally.countSyscall('get_mempolicy');
    if (!place.ok) return place;
    places[index] = place.value.mode;
    if ((entry & PM_MMAP_EXCLUSIVE) !== 0n) continue;
    shared.add(index);
    if ((entry & PM_FILE) === 0n) unclear.push(index);
  }
  return { ok: true, value: { places, shared, unclear } };
}

function isSettled(place: number | undefined, target: NodeId | undefined): boolean {
  return place !== undefined && (place < 0 || place === target);
}

/** Those of the unclear pages that are the page of zeros: numa_maps counts them for no node. */
function zeroPagesIn({ range, span }: Chunk, { unclear }: Look): readonly number[] {
  if (unclear.length === 0) return [];
  const told = countByMappingsSync({ ...range, ...span });
  return told.ok ? unclear.slice(0, told.value.pages.zeroPage) : [];
}

/** What became of each page; the kernel says of none why it stayed. */
function outcomeOf(
  { range, flags }: Chunk,
  target: NodeId,
  { places: before, shared }: Look,
  located: Int32Array,
): Int32Array {
  const isLeft = (index: number): boolean =>
    (before[index] as number) >= 0 && located[index] !== target;
  const isSpared = (index: number): boolean => flags !== MPOL_MF.MOVE_ALL && shared.has(index);
  const outcome = located.map((place, index) =>
    place < 0 || !isLeft(index) ? place : isSpared(index) ? -ERRNO.EACCES : STATUS_UNSET,
  );
  const left = outcome.reduce((sum, code) => sum + (code === STATUS_UNSET ? 1 : 0), 0);
  if (left === 0) return outcome;
  const reason = hasRoom(range.backend, target, left) ? -ERRNO.EBUSY : -ERRNO.ENOMEM;
  return outcome.map((code) => (code === STATUS_UNSET ? reason : code));
}

/** Whether pages that stayed would fit: then it was not for want of memory. */
function hasRoom(backend: Backend, node: NodeId, pageCount: number): boolean {
  const memory = backend.nodeMemory(node);
  if (!memory.ok) return true;
  const { freeBytes, memoryBytes } = memory.value;
  if (freeBytes === null) return true;
  return freeBytes - (memoryBytes ?? 0) * KEPT_BACK >= pageCount * backend.pageSizeBytes;
}
