/** Sentences, and other rows of words, in lines of a width. */

import stringWidth from 'string-width';
import { visible } from './visible.ts';

/** What a paragraph begins with, painted. */
export interface Lead {
  readonly text: string;
  readonly paint: (text: string) => string;
}

/** Breaks at blanks; lines after the first are indented. A word that is longer stays whole. */
export function paragraph(text: string, columns: number, lead?: Lead): string[] {
  const start = visible(lead?.text ?? '');
  const [first = '', ...more] = fill(`${start}${visible(text)}`.split(' '), ' ', columns);
  // Where it is longer than a line it stays as it is.
  if (lead === undefined || !first.startsWith(start)) return [first, ...more];
  return [`${lead.paint(start)}${first.slice(start.length)}`, ...more];
}

/** Items that have their paint already: each stays whole. */
export function flow(items: readonly string[], columns: number): string[] {
  return fill(items, '  ', columns);
}

function fill(words: readonly string[], gap: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  let width = 0;
  for (const word of words) {
    const wordWidth = stringWidth(word);
    if (line === '') {
      [line, width] = [word, wordWidth];
    } else if (width + gap.length + wordWidth <= columns) {
      [line, width] = [`${line}${gap}${word}`, width + gap.length + wordWidth];
    } else {
      lines.push(line);
      [line, width] = [`  ${word}`, 2 + wordWidth];
    }
  }
  return [...lines, line];
}
