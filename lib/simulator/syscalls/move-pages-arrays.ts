/** The arrays of move_pages(2), as a backend is given them. */

import type { MovePagesRequest } from '../../backend/backend.ts';
import { isBigUint64Array, isInt32Array } from '../../core/call-arguments.ts';
import type { MovePagesArrays, MovePagesCall } from './move-pages.ts';
import { pageOf } from './range-argument.ts';

export function movePagesArrays(request: MovePagesRequest, pageSizeBytes: number): MovePagesCall {
  const { pid, pages, nodes, status, flags } = request;
  return {
    pid,
    flags,
    ...pagesArgument(pages, pageSizeBytes),
    node: nodes === null ? null : nodeOf(nodes),
    store: (index, value) => {
      status[index] = value;
      return true;
    },
    ...spanOf(request, pageSizeBytes),
  };
}

type PagesArgument = Pick<MovePagesArrays, 'count' | 'address'>;

function pagesArgument(pages: MovePagesRequest['pages'], pageSizeBytes: number): PagesArgument {
  if (isBigUint64Array(pages)) {
    return { count: pages.length, address: (index) => pages[index] };
  }
  const { address, pageCount } = pages;
  const size = BigInt(pageSizeBytes);
  return { count: pageCount, address: (index) => address + BigInt(index) * size };
}

function spanOf(
  { pages, nodes, status }: MovePagesRequest,
  pageSizeBytes: number,
): Pick<MovePagesArrays, 'span'> {
  if (isBigUint64Array(pages) || isInt32Array(nodes)) return {};
  return { span: { firstPage: pageOf(pages.address, pageSizeBytes), status } };
}

function nodeOf(nodes: number | Int32Array): (index: number) => number | undefined {
  return typeof nodes === 'number' ? () => nodes : (index) => nodes[index];
}
