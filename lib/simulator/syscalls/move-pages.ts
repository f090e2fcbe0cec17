/**
 * move_pages(2).
 *
 * Source: mm/migrate.c, kernel_move_pages(), do_pages_move(), move_pages_and_store_status() and
 * do_pages_stat().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { Machine } from '../machine.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import { exactly, migratePageList } from '../migration/migrate.ts';
import { PageList } from '../migration/page-list.ts';
import { queryPage, queuePage } from '../migration/page-lookup.ts';
import { hasNode, NO_NODE, type Nodemask } from '../nodes/nodemask.ts';
import type { Thread } from '../tasks/thread.ts';
import { failure, success } from './answer.ts';
import { findTarget } from './find-target.ts';
import { pageOf } from './range-argument.ts';

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
}

export interface MovePagesCall extends MovePagesArrays {
  readonly pid: number;
  readonly flags: number;
}

export function movePages(
  machine: Machine,
  thread: Thread,
  call: MovePagesCall,
): SyscallResult<number> {
  const fail = (errno: number): SyscallResult<number> => failure('move_pages', errno);
  if ((call.flags & ~FLAGS) !== 0) return fail(ERRNO.EINVAL);
  const movesShared = (call.flags & MPOL_MF.MOVE_ALL) !== 0;
  if (movesShared && !thread.process.credentials.canSetNice) return fail(ERRNO.EPERM);
  const target = findTarget(machine, thread, call.pid);
  if ('errno' in target) return fail(target.errno);
  const { space, memsAllowed } = target;
  const { node } = call;
  const outcome =
    node === null
      ? query(space, call)
      : new Move(space, { ...call, node }, { memsAllowed, movesShared }).run();
  return outcome < 0 ? fail(-outcome) : success(outcome);
}

function query(space: AddressSpace, { count, address, store }: MovePagesArrays): number {
  for (let start = 0; start < count; start += QUERY_CHUNK) {
    const indexes = Array.from(
      { length: Math.min(QUERY_CHUNK, count - start) },
      (_, i) => start + i,
    );
    const addresses = indexes.map(address);
    if (addresses.includes(undefined)) return -ERRNO.EFAULT;
    const statuses = (addresses as bigint[]).map((one) => {
      const found = queryPage(space, pageOf(one, space.memory.pageSizeBytes));
      return 'errno' in found ? -found.errno : found.node;
    });
    if (!indexes.every((index, i) => store(index, statuses[i] as number))) return -ERRNO.EFAULT;
  }
  return 0;
}

interface MoveArrays extends MovePagesArrays {
  readonly node: (index: number) => number | undefined;
}

/**
 * A move under way. Entries with one target that could all be queued are a run; a run that fails
 * ends the call, and none of its entries gets a status.
 */
class Move {
  readonly #space: AddressSpace;
  readonly #arrays: MoveArrays;
  readonly #memsAllowed: Nodemask;
  readonly #movesShared: boolean;
  #node = NO_NODE;
  #runStart = 0;
  #list = new PageList();

  constructor(
    space: AddressSpace,
    arrays: MoveArrays,
    { memsAllowed, movesShared }: { memsAllowed: Nodemask; movesShared: boolean },
  ) {
    this.#space = space;
    this.#arrays = arrays;
    this.#memsAllowed = memsAllowed;
    this.#movesShared = movesShared;
  }

  /** 0, pages not moved, or a negative errno. */
  run(): number {
    const { count } = this.#arrays;
    for (let index = 0; index < count; index += 1) {
      const { stop, errno } = this.#take(index);
      if (errno !== undefined) {
        this.#flush(index);
        return errno;
      }
      if (stop !== undefined) return stop;
    }
    return this.#flush(count);
  }

  /** One entry. `errno` ends the call after the pending run, `stop` ends it at once. */
  #take(index: number): { stop?: number; errno?: number } {
    const { address, node: nodeAt, store } = this.#arrays;
    const at = address(index);
    const node = nodeAt(index);
    if (at === undefined || node === undefined) return { errno: -ERRNO.EFAULT };
    if (!hasNode(this.#space.memory.physical.memoryNodes, node)) return { errno: -ERRNO.ENODEV };
    if (!hasNode(this.#memsAllowed, node)) return { errno: -ERRNO.EACCES };
    const changed = this.#changeNode(node, index);
    if (changed !== 0) return { stop: changed };
    const page = pageOf(at, this.#space.memory.pageSizeBytes);
    const request = { node, movesShared: this.#movesShared, list: this.#list };
    const queued = queuePage(this.#space, page, request);
    if (queued === 'queued') return {};
    const status = queued === 'there' ? node : -queued.errno;
    if (!store(index, status)) return { errno: -ERRNO.EFAULT };
    const flushed = this.#flush(index);
    this.#node = NO_NODE;
    // The entry itself has its status: it is not among those left over.
    if (flushed !== 0) return { stop: flushed > 0 ? flushed - 1 : flushed };
    return {};
  }

  #changeNode(node: number, index: number): number {
    if (this.#node === node) return 0;
    const flushed = this.#node === NO_NODE ? 0 : this.#flush(index);
    this.#node = node;
    this.#runStart = index;
    return flushed;
  }

  /** Moves the pending run, whose last entry is before `index`. */
  #flush(index: number): number {
    const list = this.#list;
    if (list.isEmpty) return 0;
    this.#list = new PageList();
    const { memory } = this.#space;
    const { failedCount, isOutOfMemory } = migratePageList(memory, list, exactly(this.#node));
    if (isOutOfMemory) return -ERRNO.ENOMEM;
    if (failedCount > 0) return failedCount + this.#arrays.count - index;
    for (let at = this.#runStart; at < index; at += 1) {
      if (!this.#arrays.store(at, this.#node)) return -ERRNO.EFAULT;
    }
    return 0;
  }
}
