/**
 * numastat's tables, with a column for each node. Counters are allocations; memory is in MiB with
 * two digits behind the point, as numastat shows it.
 */

import type { NodeId } from '../../core/node-mask.ts';
import { bytesText, UNKNOWN } from '../../core/unit-text.ts';
import { MIB_BYTES } from '../../core/units.ts';
import type { NodeStatistics } from '../../facade/host/node-statistics.ts';
import type { NodeAllocations } from '../../procfs/node-files.ts';
import type { ProcessFigures } from '../../services/statistics/process-figures.ts';
import type { Colours } from './colours.ts';
import { type WideRow, wideTable } from './wide-table.ts';

export interface StatisticsOptions {
  readonly columns: number;
  readonly colours: Colours;
  /** Numbers are changes: those that grew have a plus. */
  readonly isChange?: boolean;
}

/** Under the kernel's names, as numastat shows them. */
const COUNTERS: readonly (readonly [label: string, name: keyof NodeAllocations])[] = [
  ['numa_hit', 'numaHit'],
  ['numa_miss', 'numaMiss'],
  ['numa_foreign', 'numaForeign'],
  ['interleave_hit', 'interleaveHit'],
  ['local_node', 'localNode'],
  ['other_node', 'otherNode'],
];

export function allocationTable(
  nodes: readonly NodeStatistics[],
  options: StatisticsOptions,
): string[] {
  const rows = COUNTERS.map(([label, name]) => ({
    label,
    cells: nodes.map(({ allocations }) =>
      allocations === null ? UNKNOWN : signed(`${allocations[name]}`, options),
    ),
  }));
  return wideTable(headingsOf(nodes), rows, tableOptions('allocations', options));
}

/** What numastat -m shows: the fields of each node's meminfo, and its pools of huge pages. */
export function memoryTable(
  nodes: readonly NodeStatistics[],
  options: StatisticsOptions,
): string[] {
  const fields = new Set(nodes.flatMap(({ meminfo }) => Object.keys(meminfo ?? {})));
  const rows = [...fields].map((field) => {
    return memoryRow(field, nodes, ({ meminfo }) => meminfo?.[field] ?? null, options);
  });
  rows.push(...poolRows(nodes, options));
  if (rows.length === 0) return ['memory: this kernel does not tell'];
  return wideTable([...headingsOf(nodes), 'total'], rows, tableOptions('memory, MiB', options));
}

/** What numastat -p shows. */
export function processTable(
  figures: ProcessFigures,
  nodes: readonly NodeId[],
  options: StatisticsOptions,
): string[] {
  const categories = [
    ['Huge', figures.huge],
    ['Heap', figures.heap],
    ['Stack', figures.stack],
    ['Private', figures.private],
    ['Total', figures.total],
  ] as const;
  const rows = categories.map(([label, bytes]) => {
    return memoryRow(label, nodes, (node) => bytes[node] ?? 0, options);
  });
  const headings = [...nodes.map((id) => `node ${id}`), 'total'];
  return wideTable(headings, rows, tableOptions(`process ${figures.pid}, MiB`, options));
}

function poolRows(nodes: readonly NodeStatistics[], options: StatisticsOptions): WideRow[] {
  const sizes = nodes.flatMap(({ hugePages }) => {
    return (hugePages ?? []).map(({ pageSizeBytes }) => pageSizeBytes);
  });
  const ascending = [...new Set(sizes)].sort((a, b) => a - b);
  return ascending.flatMap((size) =>
    (['total', 'free', 'surplus'] as const).map((member) => {
      const bytesOf = ({ hugePages }: NodeStatistics): number | null => {
        const pool = hugePages?.find(({ pageSizeBytes }) => pageSizeBytes === size);
        const count = pool?.[member] ?? null;
        return count === null ? null : count * size;
      };
      return memoryRow(`${bytesText(size)} pages, ${member}`, nodes, bytesOf, options);
    }),
  );
}

function memoryRow<T>(
  label: string,
  columns: readonly T[],
  bytesOf: (column: T) => number | null,
  options: StatisticsOptions,
): WideRow {
  const bytes = columns.map(bytesOf);
  const total = bytes.includes(null)
    ? null
    : bytes.reduce<number>((sum, count) => sum + Number(count), 0);
  const cells = [...bytes, total].map((count) => {
    return count === null ? UNKNOWN : signed((count / MIB_BYTES).toFixed(2), options);
  });
  return { label, cells };
}

function signed(number: string, { isChange = false }: StatisticsOptions): string {
  return isChange && Number(number) > 0 ? `+${number}` : number;
}

function headingsOf(nodes: readonly NodeStatistics[]): string[] {
  return nodes.map(({ id }) => `node ${id}`);
}

function tableOptions(
  corner: string,
  { columns, colours }: StatisticsOptions,
): Parameters<typeof wideTable>[2] {
  return { columns, corner, heading: (text) => colours.heading(text) };
}
