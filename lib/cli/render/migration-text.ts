/**
 * Plans and receipts of moves as text.
 */

import type { MappingsMigrationReport, SelectedPages } from '../../core/migration-report.ts';
import { bytesText, countText, durationText, shareText } from '../../core/unit-text.ts';
import type { MigrationPlan, PlannedMapping } from '../../facade/process/migration-plan.ts';
import { VERDICTS } from '../../facade/summarize.ts';
import { bar } from './bar.ts';
import type { Colours } from './colours.ts';
import { paragraph } from './paragraph.ts';
import { type Column, table } from './table.ts';

export interface MigrationTextOptions {
  readonly columns: number;
  readonly colours: Colours;
}

/** Mappings that a plan lists; the largest. */
const LISTED_MAX = 8;
const PROGRESS_BAR_COLUMNS = 24;

export function planText(plan: MigrationPlan, options: MigrationTextOptions): string[] {
  const { columns, colours } = options;
  const { mappings, selectedCount, mappingCount, bytesToMove, from, to, pid } = plan;
  const largest = [...mappings].sort((a, b) => b.bytesToMove - a.bytesToMove).slice(0, LISTED_MAX);
  const rest = mappings.length - largest.length;
  const what = `${bytesText(bytesToMove)} in ${countText(mappings.length, 'mapping')}`;
  const ofAll = `of ${selectedCount} selected, ${mappingCount} in all`;
  const way = from.isEmpty ? `no node but ${to} has memory` : `node ${from} to ${to}`;
  return [
    ...paragraph(`: ${what} (${ofAll}) of process ${pid}: ${way}`, columns, {
      text: 'plan',
      paint: (text) => colours.heading(text),
    }),
    ...(largest.length === 0 ? [] : table(largest, PLAN_COLUMNS, { columns, hasHeading: false })),
    ...(rest > 0 ? [colours.dim(`  and ${rest} smaller ones`)] : []),
    ...plan.warnings.flatMap(({ message }) =>
      paragraph(`note: ${message}`, columns).map((line) => colours.warning(line)),
    ),
  ];
}

const PLAN_COLUMNS: readonly Column<PlannedMapping>[] = [
  { heading: '', cell: ({ bytesToMove }) => `  ${bytesText(bytesToMove)}`, align: 'right' },
  { heading: '', cell: ({ start }) => start.toString(16), leaves: 1 },
  { heading: '', cell: ({ kind }) => kind, leaves: 2 },
  { heading: '', cell: ({ name }) => name ?? '', cutTo: 10 },
];

/** One line while it runs. */
export function progressText(
  { bytesDone, bytesTotal, movedBytes }: ProgressCounts,
  { columns, colours }: MigrationTextOptions,
): string {
  const part = { amount: bytesDone, letter: '#', paint: (text: string) => colours.good(text) };
  const width = Math.max(0, Math.min(PROGRESS_BAR_COLUMNS, columns - 30));
  const share = shareText(bytesTotal === 0 ? 1 : bytesDone / bytesTotal);
  return `${bar([part], bytesTotal, width, colours)} ${share}, ${bytesText(movedBytes)} moved`;
}

export interface ProgressCounts {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly movedBytes: number;
}

/** Why pages are not where they were to go, in words. */
const REASONS: readonly (readonly [keyof SelectedPages, string])[] = [
  ['shared', 'are mapped by other processes too: --include-shared takes them along (CAP_SYS_NICE)'],
  ['busy', 'are pinned, or in use by the kernel or a device'],
  ['noMemory', 'found no free memory on the target node'],
  ['notAttempted', 'were not tried: the move had ended before their turn'],
  ['failed', 'were refused'],
  ['notSelected', 'are on nodes that were not to be left'],
];

export function reportText(
  report: MappingsMigrationReport,
  options: MigrationTextOptions,
): string[] {
  const { columns, colours } = options;
  const { pages, pageSizeBytes, steps, durationNs } = report;
  const bytes = (count: number): string => bytesText(count * pageSizeBytes);
  const rate = durationNs === 0 ? 0 : (pages.moved * pageSizeBytes * 1e9) / durationNs;
  const time = `in ${durationText(durationNs)}, ${bytesText(rate)}/s`;
  const longest = `${countText(steps.count, 'step')}, the longest ${durationText(steps.longestNs)}`;
  const isGood = report.complete && !report.aborted;
  const verdict = {
    text: report.aborted ? 'interrupted' : VERDICTS[report.outcome],
    paint: (text: string): string => (isGood ? colours.good(text) : colours.warning(text)),
  };
  const stayed = REASONS.filter(([reason]) => pages[reason] > 0).flatMap(([reason, words]) => {
    const names = reason === 'failed' ? ` (${Object.keys(report.failedBy).join(', ')})` : '';
    return paragraph(`${bytes(pages[reason])} ${words}${names}`, columns);
  });
  return [
    ...paragraph(`: ${bytes(pages.moved)} moved ${time}; ${longest}`, columns, verdict),
    ...(pages.alreadyThere > 0 ? [`${bytes(pages.alreadyThere)} were there already`] : []),
    ...stayed,
    ...leftLines(report, options),
  ];
}

/** The mappings with what was to move and did not. */
function leftLines(
  { mappings, pageSizeBytes }: MappingsMigrationReport,
  { columns, colours }: MigrationTextOptions,
): string[] {
  const all = mappings.filter(({ pages }) => stuckPages(pages) > 0);
  const left = all.slice(0, LISTED_MAX);
  const rest = all.length - left.length;
  if (left.length === 0) return [];
  const rows = table(
    left,
    [
      {
        heading: 'left behind',
        cell: ({ pages }) => bytesText(stuckPages(pages) * pageSizeBytes),
        align: 'right',
      },
      { heading: 'why', cell: ({ pages }) => reasonWords(pages) },
      { heading: 'address', cell: ({ start }) => start.toString(16), leaves: 1 },
      { heading: 'name', cell: ({ name, kind }) => name ?? kind, cutTo: 10 },
    ],
    { columns, heading: (text) => colours.heading(text) },
  );
  return ['', ...rows, ...(rest > 0 ? [colours.dim(`and ${rest} more: --json has all`)] : [])];
}

function stuckPages({ busy, noMemory, notAttempted, failed }: SelectedPages): number {
  return busy + noMemory + notAttempted + failed;
}

function reasonWords(pages: SelectedPages): string {
  const words = [
    ['busy', 'busy'],
    ['noMemory', 'no memory'],
    ['notAttempted', 'not tried'],
    ['failed', 'refused'],
  ] as const;
  return words
    .filter(([reason]) => pages[reason] > 0)
    .map(([, text]) => text)
    .join(', ');
}
