/**
 * /proc/PID/smaps: the line of maps, what the mapping's pages are, and its attributes in two
 * letters each, as far as the model knows them.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap(), __show_smap(), smaps_account() and
 * show_smap_vma_flags(), in the order of the bits; mm/huge_memory.c, __thp_vma_allowable_orders().
 * Left out: ProtectionKey, which not every processor has. Deviation: every page counts as
 * referenced, none as lazily freed.
 */

import { KIB_BYTES } from '../../core/units.ts';
import type { Mm } from '../memory/mm.ts';
import { hasFlag, isAccounted, isHugetlb, VM, type Vma } from '../memory/vma.ts';
import { forEachCounted, swappedPages } from './mapping-counts.ts';
import { kernelPart, mapsLine, programPart } from './maps.ts';
import { kilobytesLine, linesText, NAME_WIDTH, NUMBER_WIDTH } from './text-layout.ts';

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

/** Without the newline; the blank at its end is the kernel's. */
function vmFlagsLine(mm: Mm, vma: Vma): string {
  const words = FLAGS.filter(([, has]) => has(vma, mm)).map(([word]) => `${word} `);
  return `VmFlags: ${words.join('')}`;
}

type HasFlag = (vma: Vma, mm: Mm) => boolean;

const always: HasFlag = () => true;
const withBit =
  (bit: number): HasFlag =>
  (vma) =>
    hasFlag(vma, bit);

const isOfKernel: HasFlag = (vma, mm) => kernelPart(mm, vma) !== null;
const isVvar: HasFlag = (vma, mm) => kernelPart(mm, vma) === 'vvar';
const isVdso: HasFlag = (vma, mm) => kernelPart(mm, vma) === 'vdso';
const isStack: HasFlag = (vma, mm) => programPart(mm, vma) === 'stack';
const isSecret: HasFlag = ({ object }) => object?.kind.isReachable === false;
/** Pages that a driver put in one by one. */
const isRing: HasFlag = (vma) => hasFlag(vma, VM.MIXEDMAP) && !hasFlag(vma, VM.IO);
const isNotDumped = withBit(VM.DONTDUMP);
/** Memory that no page of the machine is behind. */
const isFrames: HasFlag = (vma) =>
  hasFlag(vma, VM.IO) && (vma.object === null || vma.object.path !== null);

const isPromised: HasFlag = (vma, { memory }) => isAccounted(vma, memory.facts);

const FLAGS: readonly (readonly [string, HasFlag])[] = [
  ['rd', ({ access }) => access === 'read' || access === 'write'],
  ['wr', ({ access }) => access === 'write' || access === 'write-only'],
  ['ex', isVdso],
  ['sh', withBit(VM.SHARED)],
  ['mr', always],
  ['mw', (vma, mm) => !isVvar(vma, mm)],
  ['me', (vma, mm) => ![isVvar, isSecret, isRing].some((is) => is(vma, mm))],
  ['ms', withBit(VM.SHARED)],
  ['gd', isStack],
  ['pf', isFrames],
  ['lo', withBit(VM.LOCKED)],
  ['io', withBit(VM.IO)],
  ['sr', withBit(VM.SEQ_READ)],
  ['rr', withBit(VM.RAND_READ)],
  ['dc', withBit(VM.DONTCOPY)],
  ['de', (vma, mm) => [isOfKernel, isFrames, isHugetlb].some((is) => is(vma, mm))],
  ['ac', isPromised],
  ['ht', isHugetlb],
  ['wf', withBit(VM.WIPEONFORK)],
  ['dd', (vma, mm) => [isVvar, isFrames, isSecret, isNotDumped].some((is) => is(vma, mm))],
  ['sd', (vma, mm) => !isStack(vma, mm)],
  ['mm', withBit(VM.MIXEDMAP)],
  ['hg', withBit(VM.HUGEPAGE)],
  ['nh', withBit(VM.NOHUGEPAGE)],
  ['mg', withBit(VM.MERGEABLE)],
];
