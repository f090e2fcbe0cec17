/**
 * `node-numa top`: all processes, the ones with most memory first.
 */

import { Option } from 'commander';
import type { NodeId } from '../../core/node-mask.ts';
import { bytesText, shareText, UNKNOWN } from '../../core/unit-text.ts';
import type { Numa } from '../../facade/numa.ts';
import { type ProcessSummary, readProcesses } from '../../services/process-list.ts';
import { parsePositiveInteger } from '../arguments.ts';
import { type CommandSpec, defineCommand, type Invocation } from '../command.ts';
import { backendLine } from '../render/backend-line.ts';
import { bar, nodeLetter } from '../render/bar.ts';
import type { Colours } from '../render/colours.ts';
import { nodesShown } from '../render/nodes-shown.ts';
import { nodeLegend } from '../render/page-map.ts';
import { flow, paragraph } from '../render/paragraph.ts';
import { type Column, table } from '../render/table.ts';
import { showOrWatch, watchOption } from '../repeat.ts';

interface TopOptions {
  readonly count: number;
  readonly sort: 'memory' | 'remote' | 'cpu';
  readonly watch?: number;
}

const COUNT_DEFAULT = 20;
const BAR_COLUMNS = 16;

export const topCommand: CommandSpec = defineCommand<TopOptions>({
  name: 'top',
  summary: 'show all processes: their memory by node, and how much of it is remote',
  description: [
    'Processes that this user may not look into are counted at the end, and what /proc does not ' +
      'list is told (hidepid, PID namespaces). Remote is as in where.',
  ],
  options: [
    new Option('--count <number>', 'how many to show')
      .argParser(parsePositiveInteger)
      .default(COUNT_DEFAULT),
    new Option('--sort <by>', 'what comes first')
      .choices(['memory', 'remote', 'cpu'])
      .default('memory'),
    watchOption(),
  ],
  examples: [
    { line: 'node-numa top', says: 'the processes with most memory' },
    { line: 'node-numa top --sort remote --count 5 --json', says: 'those with most remote memory' },
  ],
  takesMachine: false,
  takesJson: true,
  async run(invocation) {
    const numa = invocation.open();
    return showOrWatch(invocation.options.watch, invocation, () => linesOf(invocation, numa));
  },
});

async function linesOf(
  { options, output }: Invocation<TopOptions>,
  numa: Numa,
): Promise<readonly string[] | undefined> {
  const { processes, hiddenCount, warnings } = await readProcesses(numa);
  const sorted = [...processes].sort(ORDERS[options.sort]).slice(0, options.count);
  const moreCount = processes.length - sorted.length;
  if (options.json) {
    const { backend } = numa;
    output.json({ backend, processes: sorted, moreCount, hiddenCount, warnings });
    return undefined;
  }
  const { columns, colours } = output;
  const nodes = nodesShown(numa.topology.online, ...sorted.map((one) => one.bytesByNode));
  return [
    backendLine(numa.backend, colours),
    '',
    ...table(sorted, columnsOf(nodes, colours), {
      columns,
      heading: colours.heading.bind(colours),
    }),
    ...(moreCount > 0 ? [colours.dim(`and ${moreCount} more: --count ${processes.length}`)] : []),
    ...flow(nodeLegend(nodes, colours), columns),
    ...(hiddenCount > 0 ? [colours.dim(hiddenText(hiddenCount))] : []),
    ...warnings.flatMap(({ message }) =>
      paragraph(`note: ${message}`, columns).map((line) => colours.warning(line)),
    ),
  ];
}

function hiddenText(count: number): string {
  return `${count} more ${count === 1 ? 'is' : 'are'} not ours to look into`;
}

type Order = (a: ProcessSummary, b: ProcessSummary) => number;

const ORDERS: Readonly<Record<TopOptions['sort'], Order>> = {
  memory: (a, b) => b.residentBytes - a.residentBytes,
  remote: (a, b) => remoteBytes(b) - remoteBytes(a),
  cpu: (a, b) => b.cpuTimeMs - a.cpuTimeMs,
};

/** Those of whom nothing is known come last. */
function remoteBytes({ residentBytes, remoteShare }: ProcessSummary): number {
  return remoteShare === null ? -1 : residentBytes * remoteShare;
}

function columnsOf(nodes: readonly NodeId[], colours: Colours): Column<ProcessSummary>[] {
  const byNode = ({ bytesByNode, residentBytes }: ProcessSummary): string => {
    const parts = nodes.map((node, index) => ({
      amount: bytesByNode[node] ?? 0,
      letter: nodeLetter(index),
      paint: (text: string): string => colours.node(index, text),
    }));
    return bar(parts, residentBytes, BAR_COLUMNS, colours);
  };
  return [
    { heading: 'pid', cell: ({ pid }) => `${pid}`, align: 'right' },
    { heading: 'memory', cell: ({ residentBytes }) => bytesText(residentBytes), align: 'right' },
    { heading: 'by node', cell: byNode, isPainted: true, leaves: 2 },
    { heading: 'remote', cell: ({ remoteShare }) => shareText(remoteShare), align: 'right' },
    { heading: 'runs on', cell: ({ nodesRunOn }) => `${nodesRunOn ?? UNKNOWN}`, leaves: 3 },
    { heading: 'name', cell: ({ name }) => name, cutTo: 8 },
  ];
}
