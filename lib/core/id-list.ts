/**
 * Lists of node or CPU numbers as the kernel prints and reads them: "0-2,5".
 *
 * Source: lib/bitmap.c, bitmap_parselist() and bitmap_print_to_pagebuf(); decimal numbers only,
 * where libnuma also takes octal and hexadecimal ones.
 */

import { invalidArgumentValue } from './argument-errors.ts';

/** Writes ascending distinct numbers; the empty text for none. */
export function formatIdList(ascending: readonly number[]): string {
  const parts: string[] = [];
  let start = 0;
  while (start < ascending.length) {
    let end = start;
    while (ascending[end + 1] === (ascending[end] as number) + 1) end += 1;
    parts.push(end === start ? `${ascending[start]}` : `${ascending[start]}-${ascending[end]}`);
    start = end + 1;
  }
  return parts.join(',');
}

/**
 * Reads a list into ascending distinct numbers; the empty text is the empty list.
 * @param text what the caller wrote, of which `list` is a part; errors show it
 * @throws TypeError ERR_INVALID_ARG_VALUE naming the part that is wrong
 */
export function parseIdList(
  list: string,
  argument: string,
  idMax: number,
  text: string = list,
): number[] {
  if (list === '') return [];
  const ranges = list.split(',').map((part) => parseRange(part, text, argument, idMax));
  const ids: number[] = [];
  // Each id once, however often it is named: a long text takes no longer than to read it.
  let next = 0;
  for (const [first, last] of ranges.sort(([a], [b]) => a - b)) {
    for (let id = Math.max(first, next); id <= last; id += 1) ids.push(id);
    next = Math.max(next, last + 1);
  }
  return ids;
}

function parseRange(part: string, text: string, argument: string, idMax: number): [number, number] {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
  if (match === null) {
    const rule = `must be a list like 0-2,5, and "${part.slice(0, 20)}" is no number or range`;
    throw invalidArgumentValue(argument, rule, text);
  }
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (last < first) {
    throw invalidArgumentValue(argument, `has the range ${part}, which runs backwards`, text);
  }
  if (last > idMax) {
    throw invalidArgumentValue(argument, `has the number ${last}; the largest is ${idMax}`, text);
  }
  return [first, last];
}
