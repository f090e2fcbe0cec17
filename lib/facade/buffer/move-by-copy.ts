/**
 * Moves memory of node-numa's own by copies on the target that take its pages' place: possible
 * where the kernel's calls are refused. Sound only for what nobody writes meanwhile (move-ways.ts).
 */

import type { CopiedPages, PageSpan } from '../../backend/backend.ts';
import type { Mapping } from '../../backend/mapping.ts';
import type { SyscallFailure, SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { PM_PRESENT, PM_SWAP, STATUS_UNSET } from '../../core/uapi.ts';
import { abortOf, type Stop } from '../pages/attempt-pages.ts';
import { callFailed } from '../pages/migration-tally.ts';
import { type Chunk, locateChunk, type moveChunk } from '../pages/move-chunk.ts';
import {
  hugePagePages,
  type PagesOfProcess,
  STATUS_NOT_PRESENT,
  STATUS_ZERO_PAGE,
} from '../pages/residency.ts';
import { countByMappingsSync } from '../pages/residency-by-mappings.ts';
import { areasWithin, type CopyArea, type CopyGround } from './copy-ground.ts';

/** Between two looks at the signal: each step leaves a mapping of its own in a large range. */
const STEP_BYTES = 64 * 2 ** 20;

export function copyStepPageCount(pageSizeBytes: number): number {
  return Math.max(STEP_BYTES / pageSizeBytes, hugePagePages(pageSizeBytes));
}

/** The same as `moveChunk`, on this ground. */
export function moveChunkByCopy(ground: CopyGround): typeof moveChunk {
  const places = new Places(ground.places);
  return async (chunk, stopBefore) => {
    const asked = ground.places === null ? await locateChunk(chunk) : undefined;
    if (asked !== undefined && !(asked instanceof Int32Array)) return asked;
    const { span } = chunk;
    const status = new Int32Array(span.pageCount).fill(STATUS_UNSET);
    const target = chunk.targetsOf(new Int32Array(1)) as NodeId;
    let stop = abortOf(chunk.signal) ?? stopBefore;
    const work =
      stop !== undefined || places.only === target ? [] : areasWithin(ground, chunk.range, span);
    for (const area of work) {
      for (const part of partsToCopy(chunk, area, asked, target)) {
        stop ??= await copyPart(chunk, { ...area, ...part }, { ground, target, status });
      }
    }
    return account(chunk, { places, asked, status, target }, stop);
  };
}

/** Where pages were, page by page: the order among several nodes is made up, the sums are true. */
class Places {
  readonly #only: NodeId | undefined;
  readonly #left: Map<NodeId, number>;

  constructor(known: CopyGround['places']) {
    this.#only = typeof known === 'number' ? known : undefined;
    this.#left = new Map(known === null || typeof known === 'number' ? [] : known);
  }

  /** That of all pages, where it is known. */
  get only(): NodeId | undefined {
    return this.#only;
  }

  next(): NodeId {
    if (this.#only !== undefined) return this.#only;
    for (const [node, count] of this.#left) {
      if (count === 0) continue;
      this.#left.set(node, count - 1);
      return node;
    }
    return STATUS_NOT_PRESENT;
  }
}

/** Parts that lie between borders of huge pages, where it is known that something is to move. */
function* partsToCopy(
  { range, span }: Chunk,
  area: PageSpan,
  before: Int32Array | undefined,
  target: NodeId,
): Generator<PageSpan> {
  if (before === undefined) {
    yield area;
    return;
  }
  const size = BigInt(range.backend.pageSizeBytes);
  const hugePages = hugePagePages(range.backend.pageSizeBytes);
  const offset = Number((area.address - span.address) / size);
  const firstPage = Number(area.address / size);
  let start = 0;
  let end = 0;
  const part = (): PageSpan => ({
    address: area.address + BigInt(start) * size,
    pageCount: end - start,
  });
  for (let at = 0; at < area.pageCount; ) {
    const next = Math.min(at + hugePages - ((firstPage + at) % hugePages), area.pageCount);
    const places = before.subarray(offset + at, offset + next);
    if (places.some((place) => place >= 0 && place !== target)) {
      end = next;
    } else {
      if (end > start) yield part();
      start = next;
      end = next;
    }
    at = next;
  }
  if (end > start) yield part();
}

interface Copying {
  readonly ground: CopyGround;
  readonly target: NodeId;
  readonly status: Int32Array;
}

async function copyPart(
  { range, span, tally }: Chunk,
  area: CopyArea,
  { ground, target, status }: Copying,
): Promise<Stop | undefined> {
  const { backend } = range;
  const mapping = range.mapping as Mapping;
  const offsetBytes = Number(area.address - mapping.address);
  const wholePages = area.pageCount * backend.pageSizeBytes;
  const result: SyscallResult<CopiedPages> = await backend.copyPages({
    mapping,
    offsetBytes,
    lengthBytes: Math.min(wholePages, mapping.lengthBytes - offsetBytes),
    node: target,
    cpus: ground.cpus,
    mode: area.mode,
    nodemask: area.nodemask,
    advice: area.advice,
    mayKeep: area.mayKeep,
  });
  if (!result.ok) return { kind: 'failed', failure: result };
  const { swapCount, stop, isVerified } = result.value;
  tally.countSyscall('mremap', swapCount);
  const copied = result.value.status;
  if (!isVerified) judge(range, area, copied, target);
  status.set(copied, Number((area.address - span.address) / BigInt(backend.pageSizeBytes)));
  return stop === undefined ? undefined : stopOf(stop);
}

function stopOf(failure: SyscallFailure): Stop {
  const isFull = failure.errno === ERRNO.ENOMEM && failure.syscall === 'mbind';
  return isFull ? { kind: 'no-memory' } : { kind: 'failed', failure };
}

/** What the kernel did not say its files count: copies that fell elsewhere had no room. */
function judge(range: PagesOfProcess, span: PageSpan, copied: Int32Array, target: NodeId): void {
  const told = countByMappingsSync({ ...range, ...span });
  if (!told.ok) return;
  let left = copied.reduce((sum, code) => sum + (code === target ? 1 : 0), 0);
  left -= told.value.byNode[target] ?? 0;
  for (let at = copied.length - 1; at >= 0 && left > 0; at -= 1) {
    if (copied[at] !== target) continue;
    copied[at] = -ERRNO.ENOMEM;
    left -= 1;
  }
}

interface Account {
  readonly places: Places;
  readonly asked: Int32Array | undefined;
  readonly status: Int32Array;
  readonly target: NodeId;
}

/** By a comparison of bytes: a look at each page takes longer than its copy. */
function areAll(status: Int32Array, target: NodeId): boolean {
  const wanted = new Int32Array(status.length).fill(target);
  return Buffer.compare(new Uint8Array(wanted.buffer), new Uint8Array(status.buffer)) === 0;
}

/** Enters what became of each page. */
function account(
  { range, span, tally }: Chunk,
  { places, asked, status, target }: Account,
  stop: Stop | undefined,
): Stop | undefined {
  const { only } = places;
  if (only !== undefined && areAll(status, target)) {
    tally.addMoved(span.pageCount, only, target);
    return stop;
  }
  const entries = status.includes(STATUS_UNSET) ? range.backend.pagemap(span) : undefined;
  const isThere = (index: number): boolean => {
    const code = status[index] as number;
    if (code !== STATUS_UNSET) return code >= 0 || code === -ERRNO.EACCES || code === -ERRNO.ENOMEM;
    const entry = entries?.ok ? (entries.value[index] as bigint) : 0n;
    return (entry & PM_PRESENT) !== 0n && (entry & PM_SWAP) === 0n;
  };
  const placeOf = (index: number): number => {
    if (isThere(index)) return places.next();
    return status[index] === -ERRNO.EFAULT ? STATUS_ZERO_PAGE : STATUS_NOT_PRESENT;
  };
  // What was a page of zeros in the middle of copies is a hole now.
  const before = status.map((code, index) =>
    asked === undefined || code === -ERRNO.ENOENT ? placeOf(index) : (asked[index] as number),
  );
  const left = leftBy(stop);
  const outcome = status.map((code, index) => {
    const place = before[index] as number;
    if (code !== STATUS_UNSET) return code;
    return place < 0 || place === target ? place : left;
  });
  tally.add({ before, targets: target, outcome, located: before });
  return stop;
}

/** Why a page that was not come to is where it was. */
function leftBy(stop: Stop | undefined): number {
  if (stop?.kind === 'failed') return callFailed(stop.failure.errno);
  return stop?.kind === 'no-memory' ? -ERRNO.ENOMEM : STATUS_UNSET;
}
