/**
 * `node-numa where`: where a process's memory is, and where its threads run.
 */

import { Option } from 'commander';
import { NodeMask } from '../../core/node-mask.ts';
import { backendOf, type Numa } from '../../facade/numa.ts';
import type { MappingFilter } from '../../facade/process/mapping-filter.ts';
import type { ProcessMapping } from '../../facade/process/process-mappings.ts';
import { remoteShareOf } from '../../facade/process/process-threads.ts';
import { whyWithoutMemory } from '../../facade/process/without-memory.ts';
import { parsePid, parsePositiveInteger, repeatable } from '../arguments.ts';
import { type CommandSpec, defineCommand, type Invocation } from '../command.ts';
import { FILTER_HELP, parseFilter } from '../mapping-filter-text.ts';
import type { Output } from '../output.ts';
import { backendLine } from '../render/backend-line.ts';
import { nodesShown } from '../render/nodes-shown.ts';
import { cellText, pageMap, pageMapLegend, pagesPerCell } from '../render/page-map.ts';
import { flow } from '../render/paragraph.ts';
import { mappingColumns, type ProcessView, processText } from '../render/process-text.ts';
import { tableParts } from '../render/table.ts';
import { showOrWatch, watchOption } from '../repeat.ts';

interface WhereOptions {
  readonly maps?: boolean;
  readonly mapping?: readonly MappingFilter[];
  readonly top: number;
  readonly watch?: number;
}

const TOP_DEFAULT = 12;
/** Mappings that are drawn: locating each page of all would take long. */
const MAP_COLUMNS_MAX = 120;

export const whereCommand: CommandSpec = defineCommand<WhereOptions>({
  name: 'where',
  summary: "show where a process's memory is, and where its threads run",
  description: [
    'Remote is memory on another node than the thread that uses it runs on, if all threads use ' +
      'all of it alike; threads count by their CPU time. With --maps each mapping has a map of ' +
      'its pages: each cell a block of them, with the colour (or letter) of the node that most ' +
      'are on.',
  ],
  args: [{ flags: '<pid>', description: 'the process', parse: parsePid }],
  options: [
    new Option('--maps', 'show the largest mappings, with their page maps'),
    repeatable(
      new Option('--mapping <filter>', `show these mappings only: ${FILTER_HELP}`),
    ).argParser(parseFilter),
    new Option('--top <count>', 'how many mappings to show')
      .argParser(parsePositiveInteger)
      .default(TOP_DEFAULT),
    watchOption(),
  ],
  madeOf: { 'options.mappings': '--mapping' },
  examples: [
    { line: 'node-numa where $$', says: 'this shell' },
    { line: 'node-numa where $$ --maps --top 5', says: 'its five largest mappings' },
    { line: 'node-numa where $$ --mapping kind=file --json', says: 'the files that it maps' },
  ],
  takesMachine: true,
  takesJson: true,
  async run(invocation) {
    const numa = invocation.open();
    return showOrWatch(invocation.options.watch, invocation, () => look(invocation, numa));
  },
});

/** Prints JSON, or gives the lines to draw. */
async function look(
  { options, args, output }: Invocation<WhereOptions>,
  numa: Numa,
): Promise<readonly string[] | undefined> {
  const pid = args[0] as number;
  const isMapped = options.maps === true || options.mapping !== undefined;
  const seen = await numa
    .process(pid)
    .snapshot({ mappings: isMapped ? (options.mapping ?? {}) : [] });
  const { residency, threads } = seen;
  const remoteShare = remoteShareOf(residency.bytesByNode, threads);
  const name = threads.find(({ tid }) => tid === pid)?.name ?? '';
  const reason = residency.mappingCount > 0 ? null : await whyWithoutMemory(backendOf(numa), pid);
  const view = { name, withoutMemory: reason, residency, threads, remoteShare };
  const mappings = isMapped ? [...seen.mappings].sort(largestFirst) : undefined;
  if (options.json) {
    const { backend } = numa;
    output.json({ backend, ...view, ...(mappings === undefined ? {} : { mappings }) });
    return undefined;
  }
  const lines = [backendLine(numa.backend, output.colours), '', ...viewLines(view, numa, output)];
  if (mappings !== undefined && reason === null) {
    lines.push('', ...(await mappingLines(mappings, { numa, output, pid }, options.top)));
  }
  return lines;
}

function largestFirst(a: ProcessMapping, b: ProcessMapping): number {
  return b.residentBytes - a.residentBytes || (a.start < b.start ? -1 : 1);
}

function viewLines(view: ProcessView, numa: Numa, { columns, colours }: Output): string[] {
  const { topology } = numa;
  const nodes = nodesShown(topology.online, view.residency.bytesByNode);
  const told = topology.nodes.filter(({ cpus }) => cpus !== null).map(({ id }) => id);
  const nodesOfUnknownCpus = NodeMask.from(nodes).difference(NodeMask.from(told));
  return processText(view, { columns, colours, nodes, nodesOfUnknownCpus });
}

async function mappingLines(
  mappings: readonly ProcessMapping[],
  { numa, output, pid }: { numa: Numa; output: Output; pid: number },
  top: number,
): Promise<string[]> {
  const { columns, colours } = output;
  const shown = mappings.slice(0, top);
  const nodes = nodesShown(numa.topology.online, ...shown.map((one) => one.bytesByNode));
  const { heading, body, left } = tableParts(shown, mappingColumns(nodes, colours), {
    columns,
    heading: colours.heading.bind(colours),
  });
  const lines = [heading];
  for (const [at, mapping] of shown.entries()) {
    lines.push(body[at] as string);
    const pageCount = mapping.lengthBytes / numa.pageSizeBytes;
    if (mapping.residentBytes === 0) continue;
    const options = { columns: Math.min(columns, MAP_COLUMNS_MAX) - 2, colours, nodes };
    const runs = await numa.process(pid).locateRuns({ address: mapping.start, pageCount });
    const placed = runs.map(({ address, ...run }) => ({
      ...run,
      firstPage: Number((address - mapping.start) / BigInt(numa.pageSizeBytes)),
    }));
    const cell = cellText(pagesPerCell(pageCount, options), numa.pageSizeBytes);
    const [row = ''] = pageMap(pageCount, placed, options);
    lines.push(`  ${row}`, colours.dim(`  ${cell}`));
  }
  const more = mappings.length - shown.length;
  if (more > 0) lines.push(colours.dim(`and ${more} more: --top ${mappings.length} shows all`));
  return [...lines, ...left, ...flow(pageMapLegend(nodes, colours), columns)];
}
