/**
 * What migrations have done, as counts, which no machine changes, and the time that counted work
 * takes under a profile, in nanoseconds:
 *
 *   migration = calls x callNs + addresses x lookupNs + walkedEntries x walkNs
 *             + folios x (targetNs + folioNs) + entries x entryNs
 *             + shootdowns x shootdownNs + interrupts x interruptNs + bytes / bandwidth
 *   access    = localAccessNs x distance / 10
 *
 * Source: mm/migrate.c, migrate_pages_batch(); mm/mempolicy.c, queue_pages_range(). Deviation:
 * there are no caches, and nobody waits for anybody: neither for a lock nor for a link.
 */

import { LOCAL_DISTANCE, MAX_NUMNODES } from '../../core/uapi.ts';
import type { CostProfile, MigrationKind, MigrationWork } from '../interface/costs.ts';

const BYTES_PER_NS_OF_MBPS = 1e-3;

/** What the machine adds to a profile. */
export interface CostMachine {
  /** SLIT distance between two nodes. */
  distance(from: number, to: number): number;
  /** MB/s of the nodes' memory, as far as the firmware tells. */
  readonly bandwidths: ReadonlyMap<number, number>;
  /** Threads that copy huge pages and batches together. Linux has one. */
  readonly copyThreads: number;
}

export class CostModel {
  readonly profile: CostProfile;
  readonly #machine: CostMachine;
  /** By how much each pair's link is slower, less 1. */
  readonly #slowness = new NodePairs();

  constructor(profile: CostProfile, machine: CostMachine) {
    this.profile = profile;
    this.#machine = machine;
  }

  /** Has both directions of a link take `factor` times as long; 1 repairs it. */
  slowLink(nodeA: number, nodeB: number, factor: number): void {
    for (const [from, to] of [
      [nodeA, nodeB],
      [nodeB, nodeA],
    ] as const) {
      this.#slowness.add(from, to, factor - this.#factor(from, to));
    }
  }

  #factor(from: number, to: number): number {
    return 1 + this.#slowness.get(from, to);
  }

  /** Of one access to a cache line. */
  accessNs(cpuNode: number, memoryNode: number): number {
    const distance = this.#machine.distance(cpuNode, memoryNode) / LOCAL_DISTANCE;
    return this.profile.localAccessNs * distance * this.#factor(cpuNode, memoryNode);
  }

  /** Of copying between nodes: the slowest of copier, link and either node's memory. */
  copyNs(from: number, to: number, bytes: number): number {
    const { copyBytesPerNs, copyBytesPerNsMax, linkBytesPerNs } = this.profile;
    const { bandwidths, copyThreads } = this.#machine;
    const ofMemory = [from, to].map(
      (node) => (bandwidths.get(node) ?? Number.POSITIVE_INFINITY) * BYTES_PER_NS_OF_MBPS,
    );
    const bytesPerNs = Math.min(
      Math.min(copyThreads * copyBytesPerNs, copyBytesPerNsMax),
      linkBytesPerNs / this.#factor(from, to),
      ...ofMemory,
    );
    return bytes / bytesPerNs;
  }

  /** Of all but copying. */
  bookkeepingNs(kind: MigrationKind, work: MigrationWork): number {
    const { calls, folioNs, entryNs, shootdownNs, interruptNs } = this.profile;
    const { callNs, lookupNs, walkNs, targetNs } = calls[kind];
    return (
      work.calls * callNs +
      work.addresses * lookupNs +
      work.walkedEntries * walkNs +
      work.folios * (targetNs + folioNs) +
      work.entries * entryNs +
      work.shootdowns * shootdownNs +
      work.interrupts * interruptNs
    );
  }
}

/** All kinds, in the order in which they are told. */
export const MIGRATION_KINDS: readonly MigrationKind[] = [
  'move_pages',
  'mbind',
  'migrate_pages',
  'query',
  'kernel',
];

/** The work of migrations while it is counted. */
export class MigrationCounts implements MigrationWork {
  calls = 0;
  addresses = 0;
  walkedEntries = 0;
  folios = 0;
  entries = 0;
  flushes = 0;
  shootdowns = 0;
  interrupts = 0;
  /** Bytes by the node that they left and the one that they reached. */
  readonly copied: NodePairs = new NodePairs();

  get bytes(): number {
    return this.copied.total;
  }

  snapshot(): MigrationWork {
    const { copied, ...counts } = this;
    return { ...counts, bytes: copied.total };
  }
}

const STRIDE = MAX_NUMNODES;

export class NodePairs {
  readonly #values = new Map<number, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(from: number, to: number, value: number): void {
    const key = from * STRIDE + to;
    this.#values.set(key, (this.#values.get(key) ?? 0) + value);
    this.#total += value;
  }

  get(from: number, to: number): number {
    return this.#values.get(from * STRIDE + to) ?? 0;
  }

  /** `[from, to, value]` in ascending order. */
  entries(): [from: number, to: number, value: number][] {
    return [...this.#values]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => [Math.floor(key / STRIDE), key % STRIDE, value]);
  }
}
