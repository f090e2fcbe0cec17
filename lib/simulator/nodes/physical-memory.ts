/**
 * The memory of the nodes: how much each has, how much is free, and where an allocation ends up: in
 * which order each node's CPUs look for memory when their own has none. Pages have no frame numbers
 * here: what matters of a page is its node, and of a node how many blocks as large as a huge page
 * are free in one piece.
 *
 * Source: mm/page_alloc.c, get_page_from_freelist(), build_zonelists() and find_next_best_node();
 * mm/compaction.c, compaction_suitable(). Deviation: which frames are free is not known. Pages
 * given back in a row as long as a block were one; a node has at least as many whole blocks as its
 * pages in use cannot break.
 */

import { MAX_NUMNODES } from '../../core/uapi.ts';
import { hasNode, maskOf, NO_NODE, type Nodemask } from './nodemask.ts';
import { BalancingEvents, NumaEvents, Promotions } from './numa-events.ts';

/** One node, sizes in base pages. */
export interface NodeSize {
  readonly id: number;
  readonly totalPages: number;
}

/** Free pages that ordinary allocations leave: a part of the node, as the kernel's watermarks. */
const WATERMARK_DIVISOR = 128;
/** Compaction wants the block's size twice, free above the watermark. Source: compact_gap(). */
const COMPACT_GAP_BLOCKS = 2;

/** Memory in one piece. */
export interface BlockRequest {
  /** Whether free pages may be moved together for it. */
  readonly compacts: boolean;
}

export class PhysicalMemory {
  /** Nodes with memory: N_MEMORY. */
  readonly memoryNodes: Nodemask;
  readonly counters: NumaEvents = new NumaEvents();
  readonly balancing: BalancingEvents = new BalancingEvents();
  readonly promotions: Promotions = new Promotions();
  readonly #total = new Map<number, number>();
  readonly #free = new Map<number, number>();
  readonly #zonelists: ReadonlyMap<number, readonly number[]>;
  /** Base pages of a block. */
  readonly #blockPages: number;
  /** Free blocks. */
  readonly #freeBlocks = new Map<number, number>();
  /** Blocks in use as such. */
  readonly #usedBlocks = new Map<number, number>();

  constructor(
    nodes: readonly NodeSize[],
    distance: (from: number, to: number) => number,
    blockPages = 512,
  ) {
    this.#blockPages = blockPages;
    for (const { id, totalPages } of nodes) {
      this.#total.set(id, totalPages);
      this.#free.set(id, totalPages);
      this.#freeBlocks.set(id, Math.floor(totalPages / blockPages));
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
    return Math.max(0, this.freePages(node) - this.keptPages(node));
  }

  /** Free pages that an allocation leaves to the node. */
  keptPages(node: number): number {
    return Math.ceil(this.totalPages(node) / WATERMARK_DIVISOR);
  }

  /** Whether each node has so many pages left. */
  hasEverywhere(pageCount: number): boolean {
    for (const [node, total] of this.#total) {
      if (total > 0 && this.availablePages(node) < pageCount) return false;
    }
    return true;
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

  /** The same for one block. */
  findBlock(start: number, allowed: Nodemask, { compacts }: BlockRequest): number {
    const nodes = this.zonelist(start).filter((node) => hasNode(allowed, node));
    const whole = nodes.find((node) => this.#hasBlock(node));
    if (whole !== undefined) return whole;
    const compacted = compacts ? nodes.find((node) => this.#canCompact(node)) : undefined;
    return compacted ?? NO_NODE;
  }

  #hasBlock(node: number): boolean {
    return this.availablePages(node) >= this.#blockPages && this.#blocksOf(node) > 0;
  }

  #canCompact(node: number): boolean {
    return this.availablePages(node) >= COMPACT_GAP_BLOCKS * this.#blockPages;
  }

  /** Free blocks: those known, or all that pages in use cannot have broken. */
  #blocksOf(node: number): number {
    const total = this.totalPages(node);
    const blocks = this.#usedBlocks.get(node) ?? 0;
    const usedPages = total - this.freePages(node) - blocks * this.#blockPages;
    const unbroken = Math.floor(total / this.#blockPages) - blocks - usedPages;
    return Math.max(this.#freeBlocks.get(node) ?? 0, unbroken);
  }

  /** Takes pages of one node, which must have them available. */
  take(node: number, pageCount: number): void {
    const free = this.freePages(node) - pageCount;
    const blocks = Math.min(this.#blocksOf(node), Math.floor(free / this.#blockPages));
    this.#free.set(node, free);
    this.#freeBlocks.set(node, Math.max(0, blocks));
  }

  giveBack(node: number, pageCount: number): void {
    const blocks = this.#blocksOf(node) + Math.floor(pageCount / this.#blockPages);
    const free = this.freePages(node) + pageCount;
    this.#free.set(node, free);
    this.#freeBlocks.set(node, Math.min(blocks, Math.floor(free / this.#blockPages)));
  }

  /** Takes a block of a node that has one, or can make one. */
  takeBlock(node: number): void {
    const blocks = this.#blocksOf(node);
    this.#free.set(node, this.freePages(node) - this.#blockPages);
    this.#freeBlocks.set(node, Math.max(0, blocks - 1));
    this.#usedBlocks.set(node, (this.#usedBlocks.get(node) ?? 0) + 1);
  }

  giveBackBlock(node: number): void {
    this.#usedBlocks.set(node, (this.#usedBlocks.get(node) ?? 0) - 1);
    this.giveBack(node, this.#blockPages);
  }

  /** From now on the block's pages are given back one by one. */
  breakBlock(node: number): void {
    this.#usedBlocks.set(node, (this.#usedBlocks.get(node) ?? 0) - 1);
  }
}

/** What the order depends on. */
interface NodeDistances {
  /** Online nodes, ascending. */
  readonly nodes: readonly number[];
  /** Those of them with memory, ascending. */
  readonly memoryNodes: readonly number[];
  distance(from: number, to: number): number;
}

/** For each online node, the nodes with memory, nearest first. */
function buildZonelists(machine: NodeDistances): Map<number, readonly number[]> {
  const load = new Map<number, number>();
  return new Map(machine.nodes.map((node) => [node, zonelistOf(node, machine, load)]));
}

/** `load` persists from node to node: equally near nodes take turns in being the first choice. */
function zonelistOf(
  local: number,
  { memoryNodes, distance }: NodeDistances,
  load: Map<number, number>,
): number[] {
  const order: number[] = [];
  let previous = local;
  while (order.length < memoryNodes.length) {
    const left = memoryNodes.filter((node) => !order.includes(node));
    const next = left.includes(local) ? local : nearest(local, left, { distance, load });
    if (distance(local, next) !== distance(local, previous)) {
      load.set(next, (load.get(next) ?? 0) + 1);
    }
    order.push(next);
    previous = next;
  }
  return order;
}

function nearest(
  local: number,
  candidates: readonly number[],
  { distance, load }: { distance: NodeDistances['distance']; load: ReadonlyMap<number, number> },
): number {
  const costOf = (node: number): number =>
    (distance(local, node) + (node < local ? 1 : 0)) * MAX_NUMNODES + (load.get(node) ?? 0);
  return candidates.reduce((best, node) => (costOf(node) < costOf(best) ? node : best));
}
