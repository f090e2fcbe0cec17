/**
 * Memory for what is more than one page: in one piece, or of the pool.
 *
 * Source: mm/migrate.c, alloc_migration_target(); mm/hugetlb.c, alloc_hugetlb_folio_nodemask().
 */

import type { Memory } from '../memory/memory.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import type { Search } from '../policy/placement.ts';

/** A node that has a block, or can make one; NO_NODE for none. Takes nothing. */
export function findBlock({ physical }: Memory, { start, first, last }: Search): number {
  const node = physical.findBlock(start, first, { compacts: true });
  return node !== NO_NODE || first === last
    ? node
    : physical.findBlock(start, last, { compacts: true });
}

/** A node whose pool has a free page that nobody was promised. Takes nothing. */
export function findPoolPage(
  { pool, physical }: Memory,
  { start, first, last }: Search,
): number | undefined {
  const order = physical.zonelist(start);
  return [first, last]
    .map((allowed) => pool.find(order, allowed, { isReserved: false }))
    .find((node) => node !== undefined);
}
