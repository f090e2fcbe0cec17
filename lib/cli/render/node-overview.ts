/**
 * The nodes of a machine as text: what is in them, how far they are apart, pools of huge pages,
 * and whether the kernel moves pages by itself.
 */

import { formatIdList } from '../../core/id-list.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { LOCAL_DISTANCE } from '../../core/uapi.ts';
import { bytesText, countText, shareText, UNKNOWN } from '../../core/unit-text.ts';
import type { BalancingState } from '../../facade/host/balancing.ts';
import type { NodeStatistics } from '../../facade/host/node-statistics.ts';
import type { Topology } from '../../facade/topology.ts';
import { bar } from './bar.ts';
import type { Colours } from './colours.ts';
import { paragraph } from './paragraph.ts';
import { type Column, table } from './table.ts';
import { wideTable } from './wide-table.ts';

export interface NodeOverview {
  readonly topology: Topology;
  readonly statistics: readonly NodeStatistics[];
  /** Nodes that this process may use. */
  readonly allowed: NodeMask;
  readonly balancing: BalancingState;
}

export interface TextOptions {
  readonly columns: number;
  readonly colours: Colours;
}

const BAR_COLUMNS = 20;

/** The lines, parts told apart by an empty line. */
export function nodeOverview(overview: NodeOverview, options: TextOptions): string[] {
  return [
    ...nodeTable(overview, options),
    '',
    ...distanceMap(overview.topology, options),
    '',
    ...poolTable(overview.statistics, options),
    ...sentences(overview).flatMap((text) => paragraph(text, options.columns)),
  ];
}

function nodeTable({ topology, statistics }: NodeOverview, options: TextOptions): string[] {
  const { columns, colours } = options;
  const hasMemory = ({ memory }: NodeStatistics): boolean => memory.totalBytes !== 0;
  const usedBar = ({ memory }: NodeStatistics, at: number): string => {
    const { usedBytes: amount, totalBytes } = memory;
    if (amount === null || !totalBytes) return '';
    const paint = (text: string): string => colours.node(at, text);
    return bar([{ amount, letter: '#', paint }], totalBytes, BAR_COLUMNS, colours);
  };
  const bytes = (member: 'usedBytes' | 'freeBytes') => (node: NodeStatistics) =>
    hasMemory(node) ? bytesText(node.memory[member]) : '';
  const shown: Column<NodeStatistics>[] = [
    { heading: 'node', cell: ({ id }) => `${id}`, align: 'right' },
    { heading: 'CPUs', cell: ({ id }) => cpuText(topology.node(id).cpus, columns) },
    {
      heading: 'memory',
      cell: (node) => (hasMemory(node) ? bytesText(node.memory.totalBytes) : 'no memory'),
      align: 'right',
    },
    { heading: 'used', cell: bytes('usedBytes'), align: 'right', leaves: 1 },
    { heading: 'free', cell: bytes('freeBytes'), align: 'right' },
    {
      heading: 'used of memory',
      cell: (node) => usedBar(node, statistics.indexOf(node)),
      isPainted: true,
      leaves: 2,
    },
    {
      heading: '',
      cell: ({ memory: { usedBytes, totalBytes } }) =>
        usedBytes !== null && totalBytes ? shareText(usedBytes / totalBytes) : '',
      align: 'right',
      leaves: 3,
    },
  ];
  return table(statistics, shown, { columns, heading: (text) => colours.heading(text) });
}

/** A list that is too long for the terminal ends with the number of CPUs. */
function cpuText(cpus: readonly number[] | null, columns: number): string {
  if (cpus === null) return UNKNOWN;
  if (cpus.length === 0) return 'no CPUs';
  const width = columns < 60 ? 11 : columns < 100 ? 20 : columns / 3;
  const list = formatIdList(cpus);
  if (list.length <= width) return list;
  const end = `,… (${cpus.length})`;
  const kept = list.slice(0, Math.max(0, width - end.length + 1));
  const comma = kept.lastIndexOf(',');
  return comma > 0 ? `${kept.slice(0, comma)}${end}` : `${cpus.length} CPUs`;
}

/** From the node of the row to that of the column. */
function distanceMap(topology: Topology, { columns, colours }: TextOptions): string[] {
  const ids = topology.nodes.map(({ id }) => id);
  const all = ids.map((from) => ids.map((to) => topology.distance(from, to)));
  const farthest = Math.max(LOCAL_DISTANCE + 1, ...all.flat().map(Number));
  const paint = (cell: string, row: number, column: number): string => {
    const distance = all[row]?.[column] ?? null;
    if (distance === null) return cell;
    const share = (distance - LOCAL_DISTANCE) / (farthest - LOCAL_DISTANCE);
    return colours.heat(Math.max(0, share), cell);
  };
  const width = Math.max(...ids.map((id) => `${id}`.length));
  const rows = ids.map((id, at) => ({
    label: `${id}`.padStart('distance'.length + 1 + width),
    cells: (all[at] ?? []).map((distance) => (distance === null ? UNKNOWN : `${distance}`)),
  }));
  const heading = (text: string): string => colours.heading(text);
  const headings = ids.map(String);
  return wideTable(headings, rows, { columns, corner: 'distance', heading, paint });
}

interface PoolRow {
  readonly node: number;
  readonly pageSizeBytes: number;
  readonly counts: readonly (string | number)[];
}

/** Ends with an empty line; no lines where all pools are empty. */
function poolTable(
  statistics: readonly NodeStatistics[],
  { columns, colours }: TextOptions,
): string[] {
  const filled = poolsOf(statistics).filter(({ counts: [total] }) => total !== 0);
  if (filled.length === 0) return [];
  const shown: Column<PoolRow>[] = [
    { heading: 'node', cell: ({ node }) => `${node}`, align: 'right' },
    {
      heading: 'huge page',
      cell: ({ pageSizeBytes }) => bytesText(pageSizeBytes),
      align: 'right',
    },
    { heading: 'total', cell: ({ counts }) => `${counts[0]}`, align: 'right' },
    { heading: 'free', cell: ({ counts }) => `${counts[1]}`, align: 'right' },
    { heading: 'surplus', cell: ({ counts }) => `${counts[2]}`, align: 'right' },
  ];
  return [...table(filled, shown, { columns, heading: (text) => colours.heading(text) }), ''];
}

function poolsOf(statistics: readonly NodeStatistics[]): PoolRow[] {
  return statistics.flatMap(({ id, hugePages }) =>
    (hugePages ?? []).map(({ pageSizeBytes, total, free, surplus }) => {
      const counts = [total, free, surplus].map((count) => count ?? UNKNOWN);
      return { node: id, pageSizeBytes, counts };
    }),
  );
}

/** What there is to say of pools in which nothing is. */
function poolSentence(statistics: readonly NodeStatistics[]): string[] {
  const pools = poolsOf(statistics);
  if (pools.length === 0) return ['huge pages: this kernel does not tell'];
  if (pools.some(({ counts: [total] }) => total !== 0)) return [];
  const sizes = [...new Set(pools.map(({ pageSizeBytes }) => bytesText(pageSizeBytes)))];
  return [`huge pages: no node has any set aside (sizes: ${sizes.join(', ')})`];
}

function sentences({ topology, statistics, allowed, balancing }: NodeOverview): string[] {
  const forbidden = topology.withMemory.difference(allowed);
  const mine = `this process may use the memory of nodes ${allowed}, not of ${forbidden}`;
  return [
    ...(forbidden.isEmpty ? [] : [mine]),
    ...poolSentence(statistics),
    ...tierSentence(topology),
    balancingSentence(balancing),
  ];
}

function tierSentence({ nodes }: Topology): string[] {
  const tiers = new Map<number, number[]>();
  for (const { id, tier } of nodes) {
    if (tier !== undefined) tiers.set(tier, [...(tiers.get(tier) ?? []), id]);
  }
  const fastFirst = [...tiers].sort(([a], [b]) => a - b);
  if (fastFirst.length === 0) return [];
  const texts = fastFirst.map(([tier, ids]) => {
    return `${tier} (node${ids.length === 1 ? '' : 's'} ${NodeMask.from(ids)})`;
  });
  return [`memory tiers, the fastest first: ${texts.join(', ')}`];
}

function balancingSentence({ mode, scan, counters }: BalancingState): string {
  if (mode === null) return 'automatic balancing: this kernel does not tell';
  const parts = [`automatic balancing: ${mode}`];
  const { periodMinMs, periodMaxMs, sizeBytes } = scan;
  if (mode !== 'off' && periodMinMs !== null && periodMaxMs !== null && sizeBytes !== null) {
    parts.push(`scans ${bytesText(sizeBytes)} every ${periodMinMs} to ${periodMaxMs} ms`);
  }
  const { numaHintFaults, numaHintFaultsLocal, numaPagesMigrated } = counters;
  if ((mode !== 'off' || numaPagesMigrated) && numaHintFaults !== null) {
    const local =
      numaHintFaultsLocal === null ? '' : ` (${numaHintFaultsLocal.toLocaleString('en-US')} local)`;
    parts.push(`so far ${countText(numaHintFaults, 'hint fault')}${local}`);
    if (numaPagesMigrated !== null) parts.push(`${countText(numaPagesMigrated, 'page')} moved`);
  }
  return parts.join('; ');
}
