/**
 * Aligned columns. What does not fit is left out from the column that may go first; text that may
 * be cut is cut in the middle, where file names differ least.
 */

import stringWidth from 'string-width';

export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand at the right. Default left. */
  readonly align?: 'left' | 'right';
  /** Columns with the highest number leave first; 0, the default, stays. */
  readonly leaves?: number;
  /** May be cut to what is left, but not below this many columns. */
  readonly cutTo?: number;
}

export interface TableOptions {
  /** Columns of the terminal; infinite in a pipe. */
  readonly columns: number;
  readonly heading?: (text: string) => string;
  /** Default: true. */
  readonly hasHeading?: boolean;
}

const GAP = '  ';

/** The lines of a table. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions,
): string[] {
  const { shown, widths } = fitTo(rows, columns, options.columns);
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, at) => pad(text, widths[at] as number, shown[at]?.align))
      .join(GAP)
      .trimEnd();
  const body = rows.map((row) => line(shown.map(({ cell }, at) => cut(cell(row), widths[at]))));
  if (options.hasHeading === false) return body;
  const heading = line(shown.map(({ heading: text }, at) => cut(text, widths[at])));
  return [options.heading?.(heading) ?? heading, ...body];
}

function fitTo<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  columnsMax: number,
): { shown: readonly Column<Row>[]; widths: number[] } {
  const wanted = columns.map((column) => widthOf(rows, column));
  const isShown = columns.map(() => true);
  const total = (): number => {
    const widths = wanted.filter((_, at) => isShown[at]);
    return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  };
  cutLongest(columns, wanted, () => total() - columnsMax);
  while (total() > columnsMax) {
    const leaving = columns.reduce(
      (found, { leaves = 0 }, at) =>
        isShown[at] && leaves > (columns[found]?.leaves ?? 0) ? at : found,
      -1,
    );
    if (leaving < 0) break;
    isShown[leaving] = false;
  }
  return {
    shown: columns.filter((_, at) => isShown[at]),
    widths: wanted.filter((_, at) => isShown[at]),
  };
}

function widthOf<Row>(rows: readonly Row[], { heading, cell }: Column<Row>): number {
  return rows.reduce((most, row) => Math.max(most, stringWidth(cell(row))), stringWidth(heading));
}

function cutLongest<Row>(
  columns: readonly Column<Row>[],
  widths: number[],
  excess: () => number,
): void {
  columns.forEach(({ cutTo }, at) => {
    const width = widths[at] as number;
    if (cutTo !== undefined && excess() > 0) {
      widths[at] = Math.min(width, Math.max(cutTo, width - excess()));
    }
  });
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? `${text}${blanks}` : `${blanks}${text}`;
}

/** Cuts a text to a width; what is painted is never cut. */
export function cut(text: string, width: number = Number.POSITIVE_INFINITY): string {
  if (stringWidth(text) <= width || text.includes('\u001b')) return text;
  const characters = [...text];
  const tailCount = Math.floor((width - 1) * (2 / 3));
  const tail = takeWidth(characters.toReversed(), tailCount).toReversed().join('');
  return `${takeWidth(characters, width - 1 - stringWidth(tail)).join('')}…${tail}`;
}

function takeWidth(characters: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += stringWidth(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}
