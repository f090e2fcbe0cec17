/** One line of text for each thing that verbs give: receipts, plans, and where pages are. */

import { invalidArgumentType } from '../core/argument-errors.ts';
import { isInstance, reading } from '../core/check-arguments.ts';
import type {
  AnyMigrationReport,
  MigratedPages,
  MigrationOutcome,
  NodePages,
} from '../core/migration-report.ts';
import { bytesText, countText, durationText } from '../core/unit-text.ts';
import type { RangePlan } from './buffer/plan-move.ts';
import type { Residency } from './pages/residency.ts';
import type { ProcessMigrationReport } from './process/migrate-at-once.ts';

/** What a line can be made of. */
export type Summarizable = AnyMigrationReport | ProcessMigrationReport | RangePlan | Residency;

/** How a move ended, in words. */
export const VERDICTS: Readonly<Record<MigrationOutcome, string>> = {
  complete: 'done',
  spared: 'done but for shared pages',
  partial: 'done in part',
};

/** What became of pages, in the words of a line. */
const WORDS: readonly (readonly [keyof MigratedPages, string])[] = [
  ['moved', 'moved'],
  ['alreadyThere', 'there already'],
  ['shared', 'shared'],
  ['busy', 'busy'],
  ['noMemory', 'without room'],
  ['notAttempted', 'not tried'],
  ['failed', 'refused'],
  ['notPresent', 'not present'],
  ['zeroPage', 'of zeros'],
];

/**
 * A receipt, a plan or a residency as one line of text, for logs: "2,048 pages to node 1: 2,047
 * moved, 1 busy; done in part, 12.3 ms". The words may change.
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is none
 */
export function summarize(receipt: Summarizable): string {
  const line = reading(receipt, 'receipt', () => lineOf(receipt));
  if (line !== undefined) return line;
  throw invalidArgumentType('receipt', 'a report, a plan or a residency', receipt);
}

function lineOf(receipt: Partial<Record<string, unknown>> | Summarizable): string | undefined {
  if (!isInstance(receipt, Object)) return undefined;
  if ('leftBehind' in receipt) return processLine(receipt as ProcessMigrationReport);
  if (!('pages' in receipt)) return undefined;
  if ('pagesToMove' in receipt) return planLine(receipt as RangePlan);
  if ('byNode' in receipt) return residencyLine(receipt as Residency);
  return 'outcome' in receipt ? moveLine(receipt as AnyMigrationReport) : undefined;
}

function moveLine(report: AnyMigrationReport): string {
  const { pages, failedBy, outcome, aborted, durationNs } = report;
  const counted = WORDS.filter(([name]) => pages[name] > 0).map(([name, words]) => {
    const errnos = name === 'failed' ? ` (${Object.keys(failedBy).join(', ')})` : '';
    return `${number(pages[name])} ${words}${errnos}`;
  });
  const verdict = aborted ? 'interrupted' : VERDICTS[outcome];
  const way = report.method === 'move_pages' ? '' : ` by ${report.method}`;
  const spilled = 'spilled' in report ? nodesText(report.spilled) : '';
  const elsewhere = spilled === '' ? '' : ` (${spilled} in its place)`;
  const found = `${counted.join(', ')}${elsewhere}`;
  const time = durationText(durationNs);
  return `${countText(pages.total, 'page')}${whereTo(report)}: ${found}; ${verdict}${way}, ${time}`;
}

function whereTo(report: AnyMigrationReport): string {
  if ('target' in report) return ` to node ${report.target}`;
  return 'to' in report ? ` to node ${report.to}` : '';
}

/** The kernel tells how many it could not move, numa_maps what is left. */
function processLine(report: ProcessMigrationReport): string {
  const { from, to, leftBehind, remaining, durationNs } = report;
  const sum = Object.values(remaining ?? {}).reduce((all, bytes) => all + bytes, 0);
  const left = sum === 0 ? '' : `, ${bytesText(sum)} are on nodes that were to be left`;
  const words = {
    complete: 'nothing stayed behind',
    spared: `the kernel passed over pages that other processes map too${left}`,
    partial: `${countText(leftBehind, 'page')} stayed behind${left}`,
    unknown: 'no page was refused; numa_maps, which tells where they are, cannot be read',
  } as const;
  return `node ${from} to ${to} in ${durationText(durationNs)}: ${words[report.outcome]}`;
}

function planLine({ target, bytesToMove, freeBytes, pages, warnings }: RangePlan): string {
  const what = `${bytesText(bytesToMove)} of ${countText(pages.total, 'page')}`;
  const notes = warnings.map(({ kind }) => `, ${kind}`).join('');
  return `${what} to move to node ${target}, which has ${bytesText(freeBytes)} free${notes}`;
}

function residencyLine({ pages, byNode }: Residency): string {
  const { total, notPresent, zeroPage, failed } = pages;
  const others = {
    'not present': notPresent,
    'of zeros': zeroPage,
    'of which nobody tells': failed,
  };
  const rest = Object.entries(others).filter(([, count]) => count > 0);
  const parts = [nodesText(byNode), ...rest.map(([words, count]) => `${number(count)} ${words}`)];
  return `${countText(total, 'page')}: ${parts.filter((part) => part !== '').join(', ')}`;
}

function nodesText(pages: NodePages): string {
  const entries = Object.entries(pages);
  return entries.map(([node, count]) => `${number(count)} on node ${node}`).join(', ');
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}
