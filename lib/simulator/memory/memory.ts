/**
 * What all address spaces of a machine share: the nodes' memory, the folios, the rules of the
 * kernel, and the settings that placement looks at.
 */

import type { KernelFacts } from '../../core/kernel-facts.ts';
import type { CostLedger } from '../cost/cost-ledger.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import type { InterleaveRules } from '../policy/interleave.ts';
import { Folio, type FolioKind, type FolioOptions, type FolioTable } from './folio.ts';
import type { HugetlbPool } from './hugetlb-pool.ts';
import type { InFlight } from './in-flight.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Mm } from './mm.ts';

/** `/sys/kernel/mm/transparent_hugepage/enabled`. */
export type HugePagePolicy = 'always' | 'madvise' | 'never';

/** kernel.numa_balancing: 0, 1 or 2. `tiering`: only between fast memory and slow. */
export type NumaBalancingMode = 'off' | 'on' | 'tiering';

export interface Memory {
  readonly physical: PhysicalMemory;
  readonly folios: FolioTable;
  /** The huge pages set aside. */
  readonly pool: HugetlbPool;
  /** Those of running processes: who maps a folio is found there. */
  readonly mms: Set<Mm>;
  readonly facts: KernelFacts;
  readonly interleave: InterleaveRules;
  readonly pageSizeBytes: number;
  /** Base pages that one page table, or one huge page, covers. */
  readonly tablePages: number;
  /** What the kernel maps into each process; null before it has made them. */
  kernelPages: { readonly vdso: MemoryObject; readonly vvar: MemoryObject | null } | null;
  /** The node of the zero page: wherever the kernel's image is. */
  readonly zeroPageNode: number;
  hugePages: HugePagePolicy;
  balancing: NumaBalancingMode;
  /** Logical time, which passes while programs are told to go on for a while. */
  readonly clock: { nowMs: number };
  /** Pages that migrations have moved, and could not move: pgmigrate_success, pgmigrate_fail. */
  readonly migrated: { moved: number; failed: number };
  /** Migrations that are under way, and who looks on. */
  readonly inFlight: InFlight;
  /** Counts what accesses and migrations take; null while nobody has asked. */
  costs: CostLedger | null;
  /** Whether the node's memory is as fast as any: node_is_toptier(). */
  isTopTier(node: number): boolean;
}

/** Makes a folio of memory that its node must have available; the value is its number. */
export function allocateFolio(
  { physical, folios, tablePages }: Memory,
  kind: FolioKind,
  node: number,
  options: FolioOptions = {},
): number {
  const { pageCount = 1 } = options;
  if (pageCount === tablePages) physical.takeBlock(node);
  else physical.take(node, pageCount);
  return folios.add(new Folio(kind, node, options));
}

/** Gives a folio's memory back as soon as nothing maps, holds or keeps it. */
export function freeIfUnused(memory: Memory, folioId: number): void {
  const { physical, folios, pool, tablePages } = memory;
  const folio = folios.get(folioId);
  if (folio.isInFlight) return;
  if (folio.mapCount > 0 || folio.isHeld || folio.object?.pages.get(folio.index) === folioId) {
    return;
  }
  folios.remove(folioId);
  if (folio.isOfPool) pool.giveBack(folio.node);
  else if (folio.pageCount === tablePages) physical.giveBackBlock(folio.node);
  else physical.giveBack(folio.node, folio.pageCount);
}

/** Ends the use of an object by mapped pages or a descriptor; the last takes its pages along. */
export function leaveObject(memory: Memory, object: MemoryObject, users = 1): void {
  object.users -= users;
  if (object.users > 0) return;
  memory.pool.unreserve(object.reserved.size);
  object.reserved.clear();
  const pages = [...object.pages.values()];
  object.pages.clear();
  for (const folioId of new Set(pages)) freeIfUnused(memory, folioId);
}
