/**
 * Moves the pages of a range, to one exact node or each to its own, chunk by chunk, off the
 * JavaScript thread, and accounts for each of them.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move().
 */

import type {
  MigrationProgress,
  MigrationReport,
  PlacementReport,
} from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { type MoveOutcome, moveOutcome } from '../errors/end-of-move.ts';
import { abortOf, type Ending, isOver, type Stop } from '../pages/attempt-pages.ts';
import { MigrationTally, type MigrationTotals } from '../pages/migration-tally.ts';
import { type Chunk, moveChunk, stepsOf } from '../pages/move-chunk.ts';
import { pageStatuses } from '../pages/page-status.ts';
import { Turns } from '../pages/present-parts.ts';
import type { PagesOfProcess } from '../pages/residency.ts';

/** What a move of a range is held to. */
export interface RangeMove {
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  readonly signal: Ending | undefined;
  readonly onProgress: ((progress: MigrationProgress) => unknown) | undefined;
}

export interface MoveRequest extends RangeMove {
  readonly target: NodeId;
}

export interface PlaceRequest extends RangeMove {
  /** For each page of the range its node, or `STAYS`. */
  readonly targets: Int32Array;
}

/** In the place of a node: the page stays where it is. */
export const STAYS = -1;

/** What the reports of moves have in common. */
type MoveFacts = MigrationTotals & Omit<MigrationReport, keyof MigrationTotals | 'target'>;

/** Moves a range. Never rejects: the caller decides which ends are errors. */
export async function moveRange(
  range: PagesOfProcess,
  { target, ...request }: MoveRequest,
): Promise<MoveOutcome<MigrationReport>> {
  const tally = new MigrationTally();
  const { facts, stop } = await moveInSteps(range, {
    ...request,
    tally,
    targetsOf: () => () => target,
  });
  return moveOutcome(Object.freeze({ target, ...facts }), stop);
}

/** Moves each page to its own node. Never rejects. */
export async function placeRange(
  range: PagesOfProcess,
  { targets, ...request }: PlaceRequest,
): Promise<MoveOutcome<PlacementReport>> {
  const outcomes = new Int32Array(range.pageCount);
  const tally = new MigrationTally(outcomes);
  const anywhere = targets.find((node) => node !== STAYS) ?? 0;
  const targetsOf = (first: number): Chunk['targetsOf'] => {
    return (before) => before.map((place, at) => aimOf(place, targets[first + at], anywhere));
  };
  const { facts, stop } = await moveInSteps(range, { ...request, tally, targetsOf });
  return moveOutcome(Object.freeze({ ...facts, statuses: pageStatuses(outcomes) }), stop);
}

/** Absent pages have no place: any node that may be named will do. */
function aimOf(place: number, target: number | undefined, anywhere: NodeId): NodeId {
  if (place < 0) return anywhere;
  return target === undefined || target === STAYS ? place : target;
}

interface StepsRequest extends RangeMove {
  readonly tally: MigrationTally;
  /** By the chunk's first page. */
  readonly targetsOf: (first: number) => Chunk['targetsOf'];
}

async function moveInSteps(
  range: PagesOfProcess,
  request: StepsRequest,
): Promise<{ facts: MoveFacts; stop: Stop | undefined }> {
  const startNs = process.hrtime.bigint();
  const { tally, flags, signal } = request;
  const countCall = (): void => tally.countSyscall('move_pages');
  let stop: Stop | undefined;
  let pagesTold = 0;
  const turns = new Turns();
  for (const span of stepsOf(range)) {
    if (turns.areDue) await turns.take();
    if (!isOver(stop)) stop = abortOf(signal) ?? stop;
    if (isOver(stop)) break;
    if (span.isAbsent) {
      tally.addAbsent(span.pageCount);
      continue;
    }
    const isJudged = tally.pagesDone === 0;
    const targetsOf = request.targetsOf(tally.pagesDone);
    const chunk = { range, span, flags, signal, tally, countCall, targetsOf, isJudged };
    stop = await moveChunk(chunk, stop);
    pagesTold = tally.pagesDone;
    if (!isOver(stop)) stop = (await reportProgress(request, range.pageCount)) ?? stop;
  }
  // What is absent takes no step: behind the last one it is told of once, so that all was.
  const isUntold = pagesTold < tally.pagesDone;
  if (!isOver(stop) && isUntold) {
    stop = (await reportProgress(request, range.pageCount)) ?? stop;
  }
  if (!isOver(stop)) stop = abortOf(signal) ?? stop;
  tally.addUnknown(range.pageCount - tally.pagesDone);
  const facts = {
    ...tally.totals(),
    pageSizeBytes: range.backend.pageSizeBytes,
    aborted: stop?.kind === 'aborted',
    method: 'move_pages' as const,
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: range.backend.identity.kind,
  };
  return { facts, stop };
}

/** A callback that fails ends the move like an abort: its error is the cause, the report stays. */
async function reportProgress(
  { tally, onProgress }: StepsRequest,
  pagesTotal: number,
): Promise<Stop | undefined> {
  try {
    await onProgress?.({ pagesDone: tally.pagesDone, pagesTotal, moved: tally.moved });
    return undefined;
  } catch (reason) {
    return { kind: 'aborted', reason };
  }
}
