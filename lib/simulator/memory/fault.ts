/**
 * Page faults: what an access to memory finds, makes or copies, on which node, and for whom.
 *
 * Source: mm/memory.c, handle_pte_fault(), do_anonymous_page(), do_fault() and do_wp_page().
 */

import type { Access } from '../../backend/backend.ts';
import type { Span } from '../../core/sorted-spans.ts';
import { NO_NODE } from '../nodes/nodemask.ts';
import type { InterleaveCounter } from '../policy/interleave.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import { type Allocator, countAllocation, findNode, searchFor } from '../policy/placement.ts';
import { countTouches } from './count-costs.ts';
import { faultInTurns } from './fault-in-turns.ts';
import type { Folio } from './folio.ts';
import { faultHugePage, faultHugeZeroPage, faultPoolPage } from './huge-fault.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Mm } from './mm.ts';
import { awaitedFolio, faultObject, folioOfObject } from './object-fault.ts';
import {
  DEVICE,
  dirtyEntry,
  folioIdOf,
  GUARD,
  HUGE_ZERO_PAGE,
  isDirtyEntry,
  isFolio,
  isInline,
  isMarked,
  isZeroPage,
  NONE,
  SWAPPED,
  ZERO_PAGE,
} from './page-entry.ts';
import type { EntryRun } from './page-table.ts';
import { indexInFolio, wordsOfPage } from './split-folio.ts';
import {
  hasFlag,
  interleaveIndexAt,
  isHugetlb,
  offsetOf,
  rangePolicyAt,
  VM,
  type Vma,
} from './vma.ts';

/** Accesses each page of a range in turn, until one cannot be had. */
export function touchPages(
  toucher: Toucher,
  start: number,
  end: number,
  access: Access,
): FaultOutcome {
  for (let page = start; page < end; ) {
    const vma = toucher.mm.vmas.lookup(page);
    if (vma === undefined || !allows(vma, access)) return 'fault';
    const stop = Math.min(end, vma.end);
    const reached = touchPart(toucher, vma, { start: page, end: stop }, access);
    if (typeof reached !== 'number') return reached;
    countTouches(toucher, page, reached);
    page = reached;
  }
  return 'done';
}

/** Whether the mapping lets itself be accessed so. */
export function allows(vma: Vma, access: Access): boolean {
  if (access === 'read') return vma.access !== 'none';
  return vma.access === 'write' || vma.access === 'write-only';
}

/** How far it came. Where it slept, others have gone on: what follows is looked at again. */
function touchPart(
  toucher: Toucher,
  vma: Vma,
  part: Span,
  access: Access,
): number | Exclude<FaultOutcome, 'done'> {
  const { inFlight } = toucher.mm.memory;
  const runs: EntryRun[] = [];
  toucher.mm.pages.forEachRun(part.start, part.end, (page, pageCount, entry) => {
    if (!isSettled(toucher, vma, entry, access)) runs.push({ page, pageCount, entry });
  });
  for (const run of runs) {
    const { eventCount } = inFlight;
    const outcome = faultRun(toucher, vma, run, access);
    if (outcome !== 'done') return outcome;
    if (inFlight.eventCount !== eventCount) return run.page;
    if (!isMarked(run.entry)) continue;
    const end = run.page + run.pageCount;
    const reached = touchPart(toucher, vma, { start: run.page, end }, access);
    if (reached !== end) return reached;
  }
  return part.end;
}

/** Whether an access to such a page needs no fault. */
function isSettled({ mm }: Toucher, vma: Vma, entry: number, access: Access): boolean {
  if (isMarked(entry)) return false;
  if (isInline(entry) || entry === DEVICE) return true;
  if (isZeroPage(entry)) return access === 'read';
  if (!isFolio(entry)) return false;
  if (access === 'read') return true;
  const folio = mm.memory.folios.get(folioIdOf(entry));
  const isOwn = folio.kind === 'anonymous' || folio.object?.kind.write === 'nothing';
  if (!isOwn) return false;
  // A huge page of a pool that was only read is not mapped for writing.
  return hasFlag(vma, VM.SHARED) || (folio.isExclusive && folio.isDirty);
}

function faultRun(toucher: Toucher, vma: Vma, run: EntryRun, access: Access): FaultOutcome {
  const { page, pageCount, entry } = run;
  if (entry === GUARD) return 'fault';
  const isAnonymousMiss = vma.object === null && entry === NONE;
  if (isAnonymousMiss && access === 'write') return faultAnonymous(toucher, vma, run);
  if (isAnonymousMiss) return faultZeroPages(toucher, vma, run);
  const { inFlight } = toucher.mm.memory;
  const { eventCount } = inFlight;
  for (let at = page; at < page + pageCount && inFlight.eventCount === eventCount; at += 1) {
    if (isMarked(entry)) toucher.hintFault(vma, at);
    else {
      const outcome = faultPage(toucher, vma, at, access);
      if (outcome !== 'done') return outcome;
    }
  }
  return 'done';
}

/** A read of untouched memory finds zeros: of a page, or of a huge page at once. */
function faultZeroPages(
  toucher: Toucher,
  vma: Vma,
  { page, pageCount }: Omit<EntryRun, 'entry'>,
): FaultOutcome {
  const { mm } = toucher;
  for (let at = page; at < page + pageCount; ) {
    const huge = faultHugeZeroPage(toucher, vma, at);
    const stop = Math.min(page + pageCount, mm.pages.tableEnd(at));
    if (huge === 0) mm.pages.fill(at, stop, ZERO_PAGE);
    at = huge === 0 ? stop : at + huge;
  }
  return 'done';
}

/** One page that is not simply untouched anonymous memory. The mapping's rights are not asked. */
export function faultPage(toucher: Toucher, vma: Vma, page: number, access: Access): FaultOutcome {
  // Source: migration_entry_wait(), folio_lock_or_retry(); the whole fault begins again then.
  const awaited = awaitedFolio(toucher.mm, vma, page);
  if (awaited !== null) {
    toucher.mm.memory.inFlight.waitUnlocked(awaited.folio);
    return 'done';
  }
  if (isHugetlb(vma)) return faultPoolPage(toucher, vma, page, access);
  const entry = toucher.mm.pages.get(page);
  if (isFolio(entry)) {
    return access === 'read' ? 'done' : writeFolio(toucher, vma, page, folioIdOf(entry));
  }
  if (isZeroPage(entry) || entry === SWAPPED || vma.object === null) {
    if (isZeroPage(entry)) dropZeroPage(toucher.mm, page, entry);
    return faultAnonymous(toucher, vma, { page, pageCount: 1 });
  }
  if (access === 'read' || hasFlag(vma, VM.SHARED)) {
    return faultObject(toucher, vma, page, { isWrite: access === 'write' });
  }
  return copyPage(toucher, vma, page, null);
}

/** Newer kernels replace the huge page of zeros as a whole. Source: do_huge_zero_wp_pmd(). */
function dropZeroPage({ pages, memory }: Mm, page: number, entry: number): void {
  const isWhole = entry === HUGE_ZERO_PAGE && memory.facts.replacesHugeZeroPage;
  const count = isWhole ? pages.tablePages : 1;
  if (!isWhole) pages.splitHuge(page);
  const first = Math.floor(page / count) * count;
  pages.fill(first, first + count, NONE);
}

/** Pages of their own where nothing was: huge where that is wanted, else one by one. */
function faultAnonymous(
  toucher: Toucher,
  vma: Vma,
  { page, pageCount }: Omit<EntryRun, 'entry'>,
): FaultOutcome {
  const { mm } = toucher;
  mm.vmas.prepareAnonVma(vma);
  const { physical, interleave } = mm.memory;
  for (let at = page; at < page + pageCount; ) {
    const huge = faultHugePage(toucher, vma, at);
    if (huge > 0) {
      at += huge;
      continue;
    }
    const policy = rangePolicyAt(vma, at) ?? toucher.policy;
    const index = interleaveIndexAt(vma, at);
    const inTable = Math.min(page + pageCount, mm.pages.tableEnd(at)) - at;
    const atOnce = faultInTurns(mm, toucher, policy, { page: at, pageCount: inTable, index });
    if (atOnce > 0) {
      at += atOnce;
      continue;
    }
    const search = searchFor({ policy, index }, toucher, interleave);
    const node = findNode(physical, search);
    if (node === NO_NODE) return 'killed';
    const wanted = search.isInterleaved ? 1 : inTable;
    const taken = Math.min(wanted, physical.availablePages(node));
    if (mm.pages.get(at) === SWAPPED) mm.pages.fill(at, at + taken, NONE);
    mm.mapInline(at, taken, node);
    countAllocation(physical, search, node, taken);
    at += taken;
  }
  return 'done';
}

/** The CPU notes it in the entry alone, where no file system wants to know of it: shmem's do not.
 *  Source: vma_needs_dirty_tracking(). */
function noteWrite({ pages }: Mm, vma: Vma, page: number, folio: Folio): void {
  if (vma.object?.kind.write !== 'dirties entry' || folio.pageCount > 1) folio.isDirty = true;
  else {
    pages.set(page, dirtyEntry(pages.get(page)));
    folio.hasDirtyEntry = true;
  }
}

/** No write goes through an entry that is there: its page is dirty instead, to all who map it,
 *  unless the entry tells so already. Source: mm/gup.c, follow_page_pte(), FOLL_TOUCH. */
export function dirtyPresent({ pages, memory }: Mm, start: number, end: number): void {
  pages.forEachRun(start, end, (_page, _pageCount, entry) => {
    if (!isFolio(entry) || isDirtyEntry(entry)) return;
    memory.folios.get(folioIdOf(entry)).isDirty = true;
  });
}

/** A write to a page that may be somebody else's, too. Source: do_wp_page(). */
function writeFolio(toucher: Toucher, vma: Vma, page: number, folioId: number): FaultOutcome {
  const folio = toucher.mm.memory.folios.get(folioId);
  if (hasFlag(vma, VM.SHARED)) {
    noteWrite(toucher.mm, vma, page, folio);
    return 'done';
  }
  const { facts } = toucher.mm.memory;
  const isPart = folio.pageCount > 1 && !toucher.mm.pages.isHuge(page);
  if (folio.isReusable && (!isPart || facts.reusesPartsOfHuge)) {
    folio.isExclusive = true;
    return 'done';
  }
  return copyPage(toucher, vma, page, folioId);
}

/** Copy-on-write: a page of its own with the contents of the old one. */
function copyPage(toucher: Toucher, vma: Vma, page: number, folioId: number | null): FaultOutcome {
  const { mm } = toucher;
  if (folioId === null) {
    mm.vmas.prepareAnonVma(vma);
    if (offsetOf(vma, page) >= (vma.object as MemoryObject).sizePages) return 'fault';
  }
  const source = folioId ?? folioOfObject(toucher, vma, page);
  if (source === null) return 'killed';
  const { folios, pageSizeBytes } = mm.memory;
  const old = folios.get(source);
  const words = wordsOfPage(old, indexInFolio(vma, page, old), pageSizeBytes);
  mm.dropPages(page, page + 1);
  const outcome = faultAnonymous(toucher, vma, { page, pageCount: 1 });
  if (outcome === 'done' && words !== null) {
    folios.get(mm.folioAt(page)).words = words;
  }
  return outcome;
}

/** A thread, as far as placement knows it. */
export interface Toucher extends Allocator {
  readonly mm: Mm;
  /** The thread's policy. */
  readonly policy: Mempolicy | null;
  readonly counter: InterleaveCounter;
  /** Takes the mark off a page that balancing has marked, and may move it. */
  hintFault(vma: Vma, page: number): void;
}

/** `fault`: SIGSEGV or SIGBUS. `killed`: no memory that the policy allows, SIGKILL. */
export type FaultOutcome = 'done' | 'fault' | 'killed';
