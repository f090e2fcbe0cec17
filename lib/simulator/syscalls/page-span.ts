/** The pages that a call names by an address and a number of pages. */

import type { Thread } from '../tasks/thread.ts';
import { isAligned, pageOf } from './range-argument.ts';

export interface PagesCall {
  readonly address: bigint;
  readonly pageCount: number;
}

export interface PageSpan {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Undefined for an address inside a page. */
export function spanOf({ space }: Thread, { address, pageCount }: PagesCall): PageSpan | undefined {
  const { pageSizeBytes } = space.memory;
  if (!isAligned(address, pageSizeBytes)) return undefined;
  const start = pageOf(address, pageSizeBytes);
  return { start, end: start + pageCount };
}
