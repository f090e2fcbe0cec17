/**
 * The pool of huge pages that a machine's administrator sets aside on each node: counts, and who
 * has been promised pages.
 *
 * Source: mm/hugetlb.c, struct hstate, set_max_huge_pages(), free_huge_folio() and
 * move_hugetlb_state().
 */

import { hasNode, maskOf, type Nodemask } from '../nodes/nodemask.ts';
import type { PhysicalMemory } from '../nodes/physical-memory.ts';

interface NodePool {
  /** Pages of the pool, in use or not. */
  total: number;
  free: number;
  /** Pages in use beyond the size that was set: they go as soon as nobody has them. */
  surplus: number;
}

export class HugetlbPool {
  readonly #physical: PhysicalMemory;
  readonly #nodes = new Map<number, NodePool>();
  /** Free pages that mappings have been promised. */
  #reserved = 0;

  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
  }

  #pool(node: number): NodePool {
    const pool = this.#nodes.get(node) ?? { total: 0, free: 0, surplus: 0 };
    this.#nodes.set(node, pool);
    return pool;
  }

  freePages(node: number): number {
    return this.#pool(node).free;
  }

  /** Pages of a node's pool with the surplus: nr_hugepages as it is read. */
  totalPages(node: number): number {
    return this.#pool(node).total;
  }

  surplusPages(node: number): number {
    return this.#pool(node).surplus;
  }

  /** Promised on all nodes. */
  get reservedPages(): number {
    return this.#reserved;
  }

  #freeEverywhere(): number {
    return [...this.#nodes.values()].reduce((sum, { free }) => sum + free, 0);
  }

  /** Pages of a node's pool that stay: nr_hugepages without the surplus. */
  size(node: number): number {
    const { total, surplus } = this.#pool(node);
    return total - surplus;
  }

  /** As far as memory reaches. Pages in use beyond the new size become surplus. */
  resize(node: number, size: number): void {
    const pool = this.#pool(node);
    const mask = maskOf([node]);
    while (pool.surplus > 0 && this.size(node) < size) pool.surplus -= 1;
    while (this.size(node) < size) {
      if (this.#physical.findBlock(node, mask, { compacts: true }) !== node) return;
      this.#physical.takeBlock(node);
      pool.total += 1;
      pool.free += 1;
    }
    while (this.size(node) > size && pool.free > 0 && this.#hasUnreserved()) {
      pool.free -= 1;
      pool.total -= 1;
      this.#physical.giveBackBlock(node);
    }
    pool.surplus += this.size(node) - size;
  }

  #hasUnreserved(): boolean {
    return this.#freeEverywhere() > this.#reserved;
  }

  /** Promises free pages to a mapping; false where there are too few, at all or on these nodes. */
  reserve(pageCount: number, nodes: readonly number[]): boolean {
    if (this.#freeEverywhere() - this.#reserved < pageCount) return false;
    const allowed = nodes.reduce((sum, node) => sum + this.freePages(node), 0);
    if (allowed < pageCount) return false;
    this.#reserved += pageCount;
    return true;
  }

  unreserve(pageCount: number): void {
    this.#reserved -= pageCount;
  }

  /** The first of the nodes that has a free page: for whom one is reserved, or where one is not. */
  find(
    nodes: readonly number[],
    allowed: Nodemask,
    { isReserved }: { isReserved: boolean },
  ): number | undefined {
    if (!isReserved && !this.#hasUnreserved()) return undefined;
    return nodes.find((node) => hasNode(allowed, node) && this.freePages(node) > 0);
  }

  /** Takes a free page; a reserved one is no longer promised. */
  take(node: number, { isReserved }: { isReserved: boolean }): void {
    this.#pool(node).free -= 1;
    if (isReserved) this.#reserved -= 1;
  }

  /** A page that nobody has any more: free again, or gone if it was surplus. */
  giveBack(node: number): void {
    const pool = this.#pool(node);
    if (pool.surplus === 0) {
      pool.free += 1;
      return;
    }
    pool.surplus -= 1;
    pool.total -= 1;
    this.#physical.giveBackBlock(node);
  }

  /**
   * Memory outside of the pool takes the place of one of its pages on another node: the old page
   * leaves the pool, and with it goes the mark of a surplus.
   */
  replace(from: number, to: number): void {
    const old = this.#pool(from);
    const made = this.#pool(to);
    this.#physical.takeBlock(to);
    this.#physical.giveBackBlock(from);
    old.total -= 1;
    made.total += 1;
    if (old.surplus === 0) return;
    old.surplus -= 1;
    made.surplus += 1;
  }
}
