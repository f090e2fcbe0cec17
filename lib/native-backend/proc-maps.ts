/**
 * The mappings of a range as /proc tells them: where the kernel's own division lies, which decides
 * how far one policy reaches.
 *
 * Source: proc_pid_maps(5); fs/proc/task_mmu.c, show_map_vma(). A line is one VMA.
 */

import type { PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { parseMaps } from '../procfs/maps.ts';
import { readTextSync } from './system-files.ts';

/** Threads of a process share its mappings. */
const MAPS_PATH = '/proc/self/maps';

/** The mapped parts of a range of this process. */
export function readMaps(span: PageSpan, pageSizeBytes: number): SyscallResult<PageSpan[]> {
  const text = readTextSync(MAPS_PATH);
  return text.ok ? { ok: true, value: partsInMaps(text.value, span, pageSizeBytes) } : text;
}

/** The lines that a range meets, as spans cut to it. */
export function partsInMaps(text: string, span: PageSpan, pageSizeBytes: number): PageSpan[] {
  const pageSize = BigInt(pageSizeBytes);
  const end = span.address + BigInt(span.pageCount) * pageSize;
  const parts: PageSpan[] = [];
  for (const mapping of parseMaps(text)) {
    const first = larger(mapping.start, span.address);
    const last = smaller(mapping.end, end);
    if (first < last) parts.push({ address: first, pageCount: Number((last - first) / pageSize) });
  }
  return parts;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
