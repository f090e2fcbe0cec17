/**
 * How a move ends, whatever was moved: with its report, or with the error that carries it.
 */

import type { SyscallFailure } from '../../backend/syscall-result.ts';
import { AbortError, NumaError } from '../../core/errors.ts';
import type { AnyMigrationReport } from '../../core/migration-report.ts';
import type { Stop } from '../pages/attempt-pages.ts';

/** What a move came to; the report accounts for every page in each case. */
export interface MoveOutcome<R extends AnyMigrationReport> {
  readonly report: R;
  /** The kernel refused to go on. */
  readonly failure?: SyscallFailure;
  /** What ended it: the signal's reason, or what `onProgress` threw. */
  readonly abortReason?: unknown;
  /** What became of the memory meanwhile. */
  readonly loss?: NumaError;
}

/** A full node ends no move: its pages are counted. */
export function moveOutcome<R extends AnyMigrationReport>(
  report: R,
  stop: Stop | undefined,
): MoveOutcome<R> {
  if (stop?.kind === 'failed') return { report, failure: stop.failure };
  if (stop?.kind === 'lost') return { report, loss: stop.error };
  return stop?.kind === 'aborted' ? { report, abortReason: stop.reason } : { report };
}

/** The verb that moved. */
export interface MoveVerb {
  readonly verb: 'migrate' | 'place' | 'migrateMappings';
  /** What an abort is of: "migration of process 7". */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly isStrict: boolean;
}

/**
 * The report, where the move is what was asked for.
 * @param error of what ended it, but for an abort
 * @throws that error, the loss, AbortError, NumaError NUMA_POLICY_NOT_MET; with the report, a
 *   refusal only where pages had moved
 */
export function concludeMove<R extends AnyMigrationReport>(
  { report, abortReason, loss }: MoveOutcome<R>,
  move: MoveVerb,
  error?: unknown,
): R {
  const { moved, total } = report.pages;
  if (error instanceof NumaError && moved > 0) throw error.with({ report });
  if (error !== undefined) throw error;
  if (loss !== undefined) throw loss.with({ report });
  if (report.aborted) {
    const message = `${move.name} aborted: ${moved} of ${total} pages moved`;
    throw new AbortError(message, report, abortReason);
  }
  if (move.isStrict && !report.complete) throw notMet(report, move);
  return report;
}

/** What helps against each reason, where it was met. */
const STRICT_HINTS = {
  shared: 'move shared pages too with includeShared (CAP_SYS_NICE)',
  busy: 'unpin busy pages',
  noMemory: 'free memory on the node',
} as const;

function whereOf(report: AnyMigrationReport): string {
  if ('target' in report) return `node ${report.target}`;
  return 'to' in report ? `its node of ${report.to}` : 'its node';
}

/** The error of a strict move that left pages elsewhere. */
function notMet(report: AnyMigrationReport, { verb, args }: MoveVerb): NumaError {
  const { pages, failedBy, backend } = report;
  const { shared, busy, noMemory, notAttempted } = pages;
  const counts = { shared, busy, noMemory, notAttempted, ...failedBy };
  const reasons = Object.entries(counts).filter(([, count]) => count > 0);
  const list = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const where = whereOf(report);
  const hints = Object.entries(STRICT_HINTS)
    .filter(([reason]) => counts[reason as keyof typeof STRICT_HINTS] > 0)
    .map(([, hint]) => hint);
  return new NumaError(`not every page is on ${where}: ${list}`, {
    code: 'NUMA_POLICY_NOT_MET',
    asked: verb,
    argument: 'options.strict',
    args,
    backend,
    hint: ['see error.report', ...hints, 'or leave strict out'].join('; '),
    report,
  });
}
