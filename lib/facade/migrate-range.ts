/**
 * Moves the pages of a range to one exact node, chunk by chunk, off the JavaScript thread, and
 * accounts for each of them: locates a chunk, has it moved (attempt-pages.ts), and asks again for
 * the pages whose move left a doubt.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move().
 */

import type { SyscallFailure } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import type { MigrationProgress, MigrationReport } from '../core/migration-report.ts';
import type { NodeId } from '../core/node-mask.ts';
import { type Attempt, attemptPages } from './attempt-pages.ts';
import { callFailed, MigrationTally } from './migration-tally.ts';
import {
  chunksOf,
  locate,
  NOT_PRESENT,
  type PagesOfMapping,
  STATUS_UNSET,
  ZERO_PAGE,
} from './residency.ts';

export interface MoveRequest {
  readonly target: NodeId;
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: MigrationProgress) => unknown) | undefined;
}

/** How a move ended; the report accounts for every page in each case. */
export interface MoveOutcome {
  readonly report: MigrationReport;
  /** The kernel refused to go on. */
  readonly failure?: SyscallFailure;
  /** The signal's reason, or what `onProgress` threw. */
  readonly abortReason?: unknown;
}

/** Why no further page is attempted. */
type Stop =
  | { readonly kind: 'aborted'; readonly reason: unknown }
  | { readonly kind: 'no-memory' }
  | { readonly kind: 'failed'; readonly failure: SyscallFailure };

/** One chunk on its way. */
interface Chunk extends Attempt {
  readonly tally: MigrationTally;
}

/** Moves a range. Never rejects: the caller decides which ends are errors. */
export async function moveRange(range: PagesOfMapping, request: MoveRequest): Promise<MoveOutcome> {
  const startNs = process.hrtime.bigint();
  const tally = new MigrationTally(request.target);
  const { target, flags } = request;
  const countCall = (): void => tally.countSyscall('move_pages');
  let stop: Stop | undefined;
  for (const span of chunksOf(range)) {
    stop ??= abortOf(request.signal);
    // A full node is worth a look at the rest: its pages stay where they are, and are counted.
    if (stop !== undefined && stop.kind !== 'no-memory') break;
    stop = await moveChunk({ range, span, target, flags, tally, countCall }, stop);
    stop ??= await reportProgress(request, tally, range.pageCount);
  }
  tally.addUnknown(range.pageCount - tally.pagesDone);
  const report = tally.finish({
    pageSizeBytes: range.backend.pageSizeBytes,
    aborted: stop?.kind === 'aborted',
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: range.backend.identity.kind,
  });
  if (stop?.kind === 'failed') return { report, failure: stop.failure };
  if (stop?.kind === 'aborted') return { report, abortReason: stop.reason };
  return { report };
}

function abortOf(signal: AbortSignal | undefined): Stop | undefined {
  return signal?.aborted ? { kind: 'aborted', reason: signal.reason } : undefined;
}

/** A callback that fails ends the move like an abort: its error is the cause, the report stays. */
async function reportProgress(
  request: MoveRequest,
  tally: MigrationTally,
  pagesTotal: number,
): Promise<Stop | undefined> {
  try {
    await request.onProgress?.({ pagesDone: tally.pagesDone, pagesTotal, moved: tally.moved });
    return undefined;
  } catch (reason) {
    return { kind: 'aborted', reason };
  }
}

/** Locates a chunk, moves it unless the node is full, and adds it to the tally. */
async function moveChunk(chunk: Chunk, stopBefore: Stop | undefined): Promise<Stop | undefined> {
  const { range, span, target, tally } = chunk;
  const before = new Int32Array(span.pageCount);
  const located = await locate(range, span, before);
  tally.countSyscall('move_pages', located.ok ? located.value : 1);
  if (!located.ok) {
    tally.addUnknown(span.pageCount);
    return stopBefore ?? { kind: 'failed', failure: located };
  }
  const hasWork = before.some((place) => place >= 0 && place !== target);
  if (stopBefore === undefined && hasWork) return moveLocatedChunk(chunk, before);
  const isFirst = tally.pagesDone === 0;
  const stop = isFirst ? await judgeTarget(chunk) : stopBefore;
  tally.add(before, outcomeOfUnmoved(before, target, stop), before);
  return stop;
}

/** Without work the target node would go unjudged: one page is sent for the kernel's verdict. */
async function judgeTarget(chunk: Chunk): Promise<Stop | undefined> {
  const onePage = { ...chunk, span: { ...chunk.span, pageCount: 1 } };
  return stopOf(await attemptPages(onePage, new Int32Array(1), Int32Array.of(STATUS_UNSET)));
}

async function moveLocatedChunk(chunk: Chunk, before: Int32Array): Promise<Stop | undefined> {
  const { target, tally } = chunk;
  const outcome = new Int32Array(before.length).fill(STATUS_UNSET);
  const failure = await attemptPages(chunk, before, outcome);
  const { after, blind } = await verify(chunk, before, outcome);
  const stop = stopOf(failure) ?? blind;
  for (let index = outcome.indexOf(STATUS_UNSET); index >= 0; ) {
    const place = after[index] as number;
    outcome[index] = place === target ? place : codeOf(place, stop);
    index = outcome.indexOf(STATUS_UNSET, index + 1);
  }
  tally.add(before, outcome, after);
  return stop;
}

/**
 * Asks again for the pages whose move left a doubt: no status; EBUSY, which the kernel also answers
 * for the second address of a huge page that did move; absent, though the page was there before,
 * because somebody else is moving it. Others are where they were. Where the answer is refused the
 * move ends, and no place is claimed for those pages.
 */
async function verify(
  { range, span, target, tally }: Chunk,
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
      outcome[index] = place < 0 || place === target ? place : -ERRNO.EBUSY;
    }
  }
  return result.ok ? { after } : { after, blind: { kind: 'failed', failure: result } };
}

function isDoubtful(code: number | undefined, was: number | undefined): boolean {
  if (code === undefined || code >= 0) return false;
  if (code === STATUS_UNSET || code === -ERRNO.EBUSY) return true;
  return (code === NOT_PRESENT || code === ZERO_PAGE) && was !== undefined && was >= 0;
}

function stopOf(failure: SyscallFailure | undefined): Stop | undefined {
  if (failure === undefined) return undefined;
  return failure.errno === ERRNO.ENOMEM ? { kind: 'no-memory' } : { kind: 'failed', failure };
}

/** Why a page without a status is not on the target. */
function codeOf(place: number, stop: Stop | undefined): number {
  if (place < 0 && place !== STATUS_UNSET) return place;
  if (stop === undefined) return -ERRNO.EBUSY;
  if (stop.kind === 'failed') return callFailed(stop.failure.errno);
  return stop.kind === 'no-memory' ? -ERRNO.ENOMEM : STATUS_UNSET;
}

/** Outcome of a chunk that was only located. */
function outcomeOfUnmoved(before: Int32Array, target: NodeId, stop: Stop | undefined): Int32Array {
  return before.map((place) => (place === target ? place : codeOf(place, stop)));
}
