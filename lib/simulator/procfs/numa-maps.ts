/**
 * /proc/PID/numa_maps: a line for each mapping, and the areas that smaps tells of.
 *
 * Source: fs/proc/task_mmu.c, show_numa_map(), gather_stats() and smap_gather_stats().
 *
 * Deviation: no page is on an active list but those that are locked.
 */

import { KIB_BYTES } from '../../core/units.ts';
import type { Mm } from '../memory/mm.ts';
import { hasFlag, isHugetlb, rangePolicyAt, VM, type Vma } from '../memory/vma.ts';
import { policyText } from '../policy/mempolicy.ts';
import { addressOf } from '../syscalls/range-argument.ts';
import type { Thread } from '../tasks/thread.ts';
import { forEachCounted } from './mapping-counts.ts';
import { kernelPart, programPart } from './maps.ts';
import { hexAddress } from './text-layout.ts';

/** All lines, as the file of that thread has them: its policy counts where a mapping has none. */
export function numaMaps(thread: Thread): string[] {
  return [...thread.mm.vmas].map((vma) => numaMapsLine(thread, vma));
}

function numaMapsLine(thread: Thread, vma: Vma): string {
  const { mm } = thread;
  const address = hexAddress(addressOf(vma.start, mm.memory.pageSizeBytes));
  const words = [address, shownPolicy(thread, vma)];
  const name = nameOf(mm, vma);
  if (name !== null) words.push(name);
  if (isHugetlb(vma)) words.push('huge');
  return [...words, ...countWords(mm, vma)].join(' ');
}

function shownPolicy({ policy }: Thread, vma: Vma): string {
  return policyText(rangePolicyAt(vma, vma.start) ?? policy);
}

function nameOf(mm: Mm, vma: Vma): string | null {
  const { object } = vma;
  if (object === null) return programPart(mm, vma);
  return object.path === null ? null : `file=${escapePath(object.path)}`;
}

/** Source: lib/string_helpers.c, string_escape_mem() for "\n\t= ". */
function escapePath(path: string): string {
  const octal = (character: string): string =>
    `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return path.replace(/[\n\t= ]/g, octal);
}

interface Counts {
  pages: number;
  anonymous: number;
  dirty: number;
  mappingsMax: number;
  readonly byNode: Map<number, number>;
}

function countWords(mm: Mm, vma: Vma): string[] {
  const { pages, anonymous, dirty, mappingsMax, byNode } = count(mm, vma);
  if (pages === 0) return [];
  const { pageSizeBytes, tablePages } = mm.memory;
  const isHuge = isHugetlb(vma);
  const sizeBytes = isHuge ? pageSizeBytes * tablePages : pageSizeBytes;
  const nodes = [...byNode].sort(([a], [b]) => a - b);
  return [
    ...(anonymous > 0 ? [`anon=${anonymous}`] : []),
    ...(dirty > 0 ? [`dirty=${dirty}`] : []),
    ...(pages !== anonymous && pages !== dirty ? [`mapped=${pages}`] : []),
    ...(mappingsMax > 1 ? [`mapmax=${mappingsMax}`] : []),
    ...(isHuge || hasFlag(vma, VM.LOCKED) ? [] : ['active=0']),
    ...nodes.map(([node, onNode]) => `N${node}=${onNode}`),
    `kernelpagesize_kB=${sizeBytes / KIB_BYTES}`,
  ];
}

/** A huge page of the pool counts as one, the kernel's own reserved pages not at all. */
function count(mm: Mm, vma: Vma): Counts {
  const counts: Counts = { pages: 0, anonymous: 0, dirty: 0, mappingsMax: 0, byNode: new Map() };
  if (kernelPart(mm, vma) === 'vdso') return counts;
  forEachCounted(mm, vma, (run) => {
    if (run.isMigrating) return;
    const weight = run.isOfPool ? run.pageCount / mm.memory.tablePages : run.pageCount;
    counts.pages += weight;
    if (run.isAnonymous) counts.anonymous += weight;
    if (run.isDirty) counts.dirty += weight;
    counts.mappingsMax = Math.max(counts.mappingsMax, run.mapCount);
    counts.byNode.set(run.node, (counts.byNode.get(run.node) ?? 0) + weight);
  });
  return counts;
}

/** Part of a mapping. */
export interface NumaMapsArea {
  readonly start: number;
  readonly pageCount: number;
  readonly policy: string;
  /** Bytes of the whole mapping in transparent huge pages: AnonHugePages. */
  readonly hugeBytes: number;
}

/** The parts of mappings in a range, as the process's own file tells of them. */
export function memoryAreas(leader: Thread, start: number, end: number): NumaMapsArea[] {
  const { mm } = leader;
  return mm.vmas.within(start, end).map((part) => {
    const whole = mm.vmas.lookup(part.start) as Vma;
    return {
      start: part.start,
      pageCount: part.end - part.start,
      policy: shownPolicy(leader, whole),
      hugeBytes: hugePagesIn(mm, whole) * mm.memory.pageSizeBytes,
    };
  });
}

function hugePagesIn(mm: Mm, vma: Vma): number {
  let found = 0;
  forEachCounted(mm, vma, ({ pageCount, isMappedHuge, isOfPool, isAnonymous }) => {
    if (isMappedHuge && isAnonymous && !isOfPool) found += pageCount;
  });
  return found;
}
