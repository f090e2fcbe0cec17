/**
 * Moves some mappings of a process, page by page, and makes the receipt.
 *
 * Source: move_pages(2) with a pid; mm/migrate.c, do_pages_move().
 */

import type {
  MappingMigration,
  MappingsMigrationReport,
  SelectedPages,
} from '../../core/migration-report.ts';
import { type MoveOutcome, moveOutcome } from '../errors/end-of-move.ts';
import { NO_PAGES, outcomeOf } from '../pages/migration-tally.ts';
import { MappingsMove, type MoveMappingsRequest } from './mappings-move.ts';
import type { MigrationPlan } from './migration-plan.ts';
import type { ProcessFiles } from './process-files.ts';

/** How it ended. */
export interface MoveMappingsOutcome extends MoveOutcome<MappingsMigrationReport> {
  /** What `checkAlive` threw: the process ended, or another one has its pid. */
  readonly gone?: unknown;
}

/** Moves what a plan says. Never rejects: the caller decides which ends are errors. */
export async function moveMappings(
  files: ProcessFiles,
  plan: MigrationPlan,
  request: MoveMappingsRequest,
): Promise<MoveMappingsOutcome> {
  const startNs = process.hrtime.bigint();
  const move = new MappingsMove(files, plan, request);
  const parts: MappingMigration[] = [];
  for (const mapping of plan.mappings) parts.push(await move.moveMapping(mapping));
  const { pages, failedBy, before, after } = sumOf(parts);
  const { end } = move;
  const report: MappingsMigrationReport = Object.freeze({
    pid: plan.pid,
    from: plan.from,
    to: plan.to,
    pageSizeBytes: files.backend.pageSizeBytes,
    pages,
    failedBy,
    before,
    after,
    mappings: parts,
    notSelectedBytes: plan.notSelectedBytes,
    // Aborted before anybody has looked: nothing is known to be on its target.
    ...(plan.mappingCount === 0 ? NOTHING_KNOWN : outcomeOf(pages)),
    aborted: end?.kind === 'aborted',
    method: 'move_pages',
    syscalls: move.syscalls,
    steps: { count: move.budget.stepCount, longestNs: Math.round(move.budget.longestMs * 1e6) },
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: files.backend.identity.kind,
  });
  return end?.kind === 'gone' ? { report, gone: end.reason } : moveOutcome(report, end);
}

const NOTHING_KNOWN = { complete: false, outcome: 'partial' } as const;

const NO_SELECTED_PAGES: SelectedPages = { ...NO_PAGES, notSelected: 0 };

function sumOf(
  parts: readonly MappingMigration[],
): Pick<MappingMigration, 'pages' | 'failedBy' | 'before' | 'after'> {
  return {
    pages: Object.freeze({
      ...NO_SELECTED_PAGES,
      ...sumCounts(parts.map((part) => part.pages)),
    }),
    failedBy: sumCounts(parts.map((part) => part.failedBy)),
    before: sumCounts(parts.map((part) => part.before)),
    after: sumCounts(parts.map((part) => part.after)),
  };
}

function sumCounts(records: readonly object[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [name, count] of Object.entries(record)) {
      sums[name] = (sums[name] ?? 0) + (count as number);
    }
  }
  return Object.freeze(sums);
}
