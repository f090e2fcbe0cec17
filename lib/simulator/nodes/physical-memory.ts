/**
 * The memory of the nodes: how much each has, how much is free, and where an allocation ends up.
 * Pages have no frame numbers here: what matters of a page is its node.
 *
 * Source: mm/page_alloc.c, get_page_from_freelist().
 */

import { hasNode, maskOf, NO_NODE, type Nodemask } from './nodemask.ts';
import { buildZonelists } from './zonelist.ts';

/** One node, sizes in base pages. */
export interface NodePages {
  readonly id: number;
  readonly totalPages: number;
}

/** Free pages that ordinary allocations leave: a part of the node, as the kernel's watermarks. */
const WATERMARK_DIVISOR = 128;

export class PhysicalMemory {
  /** Nodes with memory: N_MEMORY. */
  readonly memoryNodes: Nodemask;
  readonly #total = new Map<number, number>();
  readonly #free = new Map<number, number>();
  readonly #zonelists: ReadonlyMap<number, readonly number[]>;

  constructor(nodes: readonly NodePages[], distance: (from: number, to: number) => number) {
    for (const { id, totalPages } of nodes) {
      this.#total.set(id, totalPages);
      this.#free.set(id, totalPages);
    }
    const memoryNodes = nodes.filter(({ totalPages }) => totalPages > 0).map(({ id }) => id);
    this.memoryNodes = maskOf(memoryNodes);
    this.#zonelists = buildZonelists({ nodes: nodes.map(({ id }) => id), memoryNodes, distance });
  }

  isOnline(node: number): boolean {
    return this.#total.has(node);
  }

  totalPages(node: number): number {
    return this.#total.get(node) ?? 0;
  }

  freePages(node: number): number {
    return this.#free.get(node) ?? 0;
  }

  /** Nodes with memory in the order in which `node`'s CPUs try them. */
  zonelist(node: number): readonly number[] {
    return this.#zonelists.get(node) ?? [];
  }

  /** Base pages that an allocation may still take from this node alone. */
  availablePages(node: number): number {
    const watermark = Math.ceil(this.totalPages(node) / WATERMARK_DIVISOR);
    return Math.max(0, this.freePages(node) - watermark);
  }

  /**
   * The first node of `start`'s zonelist that is allowed and has that many pages; NO_NODE where
   * none has. Takes nothing.
   */
  find(start: number, allowed: Nodemask, pageCount = 1): number {
    for (const node of this.zonelist(start)) {
      if (hasNode(allowed, node) && this.availablePages(node) >= pageCount) return node;
    }
    return NO_NODE;
  }

  /** Takes pages of one node, which must have them available. */
  take(node: number, pageCount: number): void {
    this.#free.set(node, this.freePages(node) - pageCount);
  }

  giveBack(node: number, pageCount: number): void {
    this.#free.set(node, this.freePages(node) + pageCount);
  }
}
