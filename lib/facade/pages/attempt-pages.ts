/**
 * Has the kernel try each page of a span once, whatever becomes of the others.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move(). When pages of a run of queued entries fail
 * to migrate, the kernel writes no status of that run, not even for the pages that moved, and does
 * not attempt the later ones: the run is found by its missing statuses, and the call is made again
 * for what lies behind it.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { NumaError } from '../../core/errors.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { PM_MMAP_EXCLUSIVE, STATUS_UNSET } from '../../core/uapi.ts';
import { hugePagePages, ownerOf, type PagesOfProcess } from './residency.ts';

/** Where pages are to go: all to one node, or each page of the span to its own. */
export type Targets = NodeId | Int32Array;

/** The target of one page, by its place in the span. */
export function targetAt(targets: Targets, index: number): NodeId {
  return typeof targets === 'number' ? targets : (targets[index] as number);
}

/**
 * What ends work before its next step: the caller's AbortSignal, or memory that is no longer what
 * it was.
 */
export interface Ending {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** What became of the memory; absent where it is as it was. */
  readonly loss?: NumaError | undefined;
  /** @throws the loss, the signal's reason */
  throwIfAborted(): void;
}

/** Why no further page is attempted. */
export type Stop =
  | { readonly kind: 'aborted'; readonly reason: unknown }
  | { readonly kind: 'lost'; readonly error: NumaError }
  | { readonly kind: 'no-memory' }
  | { readonly kind: 'failed'; readonly failure: SyscallFailure };

/** Whether it ends the move: a full node is worth a look at the rest, whose pages stay where they
 *  are, and are counted. */
export function isOver(stop: Stop | undefined): boolean {
  return stop !== undefined && stop.kind !== 'no-memory';
}

export function abortOf(ending: Ending | undefined): Stop | undefined {
  if (ending?.loss !== undefined) return { kind: 'lost', error: ending.loss };
  return ending?.aborted ? { kind: 'aborted', reason: ending.reason } : undefined;
}

function refusalOf(failure: SyscallFailure): Stop {
  return failure.errno === ERRNO.ENOMEM ? { kind: 'no-memory' } : { kind: 'failed', failure };
}

/** What is tried. */
export interface Attempt {
  readonly range: PagesOfProcess;
  readonly span: PageSpan;
  readonly targets: Targets;
  readonly flags: number;
  /** Looked at between two calls. */
  readonly signal: Ending | undefined;
  readonly countCall: () => void;
}

/**
 * Moves the span; statuses of failed runs stay `STATUS_UNSET` in `outcome`.
 * @param before where each page was
 * @returns what ended the attempt before its end: an abort, or a call refused as a whole
 */
export async function attemptPages(
  attempt: Attempt,
  before: Int32Array,
  outcome: Int32Array,
): Promise<Stop | undefined> {
  const { span } = attempt;
  const result = await movePages(attempt, span, attempt.targets, outcome);
  if (!result.ok) return refused(attempt, { result, pageIndexes: spanIndexes(span), outcome });
  if (result.value === 0) return undefined;
  const ended = await behindFailedRun(attempt, spanIndexes(span), outcome);
  if (typeof ended !== 'number') return ended;
  const rest = restOf(attempt, before, ended);
  return rest.length === 0 ? undefined : attemptRest(attempt, rest, outcome);
}

/** Goes on behind failed runs, with the addresses of the pages that are worth a try. */
async function attemptRest(
  attempt: Attempt,
  pageIndexes: readonly number[],
  outcome: Int32Array,
): Promise<Stop | undefined> {
  for (let rest = pageIndexes; rest.length > 0; ) {
    const abort = abortOf(attempt.signal);
    if (abort !== undefined) {
      markTried(outcome.subarray(0, rest[0]));
      return abort;
    }
    const status = new Int32Array(rest.length).fill(STATUS_UNSET);
    const result = await moveListed(attempt, rest, status);
    rest.forEach((index, at) => {
      outcome[index] = status[at] as number;
    });
    if (!result.ok) return refused(attempt, { result, pageIndexes: rest, outcome });
    if (result.value === 0) return undefined;
    const ended = await behindFailedRun(attempt, rest, status);
    if (typeof ended !== 'number') return ended;
    rest = rest.filter((index) => index >= ended);
  }
  return undefined;
}

interface Refused {
  readonly result: SyscallFailure;
  /** Of the call that was refused. */
  readonly pageIndexes: ArrayLike<number>;
  readonly outcome: Int32Array;
}

/**
 * The entry that ended a run without memory is EBUSY where it lies in one huge page with the run's
 * last, EACCES in one of a pool, before 6.12: by itself it is told what keeps that page. Of a pool
 * it is EACCES again, as one that others map is: whether they do, pagemap tells.
 */
async function refused(
  attempt: Attempt,
  { result, pageIndexes, outcome }: Refused,
): Promise<Stop | undefined> {
  const stop = refusalOf(result);
  if (stop.kind !== 'no-memory') return stop;
  const codeAt = (at: number): number | undefined => outcome[pageIndexes[at] as number];
  let end = 0;
  while (end < pageIndexes.length && codeAt(end) !== STATUS_UNSET) end += 1;
  while (end < pageIndexes.length && codeAt(end) === STATUS_UNSET) end += 1;
  const code = codeAt(end);
  if (code !== -ERRNO.EBUSY && code !== -ERRNO.EACCES) return stop;
  const page = pageIndexes[end] as number;
  const status = Int32Array.of(STATUS_UNSET);
  const alone = await moveListed(attempt, [page], status);
  if (!alone.ok && alone.errno === ERRNO.ENOMEM) outcome[page] = -ERRNO.ENOMEM;
  if (!alone.ok || status[0] === STATUS_UNSET) return stop;
  const isOwn = status[0] === -ERRNO.EACCES && isMappedOnce(attempt, page);
  outcome[page] = isOwn ? -ERRNO.ENOMEM : (status[0] as number);
  return stop;
}

function isMappedOnce({ range, span }: Attempt, index: number): boolean {
  const { backend, pid } = range;
  const address = span.address + BigInt(index) * BigInt(backend.pageSizeBytes);
  const entries = backend.pagemap({ address, pageCount: 1 }, pid);
  return entries.ok && ((entries.value[0] ?? 0n) & PM_MMAP_EXCLUSIVE) !== 0n;
}

/** Pages of runs that failed, so that those behind them can be told from them. */
function markTried(outcome: Int32Array): void {
  for (let at = outcome.indexOf(STATUS_UNSET); at >= 0; ) {
    outcome[at] = -ERRNO.EBUSY;
    at = outcome.indexOf(STATUS_UNSET, at + 1);
  }
}

/**
 * The page index to go on from. A run begins at the first unset status; the entry that ended it is
 * the first one behind it that has another target, which was not tried, or a status of its own.
 * Where the latter is EBUSY and next to the run, both may lie in one huge page, which would fail
 * once for every two of its pages: if they do, the rest of it is left out.
 */
async function behindFailedRun(
  attempt: Attempt,
  pageIndexes: ArrayLike<number>,
  status: Int32Array,
): Promise<number | Stop> {
  const first = status.indexOf(STATUS_UNSET);
  if (first < 0) return attempt.span.pageCount;
  const target = targetAt(attempt.targets, pageIndexes[first] as number);
  let end = first + 1;
  for (; end < status.length && status[end] === STATUS_UNSET; end += 1) {
    const page = pageIndexes[end] as number;
    if (targetAt(attempt.targets, page) !== target) return page;
  }
  if (end === status.length) return attempt.span.pageCount;
  const failed = pageIndexes[end - 1] as number;
  const ending = pageIndexes[end] as number;
  const last = endOfHugePage(attempt, ending) - 1;
  const mayBeHuge = status[end] === -ERRNO.EBUSY && ending === failed + 1 && last > ending;
  if (!mayBeHuge) return ending + 1;
  const isHuge = await isOneFolio(attempt, failed, last);
  if (typeof isHuge !== 'boolean') return isHuge;
  return (isHuge ? last : ending) + 1;
}

/**
 * Whether an immovable page and one behind it lie in one folio: the second is busy when the first
 * is queued before it, and not busy alone. Folios are contiguous, so all between are part of it.
 *
 * Deviation: a page between them that was replaced since (copy on write after fork) is no longer
 * part of the folio, and counts as busy without having been tried.
 */
async function isOneFolio(
  attempt: Attempt,
  first: number,
  second: number,
): Promise<boolean | Stop> {
  const both = new Int32Array(2).fill(STATUS_UNSET);
  const together = await moveListed(attempt, [first, second], both);
  if (!together.ok) return refusalOf(together);
  if (both[1] !== -ERRNO.EBUSY) return false;
  const status = Int32Array.of(STATUS_UNSET);
  const alone = await moveListed(attempt, [second], status);
  if (!alone.ok) return refusalOf(alone);
  return alone.value > 0 && status[0] === STATUS_UNSET;
}

/** Index behind the last page of the span that lies in one huge page with a page of it. */
function endOfHugePage({ range, span }: Attempt, index: number): number {
  const { pageSizeBytes } = range.backend;
  const hugePages = hugePagePages(pageSizeBytes);
  const firstPage = Number(span.address / BigInt(pageSizeBytes));
  const end = index + hugePages - ((firstPage + index) % hugePages);
  return Math.min(end, span.pageCount);
}

/** Pages from an index on that were present and elsewhere; the others need no move. */
function restOf({ targets }: Attempt, before: Int32Array, start: number): number[] {
  const rest: number[] = [];
  for (let index = start; index < before.length; index += 1) {
    const place = before[index] as number;
    if (place >= 0 && place !== targetAt(targets, index)) rest.push(index);
  }
  return rest;
}

function moveListed(
  attempt: Attempt,
  pageIndexes: readonly number[],
  status: Int32Array,
): Promise<SyscallResult<number>> {
  const { range, span, targets } = attempt;
  const pageSizeBytes = BigInt(range.backend.pageSizeBytes);
  const pages = BigUint64Array.from(pageIndexes, (at) => span.address + BigInt(at) * pageSizeBytes);
  const nodes =
    typeof targets === 'number'
      ? targets
      : Int32Array.from(pageIndexes, (index) => targets[index] as number);
  return movePages(attempt, pages, nodes, status);
}

function movePages(
  { range, flags, countCall }: Attempt,
  pages: PageSpan | BigUint64Array,
  nodes: Targets,
  status: Int32Array,
): Promise<SyscallResult<number>> {
  countCall();
  return range.backend.movePages({ ...ownerOf(range), pages, nodes, flags, status });
}

function spanIndexes({ pageCount }: PageSpan): ArrayLike<number> {
  return Uint32Array.from({ length: pageCount }, (_, index) => index);
}
