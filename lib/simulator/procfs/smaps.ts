/**
 * /proc/PID/smaps: the line of maps, and what the mapping's pages are.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap(), __show_smap(), smaps_account() and
 * show_smap_vma_flags(); mm/huge_memory.c, __thp_vma_allowable_orders().
 *
 * Left out: ProtectionKey, which not every processor has.
 *
 * Deviation: every page counts as referenced, none as lazily freed.
 */

import { KIB_BYTES } from '../../core/units.ts';
import type { Mm } from '../memory/mm.ts';
import { hasFlag, isHugetlb, VM, type Vma } from '../memory/vma.ts';
import { forEachCounted, swappedPages } from './mapping-counts.ts';
import { mapsLine } from './maps.ts';
import { kilobytesLine, linesText, NAME_WIDTH, NUMBER_WIDTH } from './text-layout.ts';
import { vmFlagsLine } from './vm-flags.ts';

/** In base pages, but for `pss`, which is in bytes. */
interface Usage {
  rss: number;
  pss: number;
  pssDirty: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  anonymous: number;
  merged: number;
  anonymousHuge: number;
  sharedHugetlb: number;
  privateHugetlb: number;
}

export function smapsText(mm: Mm): string {
  return linesText([...mm.vmas].flatMap((vma) => smapsLines(mm, vma)));
}

function smapsLines(mm: Mm, vma: Vma): string[] {
  const { pageSizeBytes, tablePages, facts } = mm.memory;
  const usage = usageOf(mm, vma);
  const pages = (name: string, count: number): string => kilobytesLine(name, count * pageSizeBytes);
  const share = (name: string, bytes: number): string =>
    kilobytesLine(name, Math.floor(bytes / KIB_BYTES) * KIB_BYTES);
  const unit = isHugetlb(vma) ? tablePages : 1;
  const swapped = swappedPages(mm, vma);
  return [
    mapsLine(mm, vma),
    pages('Size', vma.end - vma.start),
    pages('KernelPageSize', unit),
    pages('MMUPageSize', unit),
    pages('Rss', usage.rss),
    share('Pss', usage.pss),
    share('Pss_Dirty', usage.pssDirty),
    pages('Shared_Clean', usage.sharedClean),
    pages('Shared_Dirty', usage.sharedDirty),
    pages('Private_Clean', usage.privateClean),
    pages('Private_Dirty', usage.privateDirty),
    pages('Referenced', usage.rss),
    pages('Anonymous', usage.anonymous),
    ...(facts.smapsTellsMerged ? [pages('KSM', usage.merged)] : []),
    pages('LazyFree', 0),
    pages('AnonHugePages', usage.anonymousHuge),
    pages('ShmemPmdMapped', 0),
    pages('FilePmdMapped', 0),
    pages('Shared_Hugetlb', usage.sharedHugetlb),
    pages('Private_Hugetlb', usage.privateHugetlb),
    pages('Swap', swapped),
    pages('SwapPss', swapped),
    share('Locked', hasFlag(vma, VM.LOCKED) ? usage.pss : 0),
    eligibleLine(mm, vma),
    vmFlagsLine(mm, vma),
  ];
}

function usageOf(mm: Mm, vma: Vma): Usage {
  const usage = { ...NO_USAGE };
  const { pageSizeBytes } = mm.memory;
  forEachCounted(mm, vma, (run) => {
    const { pageCount, mapCount, isDirty } = run;
    const isShared = mapCount > 1;
    if (run.isOfPool) {
      usage[isShared ? 'sharedHugetlb' : 'privateHugetlb'] += pageCount;
      return;
    }
    const pss = (pageCount * pageSizeBytes) / mapCount;
    usage.rss += pageCount;
    usage.pss += pss;
    if (isDirty) usage.pssDirty += pss;
    if (isShared) usage[isDirty ? 'sharedDirty' : 'sharedClean'] += pageCount;
    else usage[isDirty ? 'privateDirty' : 'privateClean'] += pageCount;
    if (run.isAnonymous) usage.anonymous += pageCount;
    if (run.isMerged) usage.merged += pageCount;
    if (run.isMappedHuge && run.isAnonymous) usage.anonymousHuge += pageCount;
  });
  return usage;
}

const NO_USAGE: Readonly<Usage> = {
  rss: 0,
  pss: 0,
  pssDirty: 0,
  sharedClean: 0,
  sharedDirty: 0,
  privateClean: 0,
  privateDirty: 0,
  anonymous: 0,
  merged: 0,
  anonymousHuge: 0,
  sharedHugetlb: 0,
  privateHugetlb: 0,
};

function eligibleLine(mm: Mm, vma: Vma): string {
  const number = isEligible(mm, vma) ? '1' : '0';
  const { smapsTellsMerged } = mm.memory.facts;
  const shown = smapsTellsMerged ? number.padStart(NUMBER_WIDTH) : number;
  return `${'THPeligible:'.padEnd(NAME_WIDTH)}${shown}`;
}

/** Whether a huge page could come here: private memory that has room for one. */
function isEligible({ memory, isWithoutHugePages }: Mm, vma: Vma): boolean {
  const { hugePages, tablePages } = memory;
  if (hugePages === 'never' || isWithoutHugePages || vma.object !== null) return false;
  if (hasFlag(vma, VM.NOHUGEPAGE | VM.SPECIAL | VM.IO | VM.MIXEDMAP)) return false;
  if (hugePages === 'madvise' && !hasFlag(vma, VM.HUGEPAGE)) return false;
  const first = Math.ceil(vma.start / tablePages) * tablePages;
  return first + tablePages <= vma.end;
}
