/**
 * Where single pages are, or why they are not where they were to be, in words.
 *
 * Source: move_pages(2), "status"; mm/migrate.c.
 */

import { ERRNO, errnoName } from '../../core/errno.ts';
import type { PageStatus, PageStatusWord } from '../../core/migration-report.ts';
import { STATUS_UNSET } from '../../core/uapi.ts';
import { callErrnoOf } from './migration-tally.ts';
import { STATUS_NOT_PRESENT, STATUS_ZERO_PAGE } from './residency.ts';

const WORDS: Readonly<Record<number, PageStatusWord>> = {
  [STATUS_NOT_PRESENT]: 'not-present',
  [STATUS_ZERO_PAGE]: 'zero-page',
  [-ERRNO.EACCES]: 'shared',
  [-ERRNO.EBUSY]: 'busy',
  [-ERRNO.ENOMEM]: 'no-memory',
  [STATUS_UNSET]: 'not-attempted',
};

/** In the order of the pages. */
export function pageStatuses(codes: Int32Array): PageStatus[] {
  return Array.from(codes, (code) => (code >= 0 ? code : (WORDS[code] ?? failedWord(code))));
}

function failedWord(code: number): PageStatusWord {
  return `failed: ${errnoName(callErrnoOf(code) ?? -code)}`;
}
