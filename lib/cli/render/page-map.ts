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
  const { columns, colours, nodes } = options;
  const perCell = pagesPerCell(places.length, options);
  const cells: string[] = [];
  for (let first = 0; first < places.length; first += perCell) {
    cells.push(cellOf(places.subarray(first, first + perCell), nodes, colours));
  }
  const rows: string[] = [];
  for (let first = 0; first < cells.length; first += columns) {
    rows.push(cells.slice(first, first + columns).join(''));
  }
  return rows;
}

/** The node that most of the present pages are on; the first of equals. */
function cellOf(places: Int32Array, nodes: readonly NodeId[], colours: Colours): string {
  const counts = new Map<NodeId, number>();
  for (const place of places) if (place >= 0) counts.set(place, (counts.get(place) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return colours.dim(colours.isOn ? ABSENT : ABSENT_PLAIN);
  const index = nodes.indexOf(most[0]);
  if (!colours.isOn) return nodeLetter(index);
  return colours.node(index, most[1] === places.length ? FULL : MIXED);
}

/** What the cells mean, in one line. */
export function pageMapLegend(nodes: readonly NodeId[], colours: Colours): string {
  const names = nodes.map((node, index) =>
    colours.isOn
      ? colours.node(index, `${FULL} node ${node}`)
      : `${nodeLetter(index)} node ${node}`,
  );
  const rest = colours.isOn
    ? [`${MIXED} most of it`, `${ABSENT} not present`]
    : [`${ABSENT_PLAIN} not present`];
  return [...names, ...rest].join('  ');
}

/** "a cell is 2 MiB". */
export function cellText(perCell: number, pageSizeBytes: number): string {
  return `a cell is ${bytesText(perCell * pageSizeBytes)}`;
}
