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

import type { Backend, PageSpan } from '../../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { type MapsEntry, parseMaps } from '../../procfs/maps.ts';
import { type NumaMapsEntry, pagesByNodeOf, parseNumaMaps } from '../../procfs/numa-maps.ts';
import type { Ending } from './attempt-pages.ts';
import { countResidency, countResidencySync, ResidencyTally } from './count-residency.ts';
import { atOnce, countPresentPages, inTurns } from './present-parts.ts';
import {
  type PagesOfProcess,
  type Residency,
  STATUS_NOT_PRESENT,
  STATUS_ZERO_PAGE,
} from './residency.ts';

/** Pages of a mapping beyond the range that are looked at, 4 GiB of small ones. */
const BEYOND_MAX = 2 ** 20;

const MAPS = '/proc/self/maps';
const NUMA_MAPS = '/proc/self/numa_maps';

/** Where the pages of a range of the calling process are: by move_pages, else by the files. */
export async function residencyOf(
  range: PagesOfProcess,
  signal: Ending | undefined,
): Promise<SyscallResult<Residency>> {
  const result = await countResidency(range, signal);
  if (result.ok || !isRefused(result)) return result;
  const told = await countByMappings(range, signal);
  return told.ok ? told : result;
}

/** The same, blocking the calling thread. */
export function residencyOfSync(range: PagesOfProcess): SyscallResult<Residency> {
  const result = countResidencySync(range);
  if (result.ok || !isRefused(result)) return result;
  const told = countByMappingsSync(range);
  return told.ok ? told : result;
}

/** Whether move_pages was refused as a whole: the kernel refuses no query of one's own pages so. */
function isRefused({ syscall, errno }: SyscallFailure): boolean {
  const refusals: readonly number[] = [ERRNO.EPERM, ERRNO.EACCES, ERRNO.ENOSYS];
  return syscall === 'move_pages' && refusals.includes(errno);
}

/** The failure is that of the files. */
async function countByMappings(
  range: PagesOfProcess,
  signal: Ending | undefined,
): Promise<SyscallResult<Residency>> {
  const maps = await range.backend.readText(MAPS);
  if (!maps.ok) return maps;
  const numaMaps = await range.backend.readText(NUMA_MAPS);
  if (!numaMaps.ok) return numaMaps;
  return { ok: true, value: await inTurns(count(range, maps.value, numaMaps.value), signal) };
}

/** @internal Of whole mappings: those that reach beyond the range leave pages open. */
export function countByMappingsSync(range: PagesOfProcess): SyscallResult<Residency> {
  const maps = range.backend.readTextSync(MAPS);
  if (!maps.ok) return maps;
  const numaMaps = range.backend.readTextSync(NUMA_MAPS);
  if (!numaMaps.ok) return numaMaps;
  return { ok: true, value: atOnce(count(range, maps.value, numaMaps.value)) };
}

function* count(
  { backend, address, pageCount }: PagesOfProcess,
  mapsText: string,
  numaMapsText: string,
): Generator<undefined, Residency> {
  const { pageSizeBytes } = backend;
  const end = address + BigInt(pageCount) * BigInt(pageSizeBytes);
  const lines = new Map(parseNumaMaps(numaMapsText).map((line) => [line.start, line]));
  const tally = new ResidencyTally();
  for (const entry of parseMaps(mapsText)) {
    const first = entry.start > address ? entry.start : address;
    const last = entry.end < end ? entry.end : end;
    if (first >= last) continue;
    const part = { address: first, pageCount: pagesIn(first, last, pageSizeBytes) };
    const counts = yield* countPart(backend, part, entry, lines.get(entry.start));
    for (const [node, pages] of counts.byNode) tally.addPages(node, pages);
    tally.addPages(STATUS_NOT_PRESENT, counts.notPresent);
    tally.addPages(STATUS_ZERO_PAGE, counts.zeroPage);
  }
  return tally.finish({ pageCount, pageSizeBytes, method: 'numa_maps' });
}

/** What is known of the part of the range that lies in one mapping. */
interface PartCounts {
  readonly byNode: ReadonlyMap<NodeId, number>;
  readonly notPresent: number;
  readonly zeroPage: number;
}

const NOTHING: PartCounts = { byNode: new Map(), notPresent: 0, zeroPage: 0 };

function* countPart(
  backend: Backend,
  part: PageSpan,
  { start, end }: MapsEntry,
  line: NumaMapsEntry | undefined,
): Generator<undefined, PartCounts> {
  const byNode = line === undefined ? undefined : pagesByNodeOf(line, backend.pageSizeBytes);
  const placed = [...(byNode?.values() ?? [])].reduce((sum, pages) => sum + pages, 0);
  const beyond = pagesIn(start, end, backend.pageSizeBytes) - part.pageCount;
  const present = yield* countPresentPages(backend, part);
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
  const presentBefore = (yield* countPresentPages(backend, before)) ?? 0;
  const others = presentBefore + ((yield* countPresentPages(backend, after)) ?? 0);
  // With pages of zeros among them nobody knows whose they are.
  if (others + present !== placed) return { ...NOTHING, notPresent };
  return { byNode: new Map([[node, present]]), notPresent, zeroPage: 0 };
}

function pagesIn(start: bigint, end: bigint, pageSizeBytes: number): number {
  return Number((end - start) / BigInt(pageSizeBytes));
}
