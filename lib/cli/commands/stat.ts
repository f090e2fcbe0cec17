/**
 * `node-numa stat`: numastat's figures of the nodes, or of processes; and what they changed by.
 */

import { setTimeout } from 'node:timers/promises';
import { Option } from 'commander';
import { NumaError } from '../../core/errors.ts';
import type { NodeStatistics } from '../../facade/host/node-statistics.ts';
import { backendOf, type Numa } from '../../facade/numa.ts';
import {
  WITHOUT_MEMORY,
  type WithoutMemory,
  whyWithoutMemory,
} from '../../facade/process/without-memory.ts';
import { changesBetween, hasStartedAnew } from '../../services/statistics/changes.ts';
import { type ProcessFigures, processFigures } from '../../services/statistics/process-figures.ts';
import { parsePids, parsePositive, parsePositiveInteger } from '../arguments.ts';
import { type CommandSpec, defineCommand, type Invocation } from '../command.ts';
import { readEarlierStatistics } from '../earlier-statistics.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { backendLine } from '../render/backend-line.ts';
import { nodesShown } from '../render/nodes-shown.ts';
import { allocationTable, memoryTable, processTable } from '../render/statistics.ts';
import { visible } from '../render/visible.ts';
import { watching } from '../repeat.ts';
import { UsageError } from '../usage-error.ts';

interface StatOptions {
  readonly memory?: boolean;
  readonly since?: string;
  readonly watch?: number;
  readonly count?: number;
}

/** A process that could be looked at. */
interface Seen extends ProcessFigures {
  readonly withoutMemory: WithoutMemory | null;
}

/** A process that could not be looked at. */
interface Unknown {
  readonly pid: number;
  readonly error: NumaError;
}

export const statCommand: CommandSpec = defineCommand<StatOptions>({
  name: 'stat',
  summary: "show numastat's figures of the nodes, or of processes",
  description: [
    'Without a process: what each node has given out since the machine started, in allocations ' +
      '(a huge page is one). With processes: their memory on each node, in MiB.',
  ],
  args: [{ flags: '[pid...]', description: 'processes to show, as numastat -p', parse: parsePids }],
  options: [
    new Option('-m, --memory', "show what each node's memory holds, as numastat -m"),
    new Option('--since <file>', 'show the changes since an earlier output of stat --json'),
    new Option('--watch <seconds>', 'show the changes again and again').argParser(parsePositive),
    new Option('--count <number>', 'end --watch after so many').argParser(parsePositiveInteger),
  ],
  examples: [
    { line: 'node-numa stat', says: "each node's counters" },
    { line: 'node-numa stat --memory', says: "what each node's memory holds" },
    { line: 'node-numa stat $$', says: 'the memory of this shell by node' },
    { line: 'node-numa stat --watch 0.5 --count 2', says: 'what nodes give out, twice' },
    { line: 'node-numa stat --machine four-nodes --json', says: 'those of a simulated machine' },
  ],
  takesMachine: true,
  takesJson: true,
  async run(invocation) {
    const pids = (invocation.args[0] ?? []) as number[];
    checkTogether(pids, invocation.options);
    if (pids.length > 0) return showProcesses(invocation, pids);
    return invocation.options.watch === undefined
      ? showNodes(invocation)
      : watchNodes(invocation, invocation.options.watch);
  },
});

function checkTogether(pids: readonly number[], options: StatOptions): void {
  const { memory, since, watch, count } = options;
  if (pids.length > 0 && (memory || since !== undefined || watch !== undefined)) {
    const instead = 'leave it out; node-numa where PID --watch shows how a process changes';
    throw new UsageError(`stat of processes has no --memory, --since or --watch: ${instead}`);
  }
  if (since !== undefined && watch !== undefined) {
    throw new UsageError('--since and --watch both tell what to compare with: leave one out');
  }
  if (count !== undefined && watch === undefined) throw new UsageError('--count needs --watch');
}

async function showNodes({ options, output, open }: Invocation<StatOptions>): Promise<ExitCode> {
  const numa = open();
  const nodes = await numa.nodeStatistics();
  const { since } = options;
  if (since === undefined) {
    print(numa, nodes, { output, options, changes: null });
    return EXIT.DONE;
  }
  const changed = changesBetween(readEarlierStatistics(since, numa.backend), nodes);
  if (hasStartedAnew(changed)) {
    throw new UsageError(`--since ${since}: it is of another machine, or from before its start`);
  }
  print(numa, changed, { output, options, changes: `since ${since}` });
  return EXIT.DONE;
}

async function watchNodes(invocation: Invocation<StatOptions>, seconds: number): Promise<ExitCode> {
  const { options, output, open } = invocation;
  const numa = open();
  const { count = Number.POSITIVE_INFINITY } = options;
  let before = await numa.nodeStatistics();
  return watching(invocation, async () => {
    for (let shown = 0; shown < count && !output.isClosed; shown += 1) {
      await setTimeout(seconds * 1000);
      const nodes = await numa.nodeStatistics();
      const changes = `in ${seconds} s`;
      print(numa, changesBetween(before, nodes), { output, options, changes });
      before = nodes;
    }
    return EXIT.DONE;
  });
}

interface Printing {
  readonly output: Output;
  readonly options: Invocation<StatOptions>['options'];
  /** Since when, or in what time, figures are changes; `null`: they are the figures themselves. */
  readonly changes: string | null;
}

function print(
  { backend }: Numa,
  nodes: readonly NodeStatistics[],
  { output, options, changes }: Printing,
): void {
  if (options.json) {
    output.json({ backend, changes, nodes });
    return;
  }
  const { columns, colours } = output;
  const table = options.memory ? memoryTable : allocationTable;
  const lines = [
    backendLine(backend, colours),
    ...(changes === null ? [] : [visible(`changes ${changes}`)]),
    '',
    ...table(nodes, { columns, colours, isChange: changes !== null }),
  ];
  if (options.watch === undefined) output.lines(lines);
  else output.redraw(lines);
}

async function showProcesses(
  { options, output, open, textOf }: Invocation<StatOptions>,
  pids: readonly number[],
): Promise<ExitCode> {
  const numa = open();
  const found = await Promise.all(pids.map((pid) => lookAt(numa, pid)));
  const unknown = found.filter((one): one is Unknown => 'error' in one);
  // Of one process alone there is nothing else to tell.
  if (pids.length === 1 && unknown[0] !== undefined) throw unknown[0].error;
  if (options.json) {
    output.json({
      backend: numa.backend,
      processes: found.map((one) => processObject(one, textOf)),
    });
  } else {
    printProcesses(numa, found, { output, textOf });
  }
  if (unknown.length === 0) return EXIT.DONE;
  return unknown.length < pids.length ? EXIT.PARTIAL : EXIT.FAILED;
}

async function lookAt(numa: Numa, pid: number): Promise<Seen | Unknown> {
  try {
    const residency = await numa.process(pid).residency();
    const reason = residency.mappingCount > 0 ? null : await whyWithoutMemory(backendOf(numa), pid);
    return { ...processFigures(residency), withoutMemory: reason };
  } catch (error) {
    if (error instanceof NumaError) return { pid, error };
    throw error;
  }
}

type TextOf = Invocation<StatOptions>['textOf'];

function processObject(found: Seen | Unknown, textOf: TextOf): object {
  if (!('error' in found)) return found;
  const { pid, error } = found;
  return { pid, error: { code: error.code, message: textOf(error) } };
}

function printProcesses(
  { backend, topology }: Numa,
  found: readonly (Seen | Unknown)[],
  { output, textOf }: { readonly output: Output; readonly textOf: TextOf },
): void {
  const { columns, colours } = output;
  const known = topology.nodes.map(({ id }) => id);
  const totals = found.flatMap((one) => ('error' in one ? [] : [one.total]));
  const ids = nodesShown(known, ...totals);
  output.lines([backendLine(backend, colours)]);
  for (const one of found) {
    if ('error' in one) output.complain([`process ${one.pid}: ${textOf(one.error)}`]);
    else output.lines(['', ...processTable(one, ids, { columns, colours }), ...noteOf(one)]);
  }
}

function noteOf({ withoutMemory: reason }: Seen): string[] {
  return reason === null ? [] : [WITHOUT_MEMORY[reason].rule];
}
