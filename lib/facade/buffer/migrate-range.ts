/**
 * Moves the pages of a range to one exact node, chunk by chunk, off the JavaScript thread, and
 * accounts for each of them.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move().
 */

import type { MigrationProgress, MigrationReport } from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { type MoveOutcome, moveOutcome } from '../errors/end-of-move.ts';
import { abortOf, type Ending, isOver, type Stop } from '../pages/attempt-pages.ts';
import { MigrationTally } from '../pages/migration-tally.ts';
import { moveChunk, stepsOf } from '../pages/move-chunk.ts';
import { Turns } from '../pages/present-parts.ts';
import type { PagesOfProcess } from '../pages/residency.ts';

export interface MoveRequest {
  readonly target: NodeId;
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  readonly signal: Ending | undefined;
  readonly onProgress: ((progress: MigrationProgress) => unknown) | undefined;
}

/** Moves a range. Never rejects: the caller decides which ends are errors. */
export async function moveRange(
  range: PagesOfProcess,
  request: MoveRequest,
): Promise<MoveOutcome<MigrationReport>> {
  const startNs = process.hrtime.bigint();
  const tally = new MigrationTally();
  const { target, flags, signal } = request;
  const countCall = (): void => tally.countSyscall('move_pages');
  const targetsOf = (): NodeId => target;
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
    const chunk = { range, span, flags, signal, tally, countCall, targetsOf, isJudged };
    stop = await moveChunk(chunk, stop);
    pagesTold = tally.pagesDone;
    if (!isOver(stop)) stop = (await reportProgress(request, tally, range.pageCount)) ?? stop;
  }
  // What is absent takes no step: behind the last one it is told of once, so that all was.
  const isUntold = pagesTold < tally.pagesDone;
  if (!isOver(stop) && isUntold) {
    stop = (await reportProgress(request, tally, range.pageCount)) ?? stop;
  }
  if (!isOver(stop)) stop = abortOf(signal) ?? stop;
  tally.addUnknown(range.pageCount - tally.pagesDone);
  const report = tally.finish({
    target,
    pageSizeBytes: range.backend.pageSizeBytes,
    aborted: stop?.kind === 'aborted',
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: range.backend.identity.kind,
  });
  return moveOutcome(report, stop);
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
