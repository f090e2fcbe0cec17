/**
 * `node-numa migrate`: moves a process's memory, all of it or some mappings, in steps.
 */

import { Option } from 'commander';
import { AbortError, NumaError } from '../../core/errors.ts';
import type { AnyMigrationReport, MappingsMigrationReport } from '../../core/migration-report.ts';
import type { Numa } from '../../facade/numa.ts';
import type { MappingFilter } from '../../facade/process/mapping-filter.ts';
import type { ProcessMigrationReport } from '../../facade/process/migrate-at-once.ts';
import { summarize } from '../../facade/summarize.ts';
import { parsePid, parsePositive, repeatable } from '../arguments.ts';
import { type CommandSpec, defineCommand, type Invocation } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { FILTER_HELP, parseFilter } from '../mapping-filter-text.ts';
import { backendLine } from '../render/backend-line.ts';
import { planText, progressText, reportText } from '../render/migration-text.ts';

interface MigrateWords {
  readonly from?: string;
  readonly to: string;
  readonly mapping?: readonly MappingFilter[];
  readonly pauseBudget?: number;
  readonly includeShared?: boolean;
  readonly dryRun?: boolean;
  readonly atOnce?: boolean;
}

export const migrateCommand: CommandSpec = defineCommand<MigrateWords>({
  name: 'migrate',
  summary: "move a process's memory to other nodes, all of it or some mappings",
  description: [
    'Addresses and data stay, and the process goes on; policies stay as they are. Ctrl-C ends ' +
      'the move with a report of what has moved. Memory on the n-th node of --from goes to the ' +
      'n-th of --to, counted round.',
    'Pages that other processes map too stay where they are unless --include-shared is given: ' +
      'exit status 5, where only such are left. Exit status 3: pages that were to move stayed ' +
      'behind.',
  ],
  args: [{ flags: '<pid>', description: 'the process', parse: parsePid }],
  options: [
    new Option('--from <nodes>', 'nodes to leave; default: all but those of --to'),
    new Option('--to <nodes>', 'nodes to go to').makeOptionMandatory(),
    repeatable(
      new Option('--mapping <filter>', `move these mappings only: ${FILTER_HELP}`),
    ).argParser(parseFilter),
    new Option(
      '--pause-budget <ms>',
      'longest step in milliseconds: threads wait for pages on their way',
    ).argParser(parsePositive),
    new Option('--include-shared', 'move pages that other processes map too (CAP_SYS_NICE)'),
    new Option('--dry-run', 'show the plan only'),
    new Option(
      '--at-once',
      'one migrate_pages call for the whole process, as migratepages',
    ).conflicts(['mapping', 'pauseBudget', 'dryRun', 'includeShared']),
  ],
  madeOf: { 'options.mappings': '--mapping', 'options.pauseBudgetMs': '--pause-budget' },
  examples: [
    { line: 'node-numa migrate $$ --to 0 --dry-run', says: 'what would move' },
    { line: 'node-numa migrate $$ --from 0 --to 1', says: 'move this shell from node 0 to node 1' },
    {
      line: "node-numa migrate $$ --to 0 --mapping 'kind=heap,size>=4k' --pause-budget 5",
      says: 'its heap only, in steps of at most 5 ms',
    },
  ],
  takesMachine: true,
  takesJson: true,
  async run(invocation) {
    const numa = invocation.open();
    return invocation.options.atOnce === true
      ? migrateAtOnce(invocation, numa)
      : migrateInSteps(invocation, numa);
  },
});

/** What migratepages does: the kernel tells a number only. */
async function migrateAtOnce(
  { options, args, output }: Invocation<MigrateWords>,
  numa: Numa,
): Promise<ExitCode> {
  const target = numa.process(args[0] as number);
  const { from, to } = options;
  const report = await target.migrate({ to, ...(from === undefined ? {} : { from }) });
  if (options.json) output.json({ backend: numa.backend, report });
  else {
    output.lines([backendLine(numa.backend, output.colours), summarize(report)]);
  }
  return STATUS[report.outcome];
}

const STATUS: Readonly<Record<ProcessMigrationReport['outcome'], ExitCode>> = {
  complete: EXIT.DONE,
  spared: EXIT.SPARED,
  partial: EXIT.PARTIAL,
  unknown: EXIT.PARTIAL,
};

async function migrateInSteps(
  { options, args, output, interrupts, textOf }: Invocation<MigrateWords>,
  numa: Numa,
): Promise<ExitCode> {
  const { from, to, mapping: mappings, pauseBudget: pauseBudgetMs, includeShared } = options;
  const target = numa.process(args[0] as number);
  const selection = {
    to,
    ...(from === undefined ? {} : { from }),
    ...(mappings === undefined ? {} : { mappings }),
  };
  const plan = await target.plan(selection);
  const text = { columns: output.columns, colours: output.colours };
  const showPlan = (): void => {
    if (options.json) return;
    output.lines([backendLine(numa.backend, output.colours), ...planText(plan, text)]);
  };
  if (options.dryRun) {
    showPlan();
    if (options.json) output.json({ backend: numa.backend, plan });
    return EXIT.DONE;
  }
  // Who sees the plan may count on the report.
  const { report, error } = await interrupts.whileReporting((signal) => {
    showPlan();
    return settle(
      target.migrateMappings({
        ...selection,
        ...(pauseBudgetMs === undefined ? {} : { pauseBudgetMs }),
        includeShared: includeShared === true,
        signal,
        onProgress: (progress) => output.status(progressText(progress, text)),
      }),
    );
  });
  const failure =
    error === undefined ? {} : { error: { code: error.code, message: textOf(error) } };
  if (options.json) output.json({ backend: numa.backend, report, ...failure });
  else {
    output.lines(reportText(report, text));
    if (error !== undefined) output.complain([`node-numa: ${textOf(error)}`]);
  }
  return error === undefined && !report.aborted ? STATUS[report.outcome] : EXIT.PARTIAL;
}

/** An end with a report is an answer: an abort, or a refusal after pages had moved. */
async function settle(
  move: Promise<MappingsMigrationReport>,
): Promise<{ report: MappingsMigrationReport; error?: NumaError }> {
  try {
    return { report: await move };
  } catch (error) {
    if (error instanceof AbortError && isOfMappings(error.report)) return { report: error.report };
    if (error instanceof NumaError && error.report && isOfMappings(error.report)) {
      return { report: error.report, error };
    }
    throw error;
  }
}

function isOfMappings(report: AnyMigrationReport): report is MappingsMigrationReport {
  return 'mappings' in report;
}
