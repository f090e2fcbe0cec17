/**
 * Lists of nodes as the kernel's files take them: `0-1,3`, `0-7:1/2` for every second one.
 *
 * Source: lib/bitmap-str.c, bitmap_parselist().
 */

import { ERRNO } from '../../core/errno.ts';
import { NODE_ID_MAX } from '../../core/uapi.ts';
import { maskOf, type Nodemask } from '../nodes/nodemask.ts';

const REGION = /^(\d+)(?:-(\d+|N)(?::(\d+)\/(\d+))?)?$/;

export type ParsedNodes = { readonly mask: Nodemask } | { readonly errno: number };

/** EINVAL for bad syntax, ERANGE for a number that no node can have. */
export function parseNodeList(text: string): ParsedNodes {
  const nodes: number[] = [];
  for (const region of text.split(/[\s,]+/)) {
    if (region === '') continue;
    const found = nodesOfRegion(region);
    if (typeof found === 'number') return { errno: found };
    nodes.push(...found);
  }
  return { mask: maskOf(nodes) };
}

/** The nodes of one region, or an errno. */
function nodesOfRegion(region: string): number[] | number {
  const match = REGION.exec(region.replace(/^N/, String(NODE_ID_MAX)));
  if (match === null) return ERRNO.EINVAL;
  const [, first = '', last = first, used = '1', group = '1'] = match;
  const start = Number(first);
  const end = last === 'N' ? NODE_ID_MAX : Number(last);
  if (start > end || Number(group) === 0 || Number(used) > Number(group)) return ERRNO.EINVAL;
  if (end > NODE_ID_MAX) return ERRNO.ERANGE;
  const all = Array.from({ length: end - start + 1 }, (_, index) => index);
  return all.filter((index) => index % Number(group) < Number(used)).map((index) => start + index);
}
