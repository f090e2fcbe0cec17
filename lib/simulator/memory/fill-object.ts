/**
 * New pages of objects: shared memory by the policy of the object, the page cache by that of the
 * thread, whose interleaving takes nodes in turn.
 *
 * Source: mm/shmem.c, shmem_alloc_folio(); mm/filemap.c, filemap_alloc_folio().
 */

import { NO_NODE } from '../nodes/nodemask.ts';
import { countAllocation, countedSearchFor, findNode, searchFor } from '../policy/placement.ts';
import { allocateFolio } from './memory.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Toucher } from './toucher.ts';

/** The number of the page's folio; null without memory, or where a driver makes them. */
export function fillObject(toucher: Toucher, object: MemoryObject, index: number): number | null {
  const { kind } = object;
  if (!kind.fills) return null;
  const { memory } = toucher.mm;
  const policy = (kind.keepsPolicy ? object.policy.lookup(index) : null) ?? toucher.policy;
  const search = kind.isFile
    ? countedSearchFor(policy, toucher, memory.interleave)
    : searchFor({ policy, index: object.inode + index }, toucher, memory.interleave);
  const node = findNode(memory.physical, search);
  if (node === NO_NODE) return null;
  const folioId = allocateFolio(memory, 'object', node, { object, index });
  countAllocation(memory.physical, search, node);
  object.pages.set(index, folioId);
  return folioId;
}
