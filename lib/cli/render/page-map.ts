/**
 * A mapping as a map: each cell is a block of pages, coloured by the node that has most of them.
 * Without colour a cell is the node's letter.
 */

import type { NodeId } from '../../core/node-mask.ts';
import { bytesText } from '../../core/unit-text.ts';
import { nodeLetter } from './bar.ts';
import type { Colours } from './colours.ts';

export interface PageMapOptions {
  readonly columns: number;
  /** Rows at most; blocks grow so that all fit. Default 1. */
  readonly rowsMax?: number;
  readonly colours: Colours;
  /** Ids of the machine's nodes: a node's place among them is its colour and letter. */
  readonly nodes: readonly NodeId[];
}

const FULL = '█';
const MIXED = '▓';
const ABSENT = '·';
const ABSENT_PLAIN = '.';

/** Pages of one cell, so that all cells fit: a power of two. */
export function pagesPerCell(pageCount: number, { columns, rowsMax = 1 }: PageMapOptions): number {
  let pages = 1;
  while (Math.ceil(pageCount / pages) > columns * rowsMax) pages *= 2;
  return pages;
}

/** Pages of a mapping in a row that are in one place. */
export interface ShownRun {
  /** Counted from the mapping's first. */
  readonly firstPage: number;
  readonly pageCount: number;
  /** A node; negative for pages that have none. */
  readonly place: number;
}

/**
 * The rows of a map of so many pages.
 * @param placed ascending; pages of none of them are not present
 */
export function pageMap(
  pageCount: number,
  placed: readonly ShownRun[],
  options: PageMapOptions,
): string[] {
  const { columns, nodes } = options;
  const perCell = pagesPerCell(pageCount, options);
  const counts = countByCell(pageCount, placed, perCell);
  const cells = counts.map((counted, at) => {
    const cellPages = Math.min(perCell, pageCount - at * perCell);
    return cellOf(counted, cellPages, nodes);
  });
  const rows: string[] = [];
  for (let first = 0; first < cells.length; first += columns) {
    rows.push(rowOf(cells.slice(first, first + columns), options.colours));
  }
  return rows;
}

/** Pages by node, of each cell. */
function countByCell(
  pageCount: number,
  placed: readonly ShownRun[],
  perCell: number,
): Map<NodeId, number>[] {
  const cells = Array.from(
    { length: Math.ceil(pageCount / perCell) },
    () => new Map<NodeId, number>(),
  );
  for (const run of placed) {
    const end = Math.min(run.firstPage + run.pageCount, pageCount);
    for (let page = run.place < 0 ? end : run.firstPage; page < end; ) {
      const cell = Math.floor(page / perCell);
      const stop = Math.min(end, (cell + 1) * perCell);
      const counts = cells[cell] as Map<NodeId, number>;
      counts.set(run.place, (counts.get(run.place) ?? 0) + stop - page);
      page = stop;
    }
  }
  return cells;
}

/** A block of pages: the place of its node among the nodes, -1 for none. */
interface Cell {
  readonly node: number;
  /** Every page of it is there. */
  readonly isFull: boolean;
}

/** The node that most of the present pages are on; the first of equals. */
function cellOf(
  counts: ReadonlyMap<NodeId, number>,
  cellPages: number,
  nodes: readonly NodeId[],
): Cell {
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return { node: -1, isFull: false };
  const at = nodes.indexOf(most[0]);
  // Present also where the legend has no such node.
  return { node: at < 0 ? nodes.length : at, isFull: most[1] === cellPages };
}

/** Neighbours of one colour are painted as one. */
function rowOf(cells: readonly Cell[], colours: Colours): string {
  let row = '';
  for (let first = 0; first < cells.length; ) {
    const { node } = cells[first] as Cell;
    let end = first;
    let text = '';
    for (; end < cells.length && cells[end]?.node === node; end += 1) {
      text += textOf(cells[end] as Cell, colours);
    }
    row += node < 0 ? colours.dim(text) : colours.node(node, text);
    first = end;
  }
  return row;
}

function textOf({ node, isFull }: Cell, { isOn }: Colours): string {
  if (node < 0) return isOn ? ABSENT : ABSENT_PLAIN;
  if (!isOn) return nodeLetter(node);
  return isFull ? FULL : MIXED;
}

/** The nodes, each with its colour or letter. */
export function nodeLegend(nodes: readonly NodeId[], colours: Colours): string[] {
  return nodes.map((node, index) =>
    colours.isOn
      ? colours.node(index, `${FULL} node ${node}`)
      : `${nodeLetter(index)} node ${node}`,
  );
}

/** What the cells mean, item by item. */
export function pageMapLegend(nodes: readonly NodeId[], colours: Colours): string[] {
  const rest = colours.isOn
    ? [`${MIXED} most of it`, `${ABSENT} not present`]
    : [`${ABSENT_PLAIN} not present`];
  return [...nodeLegend(nodes, colours), ...rest];
}

/** "a cell is 2 MiB". */
export function cellText(perCell: number, pageSizeBytes: number): string {
  return `a cell is ${bytesText(perCell * pageSizeBytes)}`;
}
