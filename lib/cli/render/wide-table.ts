/**
 * Tables with a column for each node. Where the nodes do not fit beside each other, the table goes
 * on below with the next ones: nothing is left out.
 */

import stringWidth from 'string-width';
import { pad } from './table.ts';
import { visible } from './visible.ts';

export interface WideRow {
  readonly label: string;
  /** One for each column. */
  readonly cells: readonly string[];
}

export interface WideTableOptions {
  /** Columns of the terminal; infinite in a pipe. */
  readonly columns: number;
  /** Stands above the labels. */
  readonly corner?: string;
  readonly heading?: (text: string) => string;
  /** Paints a cell, which has one blank at each side. */
  readonly paint?: (cell: string, row: number, column: number) => string;
}

/** The lines of a table; its parts are told apart by an empty line. */
export function wideTable(
  headings: readonly string[],
  given: readonly WideRow[],
  options: WideTableOptions,
): string[] {
  const rows = given.map(({ label, cells }) => ({ label: visible(label), cells }));
  const { corner = '', columns, paint = (cell: string): string => cell } = options;
  const labelWidth = widest([corner, ...rows.map(({ label }) => label)]) + 1;
  const cellWidth = widest([...headings, ...rows.flatMap(({ cells }) => cells)]) + 2;
  const fitting = Math.max(1, Math.floor((columns - labelWidth) / cellWidth));
  const partCount = Math.ceil(headings.length / Math.min(fitting, headings.length));
  // Parts of one width look better than one that is full and one that is nearly empty.
  const perPart = Math.ceil(headings.length / partCount);
  const lines: string[] = [];
  for (let first = 0; first < headings.length; first += perPart) {
    if (first > 0) lines.push('');
    const part = (cells: readonly string[]): string[] => {
      return cells
        .slice(first, first + perPart)
        .map((cell) => ` ${pad(cell, cellWidth - 2, 'right')} `);
    };
    const heading = `${pad(corner, labelWidth)}${part(headings).join('')}`.trimEnd();
    lines.push(options.heading?.(heading) ?? heading);
    rows.forEach(({ label, cells }, row) => {
      const painted = part(cells).map((cell, at) => paint(cell, row, first + at));
      lines.push(`${pad(label, labelWidth)}${painted.join('')}`.trimEnd());
    });
  }
  return lines;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, stringWidth(text)), 0);
}
