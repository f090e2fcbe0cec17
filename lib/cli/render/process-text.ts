/**
 * Where a process's memory is and where its threads run, as text.
 */

import type { NodeId, NodeMask } from '../../core/node-mask.ts';
import { bytesText, countText, shareText, UNKNOWN } from '../../core/unit-text.ts';
import type { ProcessMapping } from '../../facade/process/process-mappings.ts';
import type { ProcessResidency } from '../../facade/process/process-residency.ts';
import type { ProcessThread } from '../../facade/process/process-threads.ts';
import { WITHOUT_MEMORY, type WithoutMemory } from '../../facade/process/without-memory.ts';
import { bar, nodeLetter } from './bar.ts';
import type { Colours } from './colours.ts';
import { paragraph } from './paragraph.ts';
import { type Column, table } from './table.ts';

/** What is known of a process. */
export interface ProcessView {
  readonly name: string;
  /** Why it has no memory. */
  readonly withoutMemory: WithoutMemory | null;
  readonly residency: ProcessResidency;
  readonly threads: readonly ProcessThread[];
  /** From 0 to 1. */
  readonly remoteShare: number | null;
}

export interface ProcessTextOptions {
  readonly columns: number;
  readonly colours: Colours;
  /** Ids of the machine's nodes. */
  readonly nodes: readonly NodeId[];
  /** Those of whose CPUs the machine does not tell. */
  readonly nodesOfUnknownCpus: NodeMask;
}

const BAR_COLUMNS_MAX = 40;
const BAR_COLUMNS_MIN = 10;
/** What the columns beside a bar take. */
const BESIDE_BAR_COLUMNS = 44;

interface NodeRow {
  /** `null`: that of threads whose node is not known. */
  readonly node: NodeId | null;
  readonly index: number;
  readonly bytes: number;
  /** `null` where nobody knows. */
  readonly threadCount: number | null;
  /** Share of the process's CPU time, from 0 to 1. */
  readonly cpuShare: number | null;
}

/** The summary, a row for each node, and the kinds of memory. */
export function processText(view: ProcessView, options: ProcessTextOptions): string[] {
  const { residency, threads, name } = view;
  const { residentBytes, mappingCount, pid } = residency;
  const counts = `${countText(mappingCount, 'mapping')}, ${countText(threads.length, 'thread')}`;
  const { columns, colours } = options;
  return [
    ...paragraph(`: ${bytesText(residentBytes)} in ${counts}`, columns, {
      text: `${pid} ${name}`,
      paint: (text) => colours.heading(text),
    }),
    '',
    ...nodeTable(view, options),
    '',
    ...(view.withoutMemory === null
      ? [...remoteLines(view, options), ...kindLines(residency, options)]
      : paragraph(WITHOUT_MEMORY[view.withoutMemory].rule, columns)),
  ];
}

function nodeTable(view: ProcessView, options: ProcessTextOptions): string[] {
  const { columns, colours } = options;
  const { residentBytes } = view.residency;
  const room = Number.isFinite(columns) ? columns - BESIDE_BAR_COLUMNS : BAR_COLUMNS_MAX;
  const width = Math.max(BAR_COLUMNS_MIN, Math.min(BAR_COLUMNS_MAX, room));
  const shareBar = ({ index, bytes }: NodeRow): string => {
    const paint = (text: string): string => colours.node(index, text);
    return bar([{ amount: bytes, letter: '#', paint }], residentBytes, width, colours);
  };
  const share = (bytes: number): string =>
    shareText(residentBytes === 0 ? 0 : bytes / residentBytes);
  const table_: readonly Column<NodeRow>[] = [
    { heading: 'node', cell: ({ node }) => `${node ?? UNKNOWN}`, align: 'right' },
    { heading: 'memory', cell: ({ bytes }) => bytesText(bytes), align: 'right' },
    { heading: '', cell: ({ bytes }) => share(bytes), align: 'right' },
    { heading: '', cell: shareBar, isPainted: true, leaves: 2 },
    { heading: 'threads', cell: ({ threadCount }) => `${threadCount ?? UNKNOWN}`, align: 'right' },
    { heading: 'CPU time', cell: ({ cpuShare }) => shareText(cpuShare), align: 'right', leaves: 1 },
  ];
  return table(nodeRows(view, options), table_, {
    columns,
    heading: colours.heading.bind(colours),
  });
}

/** Threads of CPUs that no node has have a row of their own; so they are on no node for certain. */
function nodeRows(
  { residency, threads }: ProcessView,
  { nodes, nodesOfUnknownCpus }: ProcessTextOptions,
): NodeRow[] {
  const timeMs = threads.reduce((sum, thread) => sum + thread.cpuTimeMs, 0);
  const isUnplaced = threads.some(({ node }) => node === null);
  const rowOf = (node: NodeId | null, index: number): NodeRow => {
    const here = threads.filter((thread) => thread.node === node);
    const hereMs = here.reduce((sum, thread) => sum + thread.cpuTimeMs, 0);
    const isKnown = node === null || !isUnplaced || !nodesOfUnknownCpus.has(node);
    return {
      node,
      index,
      bytes: node === null ? 0 : (residency.bytesByNode[node] ?? 0),
      threadCount: isKnown ? here.length : null,
      cpuShare: isKnown ? (timeMs === 0 ? 0 : hereMs / timeMs) : null,
    };
  };
  return [...nodes.map(rowOf), ...(isUnplaced ? [rowOf(null, nodes.length)] : [])];
}

function remoteLines(
  { remoteShare }: ProcessView,
  { columns, colours }: ProcessTextOptions,
): string[] {
  const text = `${shareText(remoteShare)} of its memory is remote to where its threads run`;
  return paragraph(text, columns).map((line) => {
    if (remoteShare === null) return line;
    if (remoteShare < 0.1) return colours.good(line);
    return remoteShare < 0.5 ? colours.warning(line) : colours.bad(line);
  });
}

function kindLines(
  { byKind }: ProcessResidency,
  { columns, colours }: ProcessTextOptions,
): string[] {
  const kinds = Object.entries(byKind)
    .filter(([, { residentBytes }]) => residentBytes > 0)
    .sort(([, a], [, b]) => b.residentBytes - a.residentBytes)
    .map(([kind, { residentBytes }]) => `${kind} ${bytesText(residentBytes)}`);
  return paragraph(kinds.join(', '), columns).map((line) => colours.dim(line));
}

/** One mapping's line: what it is, and its memory by node. */
export function mappingColumns(
  nodes: readonly NodeId[],
  colours: Colours,
): Column<ProcessMapping>[] {
  return [
    { heading: 'address', cell: ({ start }) => start.toString(16), align: 'right', leaves: 1 },
    {
      heading: 'size',
      cell: ({ lengthBytes }) => bytesText(lengthBytes),
      align: 'right',
      leaves: 4,
    },
    { heading: 'resident', cell: ({ residentBytes }) => bytesText(residentBytes), align: 'right' },
    {
      heading: 'by node',
      cell: (mapping) => byNodeText(mapping, nodes, colours),
      isPainted: true,
    },
    { heading: 'policy', cell: ({ policy }) => policy, leaves: 3, cutTo: 12 },
    { heading: 'kind', cell: ({ kind }) => kind, leaves: 2 },
    { heading: 'name', cell: ({ name }) => name ?? '', cutTo: 12 },
  ];
}

const MAPPING_BAR_COLUMNS = 12;

function byNodeText(
  { bytesByNode, residentBytes }: ProcessMapping,
  nodes: readonly NodeId[],
  colours: Colours,
): string {
  const parts = nodes.map((node, index) => ({
    amount: bytesByNode[node] ?? 0,
    letter: nodeLetter(index),
    paint: (text: string): string => colours.node(index, text),
  }));
  return bar(parts, residentBytes, MAPPING_BAR_COLUMNS, colours);
}
