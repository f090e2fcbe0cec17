/**
 * Aligned columns. What does not fit is left out from the column that may go first, and is named
 * below; text that may be cut is cut in the middle, where file names differ least.
 */

import stringWidth from 'string-width';
import { paragraph } from './paragraph.ts';
import { visible } from './visible.ts';

export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string;
  /** Its cells are made here, with paint in them; all others are text that may be anybody's. */
  readonly isPainted?: boolean;
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
  const { heading, body, left } = tableParts(rows, columns, options);
  return [...(options.hasHeading === false ? [] : [heading]), ...body, ...left];
}

export interface TableParts {
  readonly heading: string;
  /** One line for each row. */
  readonly body: readonly string[];
  /** What there was no room for, in words. */
  readonly left: readonly string[];
}

/** The same for those who put other lines between the rows. */
export function tableParts<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions,
): TableParts {
  const cells = rows.map((row) => columns.map((column) => cellOf(column, row)));
  const { isShown, widths } = fitTo(cells, columns, options.columns);
  const places = columns.map((_, at) => at).filter((at) => isShown[at]);
  const line = (texts: readonly string[]): string =>
    places
      .map((at) => {
        const { isPainted, align } = columns[at] as Column<Row>;
        const [text, width] = [texts[at] as string, widths[at] as number];
        return pad(isPainted ? text : cut(text, width), width, align);
      })
      .join(GAP)
      .trimEnd();
  const heading = line(columns.map((column) => column.heading));
  const left = columns.filter((column, at) => !isShown[at] && column.heading !== '');
  const names = left.map((column) => column.heading).join(', ');
  return {
    heading: options.heading?.(heading) ?? heading,
    body: cells.map(line),
    left: left.length === 0 ? [] : paragraph(`(no room for: ${names})`, options.columns),
  };
}

function cellOf<Row>({ cell, isPainted }: Column<Row>, row: Row): string {
  return isPainted ? cell(row) : visible(cell(row));
}

function fitTo<Row>(
  cells: readonly (readonly string[])[],
  columns: readonly Column<Row>[],
  columnsMax: number,
): { isShown: readonly boolean[]; widths: readonly number[] } {
  const wanted = columns.map(({ heading }, at) => {
    const texts = cells.map((row) => row[at] as string);
    return texts.reduce((most, text) => Math.max(most, stringWidth(text)), stringWidth(heading));
  });
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
  return { isShown, widths: wanted };
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

/** With blanks to a width, whatever paint is in it. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? `${text}${blanks}` : `${blanks}${text}`;
}

/** Cuts a text without paint to a width, in the middle. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const signs = signsOf(text);
  const tail = takeWidth(signs.toReversed(), Math.floor((width - 1) * (2 / 3)));
  const head = takeWidth(signs, width - 1 - stringWidth(tail.join('')));
  return `${head.join('')}…${tail.toReversed().join('')}`;
}

/** The same at its end. */
export function cutEnd(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  return `${takeWidth(signsOf(text), width - 1).join('')}…`;
}

const segmenter = new Intl.Segmenter();

/** What a reader takes for one sign: a letter with its marks, say. */
function signsOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function takeWidth(signs: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const sign of signs) {
    used += stringWidth(sign);
    if (used > width) break;
    taken.push(sign);
  }
  return taken;
}
