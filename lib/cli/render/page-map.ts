/**
 * A mapping as a map: each cell is a block of pages, coloured by the node that has most of them.
 * Without colour a cell is the node's letter.
 */

import type { NodeId } from '../../core/node-mask.ts';
import { nodeLetter } from './bar.ts';
import type { Colours } from './colours.ts';
import { bytesText } from './units.ts';

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

/**
 * The rows of a map.
 * @param places node of each page, negative for those that have none
 */
export function pageMap(places: Int32Array, options: PageMapOptions): string[] {
  const { columns, nodes } = options;
  const perCell = pagesPerCell(places.length, options);
  const cells: Cell[] = [];
  for (let first = 0; first < places.length; first += perCell) {
    cells.push(cellOf(places.subarray(first, first + perCell), nodes));
  }
  const rows: string[] = [];
  for (let first = 0; first < cells.length; first += columns) {
    rows.push(rowOf(cells.slice(first, first + columns), options.colours));
  }
  return rows;
}

/** A block of pages: the place of its node among the nodes, -1 for none. */
interface Cell {
  readonly node: number;
  /** Every page of it is there. */
  readonly isFull: boolean;
}

/** The node that most of the present pages are on; the first of equals. */
function cellOf(places: Int32Array, nodes: readonly NodeId[]): Cell {
  const counts = new Map<NodeId, number>();
  for (const place of places) if (place >= 0) counts.set(place, (counts.get(place) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return { node: -1, isFull: false };
  return { node: nodes.indexOf(most[0]), isFull: most[1] === places.length };
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
