/**
 * Looks through a range for pages that are not where they are wanted, and takes those off their
 * lists that may move.
 *
 * Source: mm/mempolicy.c, queue_pages_range(), queue_pages_test_walk(), queue_folios_pte_range()
 * and migrate_folio_add().
 */

import { ERRNO } from '../../core/errno.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { CostAccount } from '../cost/cost-ledger.ts';
import { countWalk } from '../memory/count-costs.ts';
import type { Folio } from '../memory/folio.ts';
import type { Mm } from '../memory/mm.ts';
import { folioIdOf, isInline, isMigration, isPage, nodeOfInline } from '../memory/page-entry.ts';
import { hasFlag, VM, type Vma } from '../memory/vma.ts';
import { PageList } from './page-list.ts';

const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;

export interface QueueRequest {
  readonly mm: Mm;
  /** First page, and the one behind the last. */
  readonly start: number;
  readonly end: number;
  /** `MPOL_MF`s. */
  readonly flags: number;
  /** Whether a page on this node is one to take. */
  isMisplaced(node: number): boolean;
  /** Gaps between mappings are no error. */
  readonly takesHoles: boolean;
  /** Who counts what it costs. */
  readonly account: CostAccount | null;
}

export interface Queued {
  /** 0, EFAULT (a gap), or EIO (STRICT alone, and a page is misplaced). */
  readonly errno: number;
  readonly list: PageList;
  /** Folios that are misplaced and could not be taken. */
  readonly leftFolios: number;
  /** The same, counted by the entries that map them. */
  readonly leftPages: number;
}

export function queuePages(request: QueueRequest): Queued {
  const walk = new Walk(request);
  const errno = walk.run();
  return { errno, list: walk.list, leftFolios: walk.leftFolios, leftPages: walk.leftPages };
}

class Walk {
  readonly list: PageList;
  leftFolios = 0;
  leftPages = 0;
  readonly #request: QueueRequest;
  readonly #isStrictOnly: boolean;
  readonly #moves: boolean;
  /** The large folio that was looked at last: its further pages are settled with it. */
  #large: Folio | null = null;

  constructor(request: QueueRequest) {
    this.#request = request;
    this.list = new PageList(request.mm.memory.inFlight);
    this.#moves = (request.flags & (MOVE | MOVE_ALL)) !== 0;
    this.#isStrictOnly = (request.flags & STRICT) !== 0 && !this.#moves;
  }

  run(): number {
    const { mm, start, end, takesHoles } = this.#request;
    const vmas = mm.vmas.within(start, end);
    if (vmas.length === 0) return ERRNO.EFAULT;
    for (const [index, vma] of vmas.entries()) {
      const isHeadMissing = index === 0 && vma.start > start;
      const isGapBehind = vma.end < end && vmas[index + 1]?.start !== vma.end;
      if (!takesHoles && (isHeadMissing || isGapBehind)) return ERRNO.EFAULT;
      if (!this.#isSkipped(vma) && !this.#queueVma(vma)) return ERRNO.EIO;
    }
    return 0;
  }

  #isSkipped(vma: Vma): boolean {
    if (!this.#moves && !this.#isStrictOnly) return true;
    // The pages of the vdso are reserved, and passed over.
    if (hasFlag(vma, VM.SPECIAL) && !hasFlag(vma, VM.IO)) return true;
    return hasFlag(vma, VM.IO) && (this.#request.flags & STRICT) === 0;
  }

  /** False where STRICT alone met a misplaced page. */
  #queueVma(vma: Vma): boolean {
    const { mm, account } = this.#request;
    if (account !== null) countWalk(account, mm, vma.start, vma.end);
    const runs: [number, number, number][] = [];
    let isStopped = false;
    mm.pages.forEachRun(vma.start, vma.end, (page, pageCount, entry) => {
      if (isStopped) return;
      if (isPage(entry)) runs.push([page, pageCount, entry]);
      if (isMigration(entry)) isStopped = this.#isStoppedBy(page, pageCount);
    });
    for (const [page, pageCount, entry] of runs) {
      const node = isInline(entry)
        ? nodeOfInline(entry)
        : mm.memory.folios.get(folioIdOf(entry)).node;
      if (!this.#request.isMisplaced(node)) continue;
      if (this.#isStrictOnly) return false;
      const step = this.#isMetAtOnce(entry) ? pageCount : 1;
      for (let at = page; at < page + pageCount; at += step) this.#queueRun(vma, at, step);
    }
    return !isStopped;
  }

  /** A page that somebody else is moving just now: one that stays. 6.1 overlooks small ones, and
   *  ends the walk at a huge one. */
  #isStoppedBy(page: number, pageCount: number): boolean {
    const { pages, memory } = this.#request.mm;
    const isHuge = pages.isHuge(page);
    if (!memory.facts.countsMigrationEntries) return isHuge;
    this.leftFolios += isHuge ? 1 : pageCount;
    this.leftPages += isHuge ? 1 : pageCount;
    return this.#isStrictOnly;
  }

  /** Addresses in a row of one small folio are met one by one. */
  #isMetAtOnce(entry: number): boolean {
    const { folios } = this.#request.mm.memory;
    return isInline(entry) || folios.get(folioIdOf(entry)).pageCount > 1;
  }

  #queueRun(vma: Vma, page: number, pageCount: number): void {
    const { mm, flags } = this.#request;
    const entry = mm.pages.get(page);
    const folio = isInline(entry) ? null : mm.memory.folios.get(folioIdOf(entry));
    const isLarge = folio !== null && folio.pageCount > 1;
    if (isLarge && folio === this.#large) return;
    if (isLarge) this.#large = folio;
    const isInParts = isLarge && !folio.isOfPool && !mm.pages.isHuge(page);
    if (isInParts && mm.memory.facts.countsPartsOfHuge) this.leftFolios += pageCount - 1;
    const isLeftAlone = folio?.isShared === true && (flags & MOVE_ALL) === 0;
    if (isLeftAlone || (!hasFlag(vma, VM.IO) && this.list.isolate(mm, page, pageCount))) return;
    this.leftFolios += isLarge ? 1 : pageCount;
    this.leftPages += pageCount;
  }
}
