/** Names that would take a terminal over, and what of a text a terminal would obey. */

import { inspect } from 'node:util';

/** Clears, sets the title and the clipboard, forges a row, paints, turns directions, hides. */
export const HOSTILE: string = [
  'evil\n   1  16 MiB  forged\r\t',
  '\u001b[2J\u001b]0;title\u0007\u001b]52;c;cm0=\u001b\\\u001b[31mred\u001b[39m',
  '\u009b31m\u0085\u007f\u202egnp.exe\u2066\u2069\u200f\u061c\u2028\u2029',
  '\u200b\u200d\ufeff\u00ad\u{e0041}\u3164\ufe0f\u0301',
  `a${'\u0316'.repeat(40)}`,
].join('');

/** What a file's name may have: at most 255 bytes, and no slash. */
export const HOSTILE_FILE =
  'e\n\u001b[2J\u009b31m\u202e\u2028\u001b[31m\u{e0041}\u65e5\u672c\u8a9e';

/** What nothing that is printed may have, but for new lines of our own and our paint. */
const OBEYED = new RegExp(
  [
    String.raw`[\p{Cc}\p{Cs}\u00ad\u061c\u2028-\u202e\u2060-\u206f\ufeff]`,
    String.raw`[\u200b-\u200f]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]`,
  ].join('|'),
  'u',
);

/** Our own colours. */
const PAINT = new RegExp(
  `\\u001b\\[(${[...new Set(Object.values(inspect.colors).flat())].join('|')})m`,
  'g',
);

/** Where a text has such a character: undefined is right. */
export function obeyedIn(text: string, { isPainted = false } = {}): string | undefined {
  const bare = isPainted ? withoutPaint(text) : text;
  const line = bare.split('\n').find((one) => OBEYED.test(one));
  return line === undefined ? undefined : JSON.stringify(line);
}

export function withoutPaint(text: string): string {
  return text.replaceAll(PAINT, '');
}

/** How many escape characters are written out in it. */
export function writtenOut(text: string): number {
  return withoutPaint(text).split('\\x1b').length - 1;
}
