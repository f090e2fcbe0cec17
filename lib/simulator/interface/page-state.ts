/** What a page of a process is at one moment, looked at without touching anything. */

import type { FolioState } from './migration-event.ts';

/**
 * What its page-table entry says. `absent`: nothing; `migration`: accesses wait until it is there
 * again; `zero`: the page of zeros; `marked`: balancing waits for the next access.
 */
export type PageEntry =
  | 'absent'
  | 'present'
  | 'marked'
  | 'migration'
  | 'zero'
  | 'swapped'
  | 'guard'
  | 'device';

export interface PageState {
  readonly entry: PageEntry;
  /** The memory behind it, or that it waits for; null for none of a node. */
  readonly folio: FolioDetails | null;
}

export interface FolioDetails extends FolioState {
  /** `lru`: on its node's; `isolated`: on that of a migration; `none`: a driver's page. */
  readonly list: 'lru' | 'isolated' | 'none';
  readonly isLocked: boolean;
  /** Long-term pins, and references of pipes and the like. */
  readonly pins: number;
  readonly references: number;
}
