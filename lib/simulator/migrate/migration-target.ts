/**
 * Where the pages of a migration go.
 *
 * Source: include/linux/migrate.h, new_folio_t.
 */

import type { CostAccount } from '../cost/cost-account.ts';
import type { Folio } from '../memory/folio.ts';
import type { Vma } from '../memory/vma.ts';
import { maskOf } from '../nodes/nodemask.ts';
import type { Allocator, Search } from '../policy/placement.ts';

export interface MigrationTarget {
  /** Who counts what it costs. */
  readonly account: CostAccount | null;
  /** One search does for all pages. */
  readonly isUniform: boolean;
  /** Who allocates. */
  readonly by: Allocator;
  /** For the page at this place, in the mapping that is there unless another is told; a folio is
   *  asked for once, by its first page. */
  searchFor(page: number, folio: Folio | null, vma?: Vma): Search;
}

/** Exactly this node, without fallback: memory that the caller itself may use. */
export function exactly(node: number, by: Allocator, account: CostAccount | null): MigrationTarget {
  const mask = maskOf([node]) & by.memsAllowed;
  const search = {
    start: node,
    first: mask,
    last: mask,
    cpuNode: by.cpuNode,
    isInterleaved: false,
  };
  return { isUniform: true, by, account, searchFor: () => search };
}
