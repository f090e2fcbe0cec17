/** Sentences in lines of a width. */

import stringWidth from 'string-width';

/** Breaks at blanks; lines after the first are indented. A word that is longer stays whole. */
export function paragraph(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= columns || line === '') {
      line = longer;
    } else {
      lines.push(line);
      line = `  ${word}`;
    }
  }
  return [...lines, line];
}
