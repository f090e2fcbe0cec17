/**
 * What all address spaces of a machine share: the nodes' memory, the folios, the rules of the
 * kernel, and the settings that placement looks at.
 */

import type { KernelProfile } from '../nodes/kernel-profile.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';
import type { InterleaveRules } from '../policy/interleave.ts';
import { Folio, type FolioKind, type FolioOptions, type FolioTable } from './folio.ts';
import type { MemoryObject } from './memory-object.ts';

/** `/sys/kernel/mm/transparent_hugepage/enabled`. */
export type HugePagePolicy = 'always' | 'madvise' | 'never';

export interface Memory {
  readonly physical: PhysicalMemory;
  readonly folios: FolioTable;
  readonly profile: KernelProfile;
  readonly interleave: InterleaveRules;
  readonly pageSizeBytes: number;
  /** Base pages that one page table, or one huge page, covers. */
  readonly tablePages: number;
  /** The node of the zero page: wherever the kernel's image is. */
  readonly zeroPageNode: number;
  hugePages: HugePagePolicy;
}

/** Makes a folio of memory that its node must have available; the value is its number. */
export function allocateFolio(
  { physical, folios }: Memory,
  kind: FolioKind,
  node: number,
  options: FolioOptions = {},
): number {
  physical.take(node, options.pageCount ?? 1);
  return folios.add(new Folio(kind, node, options));
}

/** Gives a folio's memory back as soon as nothing maps, holds or keeps it. */
export function freeIfUnused({ physical, folios }: Memory, folioId: number): void {
  const folio = folios.get(folioId);
  if (folio.mapCount > 0 || folio.isHeld || folio.object?.pages.get(folio.index) === folioId) {
    return;
  }
  physical.giveBack(folio.node, folio.pageCount);
  folios.remove(folioId);
}

/** Ends the use of an object by mapped pages or a descriptor; the last takes its pages along. */
export function leaveObject(memory: Memory, object: MemoryObject, users = 1): void {
  object.users -= users;
  if (object.users > 0) return;
  const pages = [...object.pages.values()];
  object.pages.clear();
  for (const folioId of new Set(pages)) freeIfUnused(memory, folioId);
}
