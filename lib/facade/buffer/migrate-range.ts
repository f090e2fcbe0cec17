/**
 * Moves the pages of a range, to one exact node or each to its own, chunk by chunk, in the best way
 * that is open, and accounts for each of them.
 *
 * Source: move_pages(2); mm/migrate.c, do_pages_move().
 */

import { setTimeout } from 'node:timers/promises';
import type { PageSpan } from '../../backend/backend.ts';
import type {
  MigrationProgress,
  MigrationReport,
  PlacementReport,
} from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { isDenial } from '../capabilities/denial.ts';
import { type MoveOutcome, moveOutcome } from '../errors/end-of-move.ts';
import { abortOf, type Ending, isOver, type Stop } from '../pages/attempt-pages.ts';
import { MigrationTally, type MigrationTotals } from '../pages/migration-tally.ts';
import { type Chunk, moveChunk, stepPageCount, stepsOf } from '../pages/move-chunk.ts';
import { pageStatuses } from '../pages/page-status.ts';
import { PauseBudget } from '../pages/pause-budget.ts';
import { type Part, Turns } from '../pages/present-parts.ts';
import type { PagesOfProcess } from '../pages/residency.ts';
import type { ChosenMove } from './copy-ground.ts';
import { copyStepPageCount, moveChunkByCopy } from './move-by-copy.ts';
import { moveChunkByMbind } from './move-by-mbind.ts';

/** What a move of a range is held to. */
export interface RangeMove {
  /** What of it moves; absent: all. */
  readonly parts?: readonly PageSpan[];
  /** Longest step in milliseconds; infinite for none. */
  readonly pauseBudgetMs?: number;
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  readonly signal: Ending | undefined;
  readonly onProgress: ((progress: MigrationProgress) => unknown) | undefined;
}

export interface MoveRequest extends RangeMove {
  readonly target: NodeId;
  /** The ways, and what copies need. */
  readonly choice: ChosenMove;
}

export interface PlaceRequest extends RangeMove {
  /** For each page of the range its node, or `STAYS`. */
  readonly targets: Int32Array;
}

/** In the place of a node: the page stays where it is. */
export const STAYS = -1;

/** What the reports of moves have in common. */
type MoveFacts = MigrationTotals &
  Omit<MigrationReport, keyof MigrationTotals | 'target' | 'methodReason' | 'spilled'>;

/** One way to move pages. */
interface Way {
  readonly method: MigrationReport['method'];
  readonly moveChunk: typeof moveChunk;
  /** Pages of a step at most. */
  readonly stepPages: (pageSizeBytes: number) => number;
}

const BY_MOVE_PAGES: Way = { method: 'move_pages', moveChunk, stepPages: stepPageCount };
const BY_MBIND: Way = { ...BY_MOVE_PAGES, method: 'mbind', moveChunk: moveChunkByMbind };
/** The kernel's own, each taken where those before it are refused. */
const KERNEL_WAYS: readonly Way[] = [BY_MOVE_PAGES, BY_MBIND];

/** Moves a range. Never rejects: the caller decides which ends are errors. */
export function moveRange(
  range: PagesOfProcess,
  request: MoveRequest,
): Promise<MoveOutcome<MigrationReport>> {
  const { target, choice, ...rest } = request;
  return inBestWay(waysOf(choice), async (way) => {
    const tally = new MigrationTally();
    const steps = { ...rest, way, tally, targetsOf: () => () => target };
    const { facts, stop } = await moveInSteps(range, steps);
    return moveOutcome(
      Object.freeze({ target, ...facts, methodReason: choice.reason, spilled: {} }),
      stop,
    );
  });
}

/** What moves pages in a way of its own, in the first that is not refused as such. */
async function inBestWay<R extends MigrationReport | PlacementReport>(
  ways: readonly Way[],
  moveBy: (way: Way) => Promise<MoveOutcome<R>>,
): Promise<MoveOutcome<R>> {
  let first: MoveOutcome<R> | undefined;
  for (const way of ways) {
    const next = await moveBy(way);
    if (!isRefused(next)) return next;
    first ??= next;
    // Not even where the pages are was told: another answer is about the target.
    const { total, notAttempted } = next.report.pages;
    if (way === BY_MOVE_PAGES && notAttempted < total) return next;
  }
  return first as MoveOutcome<R>;
}

/** What a move tries, in this order. */
export function methodsOf(choice: ChosenMove): readonly MigrationReport['method'][] {
  return Object.freeze(waysOf(choice).map(({ method }) => method));
}

function waysOf({ ways, ground }: ChosenMove): readonly Way[] {
  return ways.flatMap((way) => {
    if (way === 'kernel') return KERNEL_WAYS;
    if (ground === undefined) return [];
    const byCopy = moveChunkByCopy(ground);
    return [{ method: 'copy', moveChunk: byCopy, stepPages: copyStepPageCount } as const];
  });
}

/** Whether another way may do: nothing has moved, and nobody has asked for an end. */
function isRefused({ report, failure }: MoveOutcome<MigrationReport | PlacementReport>): boolean {
  if (failure === undefined || report.pages.moved > 0) return false;
  return report.method === 'copy' || isDenial(failure.errno);
}

/** Moves pages by where each of them is, in the way that is told. Never rejects. */
export async function moveByPlace(
  range: PagesOfProcess,
  { method, ...request }: RangeMove & Pick<Way, 'method'>,
  targetOf: (place: NodeId) => NodeId,
): Promise<MoveFacts> {
  const tally = new MigrationTally();
  const targetsOf = (): Chunk['targetsOf'] => (before) => before.map(targetOf);
  const way = method === 'mbind' ? BY_MBIND : BY_MOVE_PAGES;
  const steps = { ...request, way, tally, targetsOf };
  return (await moveInSteps(range, steps)).facts;
}

/** Moves each page to its own node. Never rejects. */
export function placeRange(
  range: PagesOfProcess,
  { targets, ...request }: PlaceRequest,
): Promise<MoveOutcome<PlacementReport>> {
  const anywhere = targets.find((node) => node !== STAYS) ?? 0;
  const targetsOf = (first: number): Chunk['targetsOf'] => {
    return (before) => before.map((place, at) => aimOf(place, targets[first + at], anywhere));
  };
  return inBestWay(KERNEL_WAYS, async (way) => {
    const outcomes = new Int32Array(range.pageCount);
    const tally = new MigrationTally(outcomes);
    const { facts, stop } = await moveInSteps(range, { ...request, way, tally, targetsOf });
    return moveOutcome(Object.freeze({ ...facts, statuses: pageStatuses(outcomes) }), stop);
  });
}

/** Absent pages have no place: any node that may be named will do. */
function aimOf(place: number, target: number | undefined, anywhere: NodeId): NodeId {
  if (place < 0) return anywhere;
  return target === undefined || target === STAYS ? place : target;
}

interface StepsRequest extends RangeMove {
  readonly way: Way;
  readonly tally: MigrationTally;
  /** By the chunk's first page. */
  readonly targetsOf: (first: number) => Chunk['targetsOf'];
}

async function moveInSteps(
  range: PagesOfProcess,
  request: StepsRequest,
): Promise<{ facts: MoveFacts; stop: Stop | undefined }> {
  const startNs = process.hrtime.bigint();
  const { way, tally, parts = [range] } = request;
  const { pageSizeBytes } = range.backend;
  const budgetMs = request.pauseBudgetMs ?? Number.POSITIVE_INFINITY;
  const budget = new PauseBudget(budgetMs, pageSizeBytes, way.stepPages(pageSizeBytes));
  const pagesTotal = parts.reduce((sum, { pageCount }) => sum + pageCount, 0);
  let stop: Stop | undefined;
  let pagesTold = 0;
  const turns = new Turns();
  for (const span of spansOf(range, parts, { budget, way })) {
    if (turns.areDue) await turns.take();
    if (!isOver(stop)) stop = abortOf(request.signal) ?? stop;
    if (isOver(stop)) break;
    if (span.isAbsent) {
      tally.addAbsent(span.pageCount);
      continue;
    }
    stop = await moveStep(range, span, { ...request, budget }, stop);
    pagesTold = tally.pagesDone;
    if (!isOver(stop)) stop = (await reportProgress(request, pagesTotal)) ?? stop;
  }
  // What is absent takes no step: behind the last one it is told of once, so that all was.
  const isUntold = pagesTold < tally.pagesDone;
  if (!isOver(stop) && isUntold) stop = (await reportProgress(request, pagesTotal)) ?? stop;
  if (!isOver(stop)) stop = abortOf(request.signal) ?? stop;
  tally.addUnknown(pagesTotal - tally.pagesDone);
  const facts = {
    ...tally.totals(),
    pageSizeBytes,
    aborted: stop?.kind === 'aborted',
    method: way.method,
    steps: Object.freeze({
      count: budget.stepCount,
      longestNs: Math.round(budget.longestMs * 1e6),
    }),
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: range.backend.identity.kind,
  };
  return { facts, stop };
}

/** The steps of all parts, each as long as the budget has it when its turn comes. */
function* spansOf(
  range: PagesOfProcess,
  parts: readonly PageSpan[],
  { budget, way }: { readonly budget: PauseBudget; readonly way: Way },
): Generator<Part> {
  const stepPages = way.stepPages(range.backend.pageSizeBytes);
  for (const part of parts) {
    for (const span of stepsOf({ ...range, ...part }, stepPages)) {
      if (span.isAbsent) yield span;
      else yield* budget.cut(span, range.backend.pageSizeBytes);
    }
  }
}

/** Moves a step, and rests behind it where there is a budget. */
async function moveStep(
  range: PagesOfProcess,
  span: PageSpan,
  request: StepsRequest & { readonly budget: PauseBudget },
  stop: Stop | undefined,
): Promise<Stop | undefined> {
  const { way, tally, flags, signal, budget } = request;
  const countCall = (): void => tally.countSyscall('move_pages');
  const isJudged = tally.pagesDone === 0;
  const targetsOf = request.targetsOf(tally.pagesDone);
  const chunk = { range, span, flags, signal, tally, countCall, targetsOf, isJudged };
  const { moved, busy } = tally;
  const startMs = performance.now();
  const ended = await way.moveChunk(chunk, stop);
  const triedPages = tally.moved - moved + tally.busy - busy;
  const restMs = budget.add(performance.now() - startMs, triedPages);
  if (restMs > 0 && !isOver(ended)) await setTimeout(restMs);
  return ended;
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
