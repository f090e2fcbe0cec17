/**
 * What each node counts of the pages that it gives out, and of those promoted to it; what automatic
 * balancing counts over all nodes.
 *
 * Source: Documentation/admin-guide/numastat.rst; mm/page_alloc.c, zone_statistics();
 * include/linux/vm_event_item.h, NUMA_*; include/linux/mmzone.h, PGPROMOTE_* and the nbp_* fields
 * of struct pglist_data.
 */

import type { NodeAllocations } from '../../procfs/node-files.ts';

export type NodeCounts = { -readonly [K in keyof NodeAllocations]: NodeAllocations[K] };

/** One allocation. */
export interface CountedPages {
  readonly wanted: number;
  readonly given: number;
  readonly pageCount: number;
  readonly cpuNode: number;
  /** The node was wanted because it was its turn. */
  readonly isInterleaved: boolean;
}

export class NumaEvents {
  readonly #counts = new Map<number, NodeCounts>();

  of(node: number): NodeCounts {
    const counts = this.#counts.get(node) ?? {
      numaHit: 0,
      numaMiss: 0,
      numaForeign: 0,
      interleaveHit: 0,
      localNode: 0,
      otherNode: 0,
    };
    this.#counts.set(node, counts);
    return counts;
  }

  count({ wanted, given, pageCount, cpuNode, isInterleaved }: CountedPages): void {
    const counts = this.of(given);
    if (wanted === given) {
      counts.numaHit += pageCount;
      if (isInterleaved) counts.interleaveHit += pageCount;
    } else {
      counts.numaMiss += pageCount;
      this.of(wanted).numaForeign += pageCount;
    }
    if (cpuNode === given) counts.localNode += pageCount;
    else counts.otherNode += pageCount;
  }
}

/** Defaults of numa_balancing_promote_rate_limit_MBps and of hot_threshold_ms in debugfs. */
const PROMOTE_RATE_LIMIT_MBPS = 64 * 1024;
const HOT_THRESHOLD_MS = 1000;

/** In base pages, but for faults and huge pages. */
export class BalancingEvents {
  numaPteUpdates = 0;
  numaHugePteUpdates = 0;
  numaHintFaults = 0;
  numaHintFaultsLocal = 0;
  numaPagesMigrated = 0;
  pgpromoteSuccess = 0;
  /** Promoted without a look at heat or rate, because there was plenty of room. */
  pgpromoteCandidateNrl = 0;
}

/** Of one node, as the target of promotions. */
export class NodePromotions {
  /** Base pages that were hot enough. */
  candidates = 0;
  /** When the second began whose candidates are limited, and how many there had been. */
  limitStartMs = 0;
  limitCandidates = 0;
  /** How soon after its mark a hot page is touched; 0: as the setting says. */
  thresholdMs = 0;
  thresholdStartMs = 0;
  thresholdCandidates = 0;
}

export class Promotions {
  rateLimitMBps: number = PROMOTE_RATE_LIMIT_MBPS;
  hotThresholdMs: number = HOT_THRESHOLD_MS;
  readonly #nodes = new Map<number, NodePromotions>();

  to(node: number): NodePromotions {
    const promotions = this.#nodes.get(node) ?? new NodePromotions();
    this.#nodes.set(node, promotions);
    return promotions;
  }

  /** Of all nodes. */
  get candidates(): number {
    return [...this.#nodes.values()].reduce((sum, { candidates }) => sum + candidates, 0);
  }

  /** Tiering begins anew. Source: kernel/sched/core.c, reset_memory_tiering(). */
  reset(nowMs: number, nodes: Iterable<number>): void {
    for (const node of nodes) {
      const promotions = this.to(node);
      promotions.thresholdMs = 0;
      promotions.thresholdStartMs = nowMs;
      promotions.thresholdCandidates = promotions.candidates;
    }
  }
}
