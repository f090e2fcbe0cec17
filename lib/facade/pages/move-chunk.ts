/**
 * Moves one chunk of pages and accounts for each of them: locates it, has it moved
 * (attempt-pages.ts), and asks again for the pages whose move left a doubt.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move().
 */

import { ERRNO } from '../../core/errno.ts';
import { STATUS_UNSET } from '../../core/uapi.ts';
import {
  type Attempt,
  abortOf,
  attemptPages,
  isOver,
  type Stop,
  type Targets,
  targetAt,
} from './attempt-pages.ts';
import { callFailed, type MigrationTally } from './migration-tally.ts';
import { type Part, partsOf } from './present-parts.ts';
import {
  chunksOf,
  hugePagePages,
  locate,
  type PagesOfProcess,
  STATUS_NOT_PRESENT,
  STATUS_ZERO_PAGE,
} from './residency.ts';

/** What is moved between two looks at the AbortSignal and two reports of progress, at least. It
 *  costs 0.5 % of the time of a move (scripts/bench, rows of the chunk size). */
const STEP_BYTES = 8 * 2 ** 20;

/** Pages of one step of a move: no huge page lies in two. */
export function stepPageCount(pageSizeBytes: number): number {
  return Math.max(STEP_BYTES / pageSizeBytes, hugePagePages(pageSizeBytes));
}

/** The steps of a move: pages that may be there, and what lies between them. */
export function* stepsOf(range: PagesOfProcess, stepPages: number): Generator<Part> {
  for (const part of partsOf(range)) {
    if (!part.isAbsent) {
      const steps = chunksOf(part, range.backend, stepPages);
      for (const span of steps) yield { ...span, isAbsent: false };
    } else yield part;
  }
}

/** One chunk on its way. */
export interface Chunk extends Omit<Attempt, 'targets'> {
  readonly tally: MigrationTally;
  /** Where its pages are to go, once it is known where they are. A page whose target is where it is
   *  stays there. */
  readonly targetsOf: (before: Int32Array) => Targets;
  /** Where nothing is to move the kernel is asked what it says of the target. */
  readonly isJudged?: boolean;
}

/** A chunk whose targets are known. */
type AimedChunk = Chunk & Attempt;

/** Locates a chunk, moves it unless the node is full or an abort came, and adds it to the tally. */
export async function moveChunk(
  chunk: Chunk,
  stopBefore: Stop | undefined,
): Promise<Stop | undefined> {
  const before = await locateChunk(chunk);
  // A refused look ends the move, also one that only counts what a full node has left.
  return before instanceof Int32Array ? moveLocated(chunk, before, stopBefore) : before;
}

/** Where its pages are. Where the look is refused they count as not attempted. */
export async function locateChunk({
  range,
  span,
  tally,
}: Pick<Chunk, 'range' | 'span' | 'tally'>): Promise<Int32Array | Stop> {
  const places = new Int32Array(span.pageCount);
  const located = await locate(range, span, places);
  tally.countSyscall('move_pages', located.ok ? located.value : 1);
  if (located.ok) return places;
  tally.addUnknown(span.pageCount);
  return { kind: 'failed', failure: located };
}

/** The same for a chunk that was located just now. */
export async function moveLocated(
  chunk: Chunk,
  before: Int32Array,
  stopBefore: Stop | undefined,
): Promise<Stop | undefined> {
  const targets = chunk.targetsOf(before);
  const aimed = { ...chunk, targets };
  const hasWork = before.some((place, at) => place >= 0 && place !== targetAt(targets, at));
  let stop = abortOf(chunk.signal) ?? stopBefore;
  if (stop === undefined && hasWork) return attemptAndVerify(aimed, before);
  if (stop === undefined && chunk.isJudged === true) stop = await judgeTarget(aimed);
  const outcome = outcomeOfUnmoved(before, targets, stop);
  chunk.tally.add({ before, targets, outcome, located: before });
  return stop;
}

/** Without work the target node would go unjudged: one page is sent for the kernel's verdict. */
async function judgeTarget(chunk: AimedChunk): Promise<Stop | undefined> {
  const onePage = { ...chunk, span: { ...chunk.span, pageCount: 1 } };
  return attemptPages(onePage, new Int32Array(1), Int32Array.of(STATUS_UNSET));
}

async function attemptAndVerify(chunk: AimedChunk, before: Int32Array): Promise<Stop | undefined> {
  const { targets, tally } = chunk;
  const outcome = new Int32Array(before.length).fill(STATUS_UNSET);
  const ended = await attemptPages(chunk, before, outcome);
  const { after, blind } = await verify(chunk, before, outcome);
  const stop = isOver(ended) ? ended : (blind ?? ended);
  for (let index = outcome.indexOf(STATUS_UNSET); index >= 0; ) {
    const place = after[index] as number;
    outcome[index] = place === targetAt(targets, index) ? place : codeOf(place, stop);
    index = outcome.indexOf(STATUS_UNSET, index + 1);
  }
  tally.add({ before, targets, outcome, located: after });
  return stop;
}

/**
 * Asks again for the pages whose move left a doubt: no status; EBUSY, which the kernel also answers
 * for the second address of a huge page that did move, and EACCES for one of a pool, before 6.12;
 * absent, though the page was there before, because somebody else is moving it. Others are where
 * they were. Where the answer is refused the move ends, and no place is claimed for those pages.
 */
async function verify(
  { range, span, targets, tally }: AimedChunk,
  before: Int32Array,
  outcome: Int32Array,
): Promise<{ after: Int32Array; blind?: Stop }> {
  // Loops in place of findIndex: they run over every page of every move, and findIndex takes ten
  // times as long (scripts/bench).
  let first = 0;
  while (first < outcome.length && !isDoubtful(outcome[first], before[first])) first += 1;
  if (first === outcome.length) return { after: before };
  let last = outcome.length - 1;
  while (!isDoubtful(outcome[last], before[last])) last -= 1;
  const address = span.address + BigInt(first) * BigInt(range.backend.pageSizeBytes);
  const after = before.slice();
  const located = after.subarray(first, last + 1);
  const result = await locate(range, { address, pageCount: located.length }, located);
  tally.countSyscall('move_pages', result.ok ? result.value : 1);
  for (let index = first; index <= last; index += 1) {
    const code = outcome[index] as number;
    const place = after[index] as number;
    if (!isDoubtful(code, before[index])) {
      if (!result.ok) after[index] = before[index] as number;
    } else if (!result.ok) {
      outcome[index] = STATUS_UNSET;
    } else if (code !== STATUS_UNSET) {
      const isSettled = place < 0 || place === targetAt(targets, index);
      outcome[index] = isSettled ? place : code === -ERRNO.EACCES ? code : -ERRNO.EBUSY;
    }
  }
  return result.ok ? { after } : { after, blind: { kind: 'failed', failure: result } };
}

function isDoubtful(code: number | undefined, was: number | undefined): boolean {
  if (code === undefined || code >= 0) return false;
  if (code === STATUS_UNSET || code === -ERRNO.EBUSY || code === -ERRNO.EACCES) return true;
  return (
    (code === STATUS_NOT_PRESENT || code === STATUS_ZERO_PAGE) && was !== undefined && was >= 0
  );
}

/** Why a page without a status is not on the target. */
function codeOf(place: number, stop: Stop | undefined): number {
  if (place < 0 && place !== STATUS_UNSET) return place;
  if (stop === undefined) return -ERRNO.EBUSY;
  if (stop.kind === 'failed') return callFailed(stop.failure.errno);
  return stop.kind === 'no-memory' ? -ERRNO.ENOMEM : STATUS_UNSET;
}

/** Outcome of a chunk that was only located. */
export function outcomeOfUnmoved(
  before: Int32Array,
  targets: Targets,
  stop: Stop | undefined,
): Int32Array {
  return before.map((place, at) => (place === targetAt(targets, at) ? place : codeOf(place, stop)));
}
