/**
 * What each node counts of the pages that it gives out.
 *
 * Source: Documentation/admin-guide/numastat.rst; mm/page_alloc.c, zone_statistics().
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
