/**
 * The mappings of a range as /proc tells them: where the kernel's own division lies, which decides
 * how far one policy reaches.
 *
 * Source: proc_pid_maps(5); fs/proc/task_mmu.c, show_map_vma(). A line is one VMA.
 */

import { readFileSync } from 'node:fs';
import type { PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';

/** Threads of a process share its mappings. */
const MAPS_PATH = '/proc/self/maps';
const ADDRESSES = /^([0-9a-f]+)-([0-9a-f]+) /;

/** The mapped parts of a range of this process. */
export function readMaps(span: PageSpan, pageSizeBytes: number): SyscallResult<PageSpan[]> {
  let text: string;
  try {
    text = readFileSync(MAPS_PATH, 'latin1');
  } catch (error) {
    const { errno = -ERRNO.ENOENT } = error as NodeJS.ErrnoException;
    return { ok: false, errno: -errno, syscall: 'open' };
  }
  return { ok: true, value: mappedParts(text, span, pageSizeBytes) };
}

/** The lines that a range meets, as spans cut to it. */
export function mappedParts(text: string, span: PageSpan, pageSizeBytes: number): PageSpan[] {
  const pageSize = BigInt(pageSizeBytes);
  const end = span.address + BigInt(span.pageCount) * pageSize;
  const parts: PageSpan[] = [];
  for (const line of text.split('\n')) {
    const match = ADDRESSES.exec(line);
    if (match === null) continue;
    const first = larger(BigInt(`0x${match[1]}`), span.address);
    const last = smaller(BigInt(`0x${match[2]}`), end);
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
