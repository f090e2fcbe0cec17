/**
 * Time that counted work takes under a profile, in nanoseconds:
 *
 *   migration = calls x callNs + addresses x lookupNs + walkedEntries x walkNs
 *             + folios x (targetNs + folioNs) + entries x entryNs
 *             + shootdowns x shootdownNs + interrupts x interruptNs + bytes / bandwidth
 *   access    = localAccessNs x distance / 10
 *
 * Deviation: there are no caches, and nobody waits for anybody: neither for a lock nor for a link.
 */

import { LOCAL_DISTANCE } from '../../core/uapi.ts';
import type { CostProfile, MigrationKind, MigrationWork } from '../interface/costs.ts';
import { NodePairs } from './node-pairs.ts';

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
