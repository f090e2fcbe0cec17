/**
 * The second way to move pages, where move_pages is refused: seccomp profiles of container engines
 * leave mbind and get_mempolicy to those who have CAP_SYS_NICE. Pages in a row with one target get
 * the policy to be there alone, which moves them, and then their own policies back, part by part.
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
import { roomPagesOf, ZONEINFO } from '../../procfs/zoneinfo.ts';
import { abortOf, type Stop, type Targets, targetAt } from '../pages/attempt-pages.ts';
import { type Chunk, outcomeOfUnmoved } from '../pages/move-chunk.ts';
import { STATUS_NOT_PRESENT, STATUS_ZERO_PAGE } from '../pages/residency.ts';
import { countByMappingsSync } from '../pages/residency-by-mappings.ts';
import {
  type PolicyPart,
  partsWithin,
  policiesOf,
  restorePolicies,
} from '../policy/policy-parts.ts';

/** Unlike what others set: what has it is a mapping of its own, which numa_maps tells apart. */
const ON_TARGET = MPOL.BIND | MPOL_MODE_FLAG.STATIC_NODES;
/** Free pages that say nothing of room: those that CPUs give back late, and others take. */
const ROOM_PAGES_MIN = 512;

/** What is known of the pages of a step. */
interface Look {
  /** A node, or `STATUS_NOT_PRESENT`. */
  readonly places: Int32Array;
  /** Pages that others map, too. */
  readonly shared: ReadonlySet<number>;
  /** Of no file, present, and not mapped here alone: of zeros, or shared. */
  readonly unclear: readonly number[];
}

/** The same as `moveChunk`, for a chunk of the calling process. */
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
  const { places: before, unclear } = look.value;
  const targets = targetsOf(before);
  const stop = abortOf(chunk.signal) ?? stopBefore;
  const runs = runsOf(before, targets, isJudged);
  if (stop !== undefined || (runs.length === 0 && unclear.length === 0)) {
    const outcome = outcomeOfUnmoved(before, targets, stop);
    tally.add({ before, targets, outcome, located: before });
    return stop;
  }
  return moveRuns({ ...chunk, targets }, runs, look.value);
}

/** Pages in a row that go to one node. */
interface Run {
  readonly target: NodeId;
  readonly first: number;
  readonly last: number;
}

/**
 * As few as there can be, for each takes two calls: pages that are absent, or there already, are in
 * the run around them. With one target a step is one run.
 */
function runsOf(places: Int32Array, targets: Targets, isJudged: boolean): Run[] {
  if (typeof targets === 'number') {
    const hasWork = isJudged || places.some((place) => place >= 0 && place !== targets);
    return hasWork ? [{ target: targets, first: 0, last: places.length - 1 }] : [];
  }
  const runs: Run[] = [];
  let open: Run | undefined;
  for (let page = 0; page < places.length; page += 1) {
    const place = places[page] as number;
    const target = targetAt(targets, page);
    if (place < 0 || (place === target && place === open?.target)) continue;
    if (open !== undefined && (place === target || target !== open.target)) {
      runs.push(open);
      open = undefined;
    }
    if (place !== target) open = { target, first: open?.first ?? page, last: page };
  }
  return open === undefined ? runs : [...runs, open];
}

type AimedChunk = Chunk & { readonly targets: Targets };

function moveRuns(chunk: AimedChunk, runs: readonly Run[], look: Look): Stop | undefined {
  const { range, span, tally, targets, flags } = chunk;
  const kept = policiesOf(range.backend, span);
  if (!kept.ok) return unmoved(chunk, look, look.places, kept);
  let failure: SyscallFailure | undefined;
  for (const run of runs) {
    const bound = whileBound(chunk, kept.value, { ...run, flags }, () => undefined);
    if (!bound.ok) failure ??= bound;
    if (failure !== undefined) break;
  }
  const zeros = failure === undefined ? zeroPagesIn(chunk, kept.value, look.unclear) : [];
  for (const page of zeros) look.places[page] = STATUS_ZERO_PAGE;
  const after = lookAt(chunk, look.places, targets);
  if (!after.ok) return unmoved(chunk, look, look.places, after);
  const { places: located } = after.value;
  if (failure !== undefined) return unmoved(chunk, look, located, failure);
  const outcome = outcomeOf(chunk, look, located);
  tally.add({ before: look.places, targets, outcome, located });
  return undefined;
}

/** What comes of a look while a run is bound to its target; its own policies come back. */
function whileBound<T>(
  { range, span, tally }: AimedChunk,
  kept: readonly PolicyPart[],
  { target, first, last, flags }: Run & { readonly flags: number },
  run: () => T,
): SyscallResult<T> {
  const { backend } = range;
  const size = BigInt(backend.pageSizeBytes);
  const bound = { address: span.address + BigInt(first) * size, pageCount: last - first + 1 };
  const lengthBytes = bound.pageCount * backend.pageSizeBytes;
  const nodemask = nodemaskWords(NodeMask.of(target));
  const { address } = bound;
  const set = backend.mbind({ address, lengthBytes, mode: ON_TARGET, nodemask, flags });
  const value = run();
  const parts = partsWithin(kept, bound, backend.pageSizeBytes);
  tally.countSyscall('mbind', 1 + parts.length);
  const restored = restorePolicies(backend, parts);
  if (!set.ok) return set;
  return restored.ok ? { ok: true, value } : restored;
}

/** A step that a refusal has ended, with the places where its pages are then. */
function unmoved(
  { tally, targets }: AimedChunk,
  { places: before }: Look,
  located: Int32Array,
  failure: SyscallFailure,
): Stop {
  const stop: Stop = { kind: 'failed', failure };
  tally.add({ before, targets, outcome: outcomeOfUnmoved(located, targets, stop), located });
  return stop;
}

/**
 * Where the pages are. Only those that are there are asked for: the others would be faulted in.
 * @param known of a second look: pages that were on their target, or not there, are not asked again
 */
function lookAt(
  { range, span, tally }: Chunk,
  known?: Int32Array,
  targets: Targets = STATUS_NOT_PRESENT,
): SyscallResult<Look> {
  const { backend } = range;
  const entries = backend.pagemap(span);
  if (!entries.ok) return entries;
  const places = known?.slice() ?? new Int32Array(span.pageCount).fill(STATUS_NOT_PRESENT);
  const shared = new Set<number>();
  const unclear: number[] = [];
  for (let index = 0; index < span.pageCount; index += 1) {
    const entry = entries.value[index] as bigint;
    if (isSettled(known?.[index], targetAt(targets, index))) continue;
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

function isSettled(place: number | undefined, target: NodeId): boolean {
  return place !== undefined && (place < 0 || place === target);
}

/**
 * Those of the unclear pages that are the page of zeros: numa_maps counts them for no node. It
 * counts mappings, so pages of both kinds are bound by halves, until each half is of one kind.
 */
function zeroPagesIn(
  chunk: AimedChunk,
  kept: readonly PolicyPart[],
  unclear: readonly number[],
): readonly number[] {
  const [first] = unclear;
  const last = unclear.at(-1);
  if (first === undefined || last === undefined) return [];
  const { range, span } = chunk;
  const pageCount = last - first + 1;
  const address = span.address + BigInt(first) * BigInt(range.backend.pageSizeBytes);
  const bound = { target: targetAt(chunk.targets, first), first, last, flags: 0 };
  const told = whileBound(chunk, kept, bound, () =>
    countByMappingsSync({ ...range, address, pageCount }),
  );
  const zeros = told.ok && told.value.ok ? told.value.value.pages.zeroPage : 0;
  if (zeros === 0) return [];
  if (zeros >= unclear.length) return unclear;
  const half = unclear.length >> 1;
  return [unclear.slice(0, half), unclear.slice(half)].flatMap((pages) =>
    zeroPagesIn(chunk, kept, pages),
  );
}

/** What became of each page; the kernel says of none why it stayed. */
function outcomeOf(
  { range, flags, targets }: AimedChunk,
  { places: before, shared }: Look,
  located: Int32Array,
): Int32Array {
  const left = new Map<NodeId, number[]>();
  const outcome = located.map((place, index) => {
    const target = targetAt(targets, index);
    if (place < 0 || (before[index] as number) < 0 || place === target) return place;
    if (flags !== MPOL_MF.MOVE_ALL && shared.has(index)) return -ERRNO.EACCES;
    const others = left.get(target);
    if (others === undefined) left.set(target, [index]);
    else others.push(index);
    return STATUS_UNSET;
  });
  for (const [target, pages] of left) {
    const reason = hasRoom(range.backend, target, pages.length) ? -ERRNO.EBUSY : -ERRNO.ENOMEM;
    for (const page of pages) outcome[page] = reason;
  }
  return outcome;
}

/**
 * Whether pages could have gone there, by the zones of the node: then it was not for want of
 * memory. A move that finds no room leaves none, but for what is given back behind it.
 */
function hasRoom(backend: Backend, node: NodeId, pageCount: number): boolean {
  const zones = backend.readTextSync(ZONEINFO);
  return !zones.ok || roomPagesOf(zones.value, node) >= Math.min(pageCount, ROOM_PAGES_MIN);
}
