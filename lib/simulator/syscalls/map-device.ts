/**
 * Mappings of a device's memory, which no node has: what a PC's screen shows.
 *
 * Source: drivers/char/mem.c, mmap_mem(); mm/memory.c, remap_pfn_range().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { Machine } from '../machine.ts';
import { DEVICE } from '../memory/page-entry.ts';
import { VM } from '../memory/vma.ts';
import type { Thread } from '../tasks/thread.ts';
import { mmap } from './mapping-calls.ts';
import type { PagesCall } from './page-span.ts';
import { pageOf } from './range-argument.ts';

/** Exactly at the address, or anywhere for 0. The pages are there at once. */
export function mapDevice(
  machine: Machine,
  thread: Thread,
  { address, pageCount }: PagesCall,
): SyscallResult<bigint> {
  const object = machine.createObject('driver', pageCount, '/dev/mem');
  const request = { address, pageCount, access: 'write', isShared: true, offset: 0 } as const;
  const mapped = mmap(machine, thread, { ...request, object, flags: VM.IO });
  if (!mapped.ok) return mapped;
  const start = pageOf(mapped.value, machine.memory.pageSizeBytes);
  thread.space.pages.fill(start, start + pageCount, DEVICE);
  return mapped;
}
