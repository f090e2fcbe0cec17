/**
 * A move of a range that does not take its first answer: it looks for room before it begins, tries
 * busy pages again, and takes what has no room to other nodes, each where it was asked for.
 */

import { setTimeout } from 'node:timers/promises';
import type { PageSpan } from '../../backend/backend.ts';
import { NumaError } from '../../core/errors.ts';
import type { MigrationReport } from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import type { Context } from '../context.ts';
import { concludeMove, type MoveOutcome } from '../errors/end-of-move.ts';
import type { Ending } from '../pages/attempt-pages.ts';
import { outcomeOf } from '../pages/migration-tally.ts';
import type { PagesOfProcess } from '../pages/residency.ts';
import { type ChosenMove, choose } from './copy-ground.ts';
import type { CheckedMove } from './migrate-options.ts';
import { moveByPlace, moveRange } from './migrate-range.ts';
import { planMove } from './plan-move.ts';

export interface InsistentMove extends Omit<CheckedMove, 'signal'> {
  readonly target: NodeId;
  readonly parts: readonly PageSpan[];
  readonly signal: Ending | undefined;
}

/** Rests between two tries of busy pages; they grow. */
const RETRY_MIN_MS = 1;
const RETRY_MAX_MS = 64;

/**
 * Never rejects for what the move came to.
 * @throws NumaError NUMA_OUT_OF_MEMORY where there is no room and nothing is to move then
 */
export async function moveInsistently(
  context: Context,
  range: PagesOfProcess,
  move: InsistentMove,
): Promise<MoveOutcome<MigrationReport>> {
  const choice = await choose(context, range, move);
  if (move.onFull === 'fail') await requireRoom(context, range, move);
  const chosen = { ...move, choice };
  let outcome = await moveRange(range, chosen);
  if (move.retryBusyMs > 0) outcome = await retryBusy(range, chosen, outcome);
  const { report } = outcome;
  if (move.onFull !== 'spill' || !isSettled(outcome) || report.pages.noMemory === 0) return outcome;
  // Copies are made on one node alone.
  return report.method === 'copy' ? outcome : spill(context, range, move, outcome);
}

/** Whether nothing has ended it early. */
function isSettled({ report, failure, loss }: MoveOutcome<MigrationReport>): boolean {
  return failure === undefined && loss === undefined && !report.aborted;
}

async function requireRoom(
  context: Context,
  range: PagesOfProcess,
  move: InsistentMove,
): Promise<void> {
  const { target } = move;
  const { bytesToMove, freeBytes } = await planMove(context, range, move);
  if (freeBytes === null || bytesToMove <= freeBytes) return;
  throw new NumaError(
    `node ${target} has ${freeBytes} bytes free, and ${bytesToMove} are to move`,
    {
      code: 'NUMA_OUT_OF_MEMORY',
      asked: 'migrate',
      argument: 'options.onFull',
      args: { target, bytesToMove, freeBytes },
      backend: context.backend.identity.kind,
      hint: "nothing has moved; free memory there, choose another node, or 'partial' or 'spill'",
    },
  );
}

async function retryBusy(
  range: PagesOfProcess,
  move: InsistentMove & { readonly choice: ChosenMove },
  first: MoveOutcome<MigrationReport>,
): Promise<MoveOutcome<MigrationReport>> {
  const deadline = performance.now() + move.retryBusyMs;
  let outcome = first;
  let restMs = RETRY_MIN_MS;
  while (outcome.report.pages.busy > 0 && isSettled(outcome) && performance.now() < deadline) {
    await setTimeout(Math.min(restMs, deadline - performance.now()));
    restMs = Math.min(2 * restMs, RETRY_MAX_MS);
    // Its steps were told of when they were made.
    const again = await moveRange(range, { ...move, onProgress: undefined });
    outcome = { ...again, report: joined(first.report, outcome.report, again.report) };
  }
  return outcome;
}

/** One receipt of several tries: where pages were at first, and what became of them at last. */
function joined(
  { before, pages: atFirst }: MigrationReport,
  earlier: MigrationReport,
  last: MigrationReport,
): MigrationReport {
  const onTarget = last.pages.moved + last.pages.alreadyThere;
  const alreadyThere = Math.min(atFirst.alreadyThere, onTarget);
  const pages = Object.freeze({ ...last.pages, alreadyThere, moved: onTarget - alreadyThere });
  return Object.freeze({ ...last, ...together(earlier, last), before, pages, ...outcomeOf(pages) });
}

/** What two passes over the same pages took. */
function together(
  one: Pick<MigrationReport, 'syscalls' | 'steps' | 'durationNs'>,
  other: Pick<MigrationReport, 'syscalls' | 'steps' | 'durationNs'>,
): Pick<MigrationReport, 'syscalls' | 'steps' | 'durationNs'> {
  const syscalls: Record<string, number> = { ...one.syscalls };
  for (const [name, count] of Object.entries(other.syscalls)) {
    syscalls[name] = (syscalls[name] ?? 0) + count;
  }
  return {
    syscalls: Object.freeze(syscalls),
    steps: Object.freeze({
      count: one.steps.count + other.steps.count,
      longestNs: Math.max(one.steps.longestNs, other.steps.longestNs),
    }),
    durationNs: one.durationNs + other.durationNs,
  };
}

/** To one node after the other, the nearest first, as long as pages are left. */
async function spill(
  context: Context,
  range: PagesOfProcess,
  move: InsistentMove,
  outcome: MoveOutcome<MigrationReport>,
): Promise<MoveOutcome<MigrationReport>> {
  const { topology } = context;
  const { target } = move;
  const far = (node: NodeId): number => topology.distance(target, node) ?? Number.MAX_VALUE;
  const usable = context.allowedNodes().intersection(topology.withMemory);
  const nodes = topology.nearestFirst(target).filter((node) => node !== target && usable.has(node));
  const spilled: Record<NodeId, number> = {};
  let { report } = outcome;
  let left = report.pages.noMemory;
  for (const node of nodes) {
    if (left <= 0) break;
    const again = { ...move, onProgress: undefined, method: report.method };
    const facts = await moveByPlace(range, again, (place) =>
      place >= 0 && far(place) <= far(node) ? place : node,
    );
    const { moved } = facts.pages;
    left -= moved;
    if (moved > 0) spilled[node] = moved;
    report = { ...report, ...together(report, facts), after: facts.after, aborted: facts.aborted };
    if (facts.aborted) break;
  }
  return { ...outcome, report: Object.freeze({ ...report, spilled: Object.freeze(spilled) }) };
}

/** The report, or the error that carries it. */
export function concludeRangeMove(
  context: Context,
  outcome: MoveOutcome<MigrationReport>,
  { isStrict, isShared, onFull }: CheckedMove,
): MigrationReport {
  const { report, failure } = outcome;
  const { target, pages } = report;
  const args = { target, pageCount: pages.total };
  const asked = `${args.pageCount} pages to node ${target}`;
  const made = { privileged: isShared ? { argument: 'options.includeShared' } : undefined };
  const error = failure && context.error(failure, { asked, args, made });
  const done = concludeMove(outcome, { verb: 'migrate', name: 'migration', args, isStrict }, error);
  if (onFull !== 'fail' || pages.noMemory === 0) return done;
  throw new NumaError(`node ${target} has no room for ${pages.noMemory} of ${pages.total} pages`, {
    code: 'NUMA_OUT_OF_MEMORY',
    asked: 'migrate',
    argument: 'options.onFull',
    args,
    backend: report.backend,
    hint: 'see error.report for what has moved; free memory there, or choose another node',
    report,
  });
}
