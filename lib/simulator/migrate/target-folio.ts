/**
 * Where the pages of a migration go, and the folio that is to replace one: memory on the node that
 * the call wants.
 *
 * Source: mm/migrate.c, alloc_migration_target(); mm/hugetlb.c, alloc_hugetlb_folio_nodemask();
 * include/linux/migrate.h, new_folio_t.
 */

import type { CostAccount } from '../cost/cost-ledger.ts';
import { Folio } from '../memory/folio.ts';
import { freeIfUnused, type Memory } from '../memory/memory.ts';
import type { Vma } from '../memory/vma.ts';
import { maskOf, NO_NODE } from '../nodes/nodemask.ts';
import { type Allocator, countAllocation, findNode, type Search } from '../policy/placement.ts';
import type { MigratingFolio, MigrationRun } from './migrating-folio.ts';

/** False where no node that may be taken has room. */
export function allocateTarget(
  { target: { by }, owner }: MigrationRun,
  item: MigratingFolio,
): boolean {
  const { folio, memory } = item;
  // The caller's nodes may have changed since the call began.
  const first = item.search.first & by.memsAllowed;
  const last = item.search.last & by.memsAllowed;
  const search = { ...item.search, first, last };
  const node = takeMemory(item, search);
  if (node === NO_NODE) return false;
  const { kind, pageCount, object, index } = folio;
  const target = new Folio(kind, node, { pageCount, object, index });
  target.isIsolated = true;
  owner.isolated.add(target);
  item.targetId = memory.folios.add(target);
  return true;
}

function takeMemory(item: MigratingFolio, search: Search): number {
  const { folio, memory } = item;
  if (folio.isOfPool) return takePoolMemory(item, search);
  const node = findTargetNode(memory, folio, search);
  if (node === NO_NODE || !memory.inFlight.takeTargetPages(node, folio.pageCount)) return NO_NODE;
  takeTargetMemory(memory, folio, { search, node });
  return node;
}

/** Where there is room for as much as a folio has that is of no pool. Takes nothing. */
export function findTargetNode(memory: Memory, { pageCount }: Folio, search: Search): number {
  return pageCount > 1 ? findBlock(memory, search) : findNode(memory.physical, search);
}

/** Takes what was found. */
export function takeTargetMemory(
  { physical }: Memory,
  { pageCount }: Folio,
  { search, node }: { readonly search: Search; readonly node: number },
): void {
  if (pageCount > 1) physical.takeBlock(node);
  else physical.take(node, 1);
  countAllocation(physical, search, node);
}

function takePoolMemory(item: MigratingFolio, search: Search): number {
  const { pool, physical, inFlight } = item.memory;
  const free = findPoolPage(item.memory, search);
  const node = free ?? findBlock(item.memory, search);
  if (node === NO_NODE || !inFlight.takeTargetPages(node, item.folio.pageCount)) return NO_NODE;
  item.isTargetFresh = free === undefined;
  if (item.isTargetFresh) physical.takeBlock(node);
  else pool.take(node, { isReserved: false });
  return node;
}

/** A node that has a block, or can make one; NO_NODE for none. Takes nothing. */
function findBlock({ physical }: Memory, { start, first, last }: Search): number {
  const node = physical.findBlock(start, first, { compacts: true });
  return node !== NO_NODE || first === last
    ? node
    : physical.findBlock(start, last, { compacts: true });
}

/** A node whose pool has a free page that nobody was promised. Takes nothing. */
function findPoolPage(
  { pool, physical }: Memory,
  { start, first, last }: Search,
): number | undefined {
  const order = physical.zonelist(start);
  return [first, last]
    .map((allowed) => pool.find(order, allowed, { isReserved: false }))
    .find((node) => node !== undefined);
}

/** Gives the memory of a target back that was not needed. */
export function freeTarget({ owner }: MigrationRun, item: MigratingFolio): void {
  const { memory, target, targetId } = item;
  const { physical, pool, folios } = memory;
  folios.remove(targetId as number);
  owner.isolated.delete(target);
  if (item.isTargetFresh) physical.giveBackBlock(target.node);
  else if (target.isOfPool) pool.giveBack(target.node);
  else if (target.pageCount > 1) physical.giveBackBlock(target.node);
  else physical.giveBack(target.node, 1);
  item.targetId = null;
}

/** The source is gone: its memory is free, or leaves the pool if the target came from outside. */
export function freeSource(item: MigratingFolio, targetNode: number): void {
  const { memory, folio, folioId } = item;
  folio.isIsolated = false;
  if (!item.isTargetFresh) {
    freeIfUnused(memory, folioId);
    return;
  }
  memory.folios.remove(folioId);
  memory.physical.giveBackBlock(targetNode);
  memory.pool.replace(folio.node, targetNode);
}

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
