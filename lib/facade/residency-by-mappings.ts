/**
 * Where a range's pages are, told from the files of /proc where move_pages is refused: seccomp
 * profiles of container engines refuse it to all, and leave these files open.
 *
 * numa_maps counts the pages of whole mappings, and the kernel joins neighbours that are alike. Of
 * a mapping that reaches beyond the range the counts are not the range's own: only where all its
 * pages are on one node is theirs known. What is not known counts as `failed`, never as a guess.
 *
 * Source: numa(7); proc_pid_maps(5), proc_pid_pagemap(5); fs/proc/task_mmu.c, show_numa_map(),
 * which passes over pages of zeros.
 */

import type { Backend, PageSpan } from '../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import type { NodeId } from '../core/node-mask.ts';
import { type MapsEntry, parseMaps } from '../procfs/maps.ts';
import { type NumaMapsEntry, pagesByNodeOf, parseNumaMaps } from '../procfs/numa-maps.ts';
import { countResidency, countResidencySync } from './count-residency.ts';
import { countPresentPages } from './present-parts.ts';
import type { PagesOfProcess, Residency } from './residency.ts';

/** Pages of a mapping beyond the range that are looked at, 4 GiB of small ones. */
const BEYOND_MAX = 2 ** 20;

const MAPS = '/proc/self/maps';
const NUMA_MAPS = '/proc/self/numa_maps';

/** Where the pages of a range of the calling process are: by move_pages, else by the files. */
export async function residencyOf(
  range: PagesOfProcess,
  signal: AbortSignal | undefined,
): Promise<SyscallResult<Residency>> {
  const result = await countResidency(range, signal);
  if (result.ok || !isRefused(result)) return result;
  const told = await countByMappings(range.backend, range);
  return told.ok ? told : result;
}

/** The same, blocking the calling thread. */
export function residencyOfSync(range: PagesOfProcess): SyscallResult<Residency> {
  const result = countResidencySync(range);
  if (result.ok || !isRefused(result)) return result;
  const told = countByMappingsSync(range.backend, range);
  return told.ok ? told : result;
}

/** Whether move_pages was refused as a whole: the kernel refuses no query of one's own pages so. */
function isRefused({ syscall, errno }: SyscallFailure): boolean {
  const refusals: readonly number[] = [ERRNO.EPERM, ERRNO.EACCES, ERRNO.ENOSYS];
  return syscall === 'move_pages' && refusals.includes(errno);
}

/** The failure is that of the files. */
async function countByMappings(
  backend: Backend,
  span: PageSpan,
): Promise<SyscallResult<Residency>> {
  const maps = await backend.readText(MAPS);
  if (!maps.ok) return maps;
  const numaMaps = await backend.readText(NUMA_MAPS);
  return numaMaps.ok ? count(backend, span, maps.value, numaMaps.value) : numaMaps;
}

function countByMappingsSync(backend: Backend, span: PageSpan): SyscallResult<Residency> {
  const maps = backend.readTextSync(MAPS);
  if (!maps.ok) return maps;
  const numaMaps = backend.readTextSync(NUMA_MAPS);
  return numaMaps.ok ? count(backend, span, maps.value, numaMaps.value) : numaMaps;
}

function count(
  backend: Backend,
  { address, pageCount }: PageSpan,
  mapsText: string,
  numaMapsText: string,
): SyscallResult<Residency> {
  const { pageSizeBytes } = backend;
  const end = address + BigInt(pageCount * pageSizeBytes);
  const lines = new Map(parseNumaMaps(numaMapsText).map((line) => [line.start, line]));
  const tally = new Tally();
  for (const entry of parseMaps(mapsText)) {
    const first = entry.start > address ? entry.start : address;
    const last = entry.end < end ? entry.end : end;
    if (first >= last) continue;
    const part = { address: first, pageCount: pagesIn(first, last, pageSizeBytes) };
    tally.add(countPart(backend, part, entry, lines.get(entry.start)));
  }
  return { ok: true, value: tally.finish(pageCount, pageSizeBytes) };
}

/** What is known of the part of the range that lies in one mapping. */
interface PartCounts {
  readonly byNode: ReadonlyMap<NodeId, number>;
  readonly notPresent: number;
  readonly zeroPage: number;
}

const NOTHING: PartCounts = { byNode: new Map(), notPresent: 0, zeroPage: 0 };

function countPart(
  backend: Backend,
  part: PageSpan,
  { start, end }: MapsEntry,
  line: NumaMapsEntry | undefined,
): PartCounts {
  const byNode = line === undefined ? undefined : pagesByNodeOf(line, backend.pageSizeBytes);
  const placed = [...(byNode?.values() ?? [])].reduce((sum, pages) => sum + pages, 0);
  const beyond = pagesIn(start, end, backend.pageSizeBytes) - part.pageCount;
  const present = countPresentPages(backend, part);
  if (present === undefined) {
    // Pages without a place are pages of zeros, or are not there: neither has memory of its own.
    if (byNode === undefined || beyond > 0) return NOTHING;
    return { byNode, notPresent: part.pageCount - placed, zeroPage: 0 };
  }
  const notPresent = part.pageCount - present;
  if (byNode === undefined) return { ...NOTHING, notPresent };
  if (beyond === 0) return { byNode, notPresent, zeroPage: Math.max(0, present - placed) };
  if (present === 0) return { ...NOTHING, notPresent };
  const [node] = byNode.keys();
  if (byNode.size > 1 || node === undefined || beyond > BEYOND_MAX) {
    return { ...NOTHING, notPresent };
  }
  const size = BigInt(backend.pageSizeBytes);
  const before = { address: start, pageCount: Number((part.address - start) / size) };
  const behind = part.address + BigInt(part.pageCount) * size;
  const after = { address: behind, pageCount: Number((end - behind) / size) };
  const others =
    (countPresentPages(backend, before) ?? 0) + (countPresentPages(backend, after) ?? 0);
  // With pages of zeros among them nobody knows whose they are.
  if (others + present !== placed) return { ...NOTHING, notPresent };
  return { byNode: new Map([[node, present]]), notPresent, zeroPage: 0 };
}

function pagesIn(start: bigint, end: bigint, pageSizeBytes: number): number {
  return Number((end - start) / BigInt(pageSizeBytes));
}

class Tally {
  readonly #byNode: Record<NodeId, number> = {};
  #present = 0;
  #notPresent = 0;
  #zeroPage = 0;

  add({ byNode, notPresent, zeroPage }: PartCounts): void {
    for (const [node, pages] of byNode) {
      this.#byNode[node] = (this.#byNode[node] ?? 0) + pages;
      this.#present += pages;
    }
    this.#notPresent += notPresent;
    this.#zeroPage += zeroPage;
  }

  finish(total: number, pageSizeBytes: number): Residency {
    const [present, notPresent, zeroPage] = [this.#present, this.#notPresent, this.#zeroPage];
    const failed = Math.max(0, total - present - notPresent - zeroPage);
    return Object.freeze({
      pageSizeBytes,
      pages: Object.freeze({ total, present, notPresent, zeroPage, failed }),
      byNode: Object.freeze(this.#byNode),
      method: 'numa_maps',
    });
  }
}
