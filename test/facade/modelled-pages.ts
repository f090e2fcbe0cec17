/**
 * A third backend, as a library's user might write one: it hands every call on to another backend
 * and answers move_pages itself, from a table of pages that a test fills in. The answers follow
 * do_pages_move() of mm/migrate.c (Linux 6.1), so that what the facade makes of failed runs, full
 * nodes and refusals half way is seen on machines with one node, too.
 */

import type { Backend, MovePagesRequest, PageSpan } from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_MF, PM_PRESENT, PM_SWAP } from '../../lib/core/uapi.ts';

/** What hinders a page. */
export type PageTrait = 'free' | 'pinned' | 'shared' | 'isolated';

export interface ModelledPage {
  /** A node, -ENOENT (never touched) or -EFAULT (zero page). */
  place: number;
  trait: PageTrait;
  /** Calls that will find the page under way: neither there nor anywhere else. */
  underWay?: number;
}

export interface PageModel {
  readonly pages: ModelledPage[];
  /** Free pages of the target node. */
  freePages: number;
  /** Nodes that may be named. */
  readonly onlineNodes: readonly number[];
  /** Errno of the n-th call of a kind, counted from 0; `undefined` lets it through. */
  refuse?: (kind: 'query' | 'move', index: number) => number | undefined;
}

export class ModelledBackend {
  readonly #inner: Backend;
  readonly #model: PageModel;
  #address: bigint | undefined;
  readonly calls: { query: number; move: number } = { query: 0, move: 0 };

  constructor(inner: Backend, model: PageModel) {
    this.#inner = inner;
    this.#model = model;
  }

  /** The address of the model's first page. */
  beginAt(address: bigint): void {
    this.#address = address;
  }

  /** The backend to open a Numa with. */
  asBackend(): Backend {
    const own: Partial<Backend> = {
      identity: { kind: 'modelled', kernel: '6.1-model', libnuma: null },
      movePages: async (request) => this.#movePages(request),
      movePagesSync: (request) => this.#movePages(request),
      pagemap: (span) => this.#pagemap(span),
      // The model has one way to move pages.
      mbind: () => ({ ok: false, errno: ERRNO.EPERM, syscall: 'mbind' }),
      readTextSync: (path) =>
        path === '/proc/self/status'
          ? { ok: true, value: 'Seccomp:\t2\n' }
          : this.#inner.readTextSync(path),
    };
    return new Proxy(this.#inner, {
      get: (inner, name) => {
        const value = own[name as keyof Backend] ?? inner[name as keyof Backend];
        return typeof value === 'function' ? value.bind(inner) : value;
      },
    });
  }

  #indexOf(address: bigint): number {
    return Number(address - (this.#address as bigint)) / this.#inner.pageSizeBytes;
  }

  #pagesOf(pages: PageSpan | BigUint64Array): ModelledPage[] {
    const all = this.#model.pages;
    if (pages instanceof BigUint64Array) {
      return Array.from(pages, (address) => all[this.#indexOf(address)] as ModelledPage);
    }
    const first = this.#indexOf(pages.address);
    return all.slice(first, first + pages.pageCount);
  }

  #pagemap(span: PageSpan): SyscallResult<BigUint64Array> {
    const entries = this.#pagesOf(span).map(({ place, underWay = 0 }) => {
      if (underWay > 0) return PM_SWAP;
      return place === -ERRNO.ENOENT ? 0n : PM_PRESENT;
    });
    return { ok: true, value: BigUint64Array.from(entries) };
  }

  #movePages(request: MovePagesRequest): SyscallResult<number> {
    const kind = request.nodes === null ? 'query' : 'move';
    const refusal = this.#model.refuse?.(kind, this.calls[kind]);
    this.calls[kind] += 1;
    if (refusal !== undefined) return failed(refusal);
    const pages = this.#pagesOf(request.pages);
    if (kind === 'query') {
      // Like do_pages_stat_array() before 6.12: EFAULT for both kinds of absent pages.
      pages.forEach((page, index) => {
        const place = page.place < 0 ? -ERRNO.EFAULT : page.place;
        request.status[index] = isUnderWay(page) ? -ERRNO.ENOENT : place;
      });
      return { ok: true, value: 0 };
    }
    if (!this.#model.onlineNodes.includes(request.nodes as number)) return failed(ERRNO.ENODEV);
    return this.#move(pages, request);
  }

  /** Queues pages into runs; each page with an answer of its own ends the run before it. */
  #move(pages: ModelledPage[], request: MovePagesRequest): SyscallResult<number> {
    const target = request.nodes as number;
    let runStart = -1;
    for (const [index, page] of pages.entries()) {
      const answer = answerOf(page, target, (request.flags & MPOL_MF.MOVE_ALL) !== 0);
      if (answer === undefined) {
        if (runStart < 0) runStart = index;
        continue;
      }
      request.status[index] = answer;
      if (runStart < 0) continue;
      const end = this.#moveRun(pages, request, runStart, index);
      if (end === undefined) {
        runStart = -1;
        continue;
      }
      return end.ok ? { ok: true, value: end.value + pages.length - index - 1 } : end;
    }
    const end = runStart < 0 ? undefined : this.#moveRun(pages, request, runStart, pages.length);
    return end ?? { ok: true, value: 0 };
  }

  /** `undefined`: the whole run moved, and has its statuses. */
  #moveRun(
    pages: ModelledPage[],
    { nodes, status }: MovePagesRequest,
    start: number,
    end: number,
  ): SyscallResult<number> | undefined {
    let failedCount = 0;
    for (const page of pages.slice(start, end)) {
      if (page.trait === 'pinned') {
        failedCount += 1;
        continue;
      }
      if (this.#model.freePages === 0) return failed(ERRNO.ENOMEM);
      this.#model.freePages -= 1;
      page.place = nodes as number;
    }
    if (failedCount > 0) return { ok: true, value: failedCount };
    status.fill(nodes as number, start, end);
    return undefined;
  }
}

function failed(errno: number): SyscallResult<never> {
  return { ok: false, errno, syscall: 'move_pages' };
}

/** add_page_for_migration(): a page's own answer, or `undefined` when it is queued. */
function answerOf(page: ModelledPage, target: number, isMoveAll: boolean): number | undefined {
  if (isUnderWay(page)) return -ERRNO.ENOENT;
  if (page.place < 0) return -ERRNO.EFAULT;
  if (page.place === target) return target;
  if (page.trait === 'shared' && !isMoveAll) return -ERRNO.EACCES;
  if (page.trait === 'isolated') return -ERRNO.EBUSY;
  return undefined;
}

/** follow_page(): a page that somebody is moving has no entry to follow. Counts the look. */
function isUnderWay(page: ModelledPage): boolean {
  if (page.underWay === undefined || page.underWay === 0) return false;
  page.underWay -= 1;
  return true;
}
