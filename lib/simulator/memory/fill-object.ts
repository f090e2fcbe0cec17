/**
 * New pages of objects: shared memory by the policy of the object, the page cache by that of the
 * thread, whose interleaving takes nodes in turn.
 *
 * Source: mm/shmem.c, shmem_alloc_folio(); mm/filemap.c, filemap_alloc_folio().
 */

import { NO_NODE } from '../nodes/nodemask.ts';
import { isInterleavingMode, takeCountedNode } from '../policy/interleave.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import { countAllocation, findNode, searchFor } from '../policy/placement.ts';
import { allocateFolio } from './memory.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Toucher } from './toucher.ts';

/** The number of the page's folio; null without memory, or where a driver makes them. */
export function fillObject(toucher: Toucher, object: MemoryObject, index: number): number | null {
  const { kind } = object;
  if (!kind.fills) return null;
  const { memory } = toucher.mm;
  const policy = (kind.keepsPolicy ? object.policy.lookup(index) : null) ?? toucher.policy;
  const isCounted = kind.isFile && policy !== null && isInterleavingMode(policy.mode);
  const search = isCounted
    ? countedSearch(toucher, policy)
    : searchFor({ policy, index: object.inode + index }, toucher, memory.interleave);
  const node = findNode(memory.physical, search);
  if (node === NO_NODE) return null;
  const folioId = allocateFolio(memory, 'object', node, { object, index });
  countAllocation(memory.physical, search, node);
  object.pages.set(index, folioId);
  return folioId;
}

/** The page cache takes nodes in turn. */
function countedSearch(toucher: Toucher, policy: Mempolicy): ReturnType<typeof searchFor> {
  const { memsAllowed, counter, mm, cpuNode } = toucher;
  const start = takeCountedNode(policy, counter, mm.memory.interleave);
  return { start, first: memsAllowed, last: memsAllowed, cpuNode, isInterleaved: true };
}
