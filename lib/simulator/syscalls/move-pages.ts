/**
 * move_pages(2).
 *
 * Source: mm/migrate.c, kernel_move_pages(), do_pages_move(), move_pages_and_store_status() and
 * do_pages_stat().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { CostAccount } from '../cost/cost-ledger.ts';
import type { MachineState } from '../machine.ts';
import type { Steps } from '../memory/in-flight.ts';
import type { Mm } from '../memory/mm.ts';
import { isOrdinary } from '../memory/page-entry.ts';
import { migratePages, tellIsolated } from '../migrate/migrate-pages.ts';
import { moveOrdinary, newEntryCounts, ordinaryPages } from '../migrate/move-at-once.ts';
import { PageList } from '../migrate/page-list.ts';
import { alikePages, queryPage, querySpan, queuePage } from '../migrate/page-lookup.ts';
import { finish } from '../migrate/suspended-call.ts';
import { exactly } from '../migrate/target-folio.ts';
import { hasNode, NO_NODE, type Nodemask } from '../nodes/nodemask.ts';
import type { Allocator } from '../policy/placement.ts';
import type { Thread } from '../tasks/thread.ts';
import { failure, success } from './answer.ts';
import { pageOf } from './range-argument.ts';
import { findTarget, openAccount } from './target-process.ts';

const FLAGS = MPOL_MF.MOVE | MPOL_MF.MOVE_ALL;
/** Entries that a query handles at once. Source: DO_PAGES_STAT_CHUNK_NR. */
const QUERY_CHUNK = 16;

/** The caller's arrays; undefined and false stand for memory that is not there. */
export interface MovePagesArrays {
  readonly count: number;
  address(index: number): bigint | undefined;
  /** null: a query. */
  readonly node: ((index: number) => number | undefined) | null;
  store(index: number, status: number): boolean;
  /** Where the pages are consecutive, have one target, and all statuses can be written. */
  readonly span?: PageSpanArrays;
}

/** The same arrays, for going through equal pages at once. */
export interface PageSpanArrays {
  readonly firstPage: number;
  readonly status: Int32Array;
}

export interface MovePagesCall extends MovePagesArrays {
  readonly pid: number;
  readonly flags: number;
}

export function movePages(
  machine: MachineState,
  thread: Thread,
  call: MovePagesCall,
): SyscallResult<number> {
  return finish(machine.memory.inFlight, stepsOfMovePages(machine, thread, call));
}

/** The same, step by step. */
export function* stepsOfMovePages(
  machine: MachineState,
  thread: Thread,
  call: MovePagesCall,
): Steps<SyscallResult<number>> {
  const fail = (errno: number): SyscallResult<number> => failure('move_pages', errno);
  if ((call.flags & ~FLAGS) !== 0) return fail(ERRNO.EINVAL);
  const movesShared = (call.flags & MPOL_MF.MOVE_ALL) !== 0;
  if (movesShared && !thread.process.credentials.canSetNice) return fail(ERRNO.EPERM);
  const target = findTarget(machine, thread, call.pid);
  if ('errno' in target) return fail(target.errno);
  if (!target.hasMemory) return fail(ERRNO.EINVAL);
  const { mm, memsAllowed } = target;
  const { node } = call;
  const rights = { memsAllowed, movesShared, caller: thread };
  const account = openAccount(thread, target, node === null ? 'query' : 'move_pages');
  account?.countCall();
  const outcome =
    node === null
      ? query(mm, call, account)
      : yield* new Move(mm, { ...call, node }, { ...rights, account }).run();
  return outcome < 0 ? fail(-outcome) : success(outcome);
}

function query(mm: Mm, arrays: MovePagesArrays, account: CostAccount | null): number {
  const { count, address, store, span } = arrays;
  account?.countLookups(count);
  if (span !== undefined) {
    querySpan(mm, span.firstPage, span.status.subarray(0, count));
    return 0;
  }
  for (let start = 0; start < count; start += QUERY_CHUNK) {
    const indexes = Array.from(
      { length: Math.min(QUERY_CHUNK, count - start) },
      (_, i) => start + i,
    );
    const addresses = indexes.map(address);
    if (addresses.includes(undefined)) return -ERRNO.EFAULT;
    const statuses = (addresses as bigint[]).map((one) => {
      const found = queryPage(mm, pageOf(one, mm.memory.pageSizeBytes));
      return 'errno' in found ? -found.errno : found.node;
    });
    if (!indexes.every((index, i) => store(index, statuses[i] as number))) return -ERRNO.EFAULT;
  }
  return 0;
}

interface MoveArrays extends MovePagesArrays {
  readonly node: (index: number) => number | undefined;
}

interface MoveRights {
  /** The target's nodes. */
  readonly memsAllowed: Nodemask;
  readonly movesShared: boolean;
  readonly caller: Allocator;
  readonly account: CostAccount | null;
}

/**
 * A move under way. Entries with one target that could all be queued are a run; a run that fails
 * ends the call, and none of its entries gets a status.
 */
class Move {
  readonly #mm: Mm;
  readonly #arrays: MoveArrays;
  readonly #memsAllowed: Nodemask;
  readonly #caller: Allocator;
  readonly #movesShared: boolean;
  readonly #account: CostAccount | null;
  #node = NO_NODE;
  #runStart = 0;
  #list: PageList;
  #counts: Int32Array | undefined;
  /** Pages before this one cannot be moved at once: none of them is on the node already. */
  #unsettledUntil = 0;

  constructor(
    mm: Mm,
    arrays: MoveArrays,
    { memsAllowed, movesShared, caller, account }: MoveRights,
  ) {
    this.#mm = mm;
    this.#list = new PageList(mm.memory.inFlight);
    this.#arrays = arrays;
    this.#memsAllowed = memsAllowed;
    this.#caller = caller;
    this.#movesShared = movesShared;
    this.#account = account;
  }

  /** 0, pages not moved, or a negative errno. */
  *run(): Steps<number> {
    const { count } = this.#arrays;
    for (let index = 0; index < count; ) {
      const entry = this.#read(index);
      if ('errno' in entry) {
        yield* this.#flush(index);
        return entry.errno;
      }
      if (entry.node !== this.#node) {
        const left = this.#node === NO_NODE ? 0 : yield* this.#flush(index);
        if (left !== 0) return left;
        this.#node = entry.node;
        this.#runStart = index;
      }
      const status = this.#queue(entry.page);
      if (status === null) yield* tellIsolated(this.#list);
      else {
        const left = yield* this.#settle(index, status);
        if (left !== 0) return left;
      }
      const taken = 1 + this.#takeAlike(index + 1);
      this.#account?.countLookups(taken);
      index += taken;
    }
    return yield* this.#flush(count);
  }

  /** Pages behind `index` of which each is as the one before, so that it fares alike. */
  #takeAlike(index: number): number {
    const { count, span } = this.#arrays;
    if (span === undefined || index === count) return 0;
    const page = span.firstPage + index;
    const end = span.firstPage + count;
    const isSettled = this.#node === NO_NODE;
    const status = span.status[index - 1] as number;
    const isThere = isSettled && status >= 0;
    const pageCount = alikePages(this.#mm, page - 1, { end, isThere }) - 1;
    if (pageCount <= 0) return this.#takeOrdinary(span, index, { start: page, end });
    if (isSettled) {
      span.status.fill(status, index, index + pageCount);
    } else if (!this.#list.isolate(this.#mm, page, pageCount)) {
      return 0;
    }
    return pageCount;
  }

  /** Ordinary pages that are not alike, moved at once where what is pending cannot fail. */
  #takeOrdinary(
    { status }: PageSpanArrays,
    index: number,
    pages: { readonly start: number; readonly end: number },
  ): number {
    if (this.#list.isWatched || pages.start < this.#unsettledUntil) return 0;
    if (!isOrdinary(this.#mm.pages.get(pages.start))) return 0;
    const { length, 0: pending } = this.#list.entries;
    if (length > 1 || (pending !== undefined && 'folio' in pending)) return 0;
    const node = this.#arrays.node(index) ?? NO_NODE;
    const account = this.#account;
    const search = exactly(node, this.#caller, account).searchFor(pages.start, null);
    const move = { ...pages, node, search, account, pendingPages: pending?.pageCount ?? 0 };
    this.#counts ??= newEntryCounts();
    const { pageCount, unsettledUntil } = ordinaryPages(this.#mm, move, this.#counts);
    this.#unsettledUntil = unsettledUntil;
    if (pageCount === 0) return 0;
    finish(this.#mm.memory.inFlight, this.#flush(index));
    this.#node = NO_NODE;
    moveOrdinary(this.#mm, pageCount, move, this.#counts);
    status.fill(node, index, index + pageCount);
    return pageCount;
  }

  /** Which page is to go where; an errno ends the call after the pending run. */
  #read(index: number): { readonly page: number; readonly node: number } | { errno: number } {
    const { physical, pageSizeBytes } = this.#mm.memory;
    const address = this.#arrays.address(index);
    const node = this.#arrays.node(index);
    if (address === undefined || node === undefined) return { errno: -ERRNO.EFAULT };
    if (!hasNode(physical.memoryNodes, node)) return { errno: -ERRNO.ENODEV };
    if (!hasNode(this.#memsAllowed, node)) return { errno: -ERRNO.EACCES };
    return { page: pageOf(address, pageSizeBytes), node };
  }

  /** Takes a page for the pending run: null, or the status of one that cannot be taken. */
  #queue(page: number): number | null {
    const request = { node: this.#node, movesShared: this.#movesShared, list: this.#list };
    const queued = queuePage(this.#mm, page, request);
    if (queued === 'queued') return null;
    return queued === 'there' ? this.#node : -queued.errno;
  }

  /** An entry that has its status ends the pending run; a value other than 0 ends the call. */
  *#settle(index: number, status: number): Steps<number> {
    if (!this.#arrays.store(index, status)) {
      yield* this.#flush(index);
      return -ERRNO.EFAULT;
    }
    const flushed = yield* this.#flush(index);
    this.#node = NO_NODE;
    // The entry itself has its status: it is not among those left over.
    return flushed > 0 ? flushed - 1 : flushed;
  }

  /** Moves the pending run, whose last entry is before `index`. */
  *#flush(index: number): Steps<number> {
    const list = this.#list;
    if (list.isEmpty) return 0;
    const { memory } = this.#mm;
    this.#list = new PageList(memory.inFlight);
    const { failedCount, isOutOfMemory } = yield* migratePages(
      memory,
      list,
      exactly(this.#node, this.#caller, this.#account),
    );
    if (isOutOfMemory) return -ERRNO.ENOMEM;
    if (failedCount > 0) return failedCount + this.#arrays.count - index;
    const { span } = this.#arrays;
    if (span !== undefined) {
      span.status.fill(this.#node, this.#runStart, index);
      return 0;
    }
    for (let at = this.#runStart; at < index; at += 1) {
      if (!this.#arrays.store(at, this.#node)) return -ERRNO.EFAULT;
    }
    return 0;
  }
}
