/**
 * How fast memory is for the CPUs of a node: what the firmware's table (HMAT) tells of the nodes
 * that reach it best, and for the others what follows from it by distance.
 *
 * Source: Documentation/admin-guide/mm/numaperf.rst: the kernel shows the best initiators only.
 */

import type { MemoryAccess, MemorySpeed } from '../backend/topology-snapshot.ts';
import type { NodeId } from '../core/node-mask.ts';

/** How fast one node's memory is for the CPUs of another. Plain data. */
export interface MemoryPerformance extends MemorySpeed {
  /** Not told, but worked out: what the best node has, worse in proportion to the distances. */
  readonly isEstimated: boolean;
}

/** What orders nodes as seen from one of them. */
export type NearnessMeasure = 'distance' | 'latency' | 'bandwidth';

export const NEARNESS_MEASURES: readonly NearnessMeasure[] = ['distance', 'latency', 'bandwidth'];

/** What is known of a pair of nodes. */
interface Pair {
  readonly access: readonly MemoryAccess[];
  readonly from: NodeId;
  readonly hasCpus: boolean;
  /** From a node to the one with the memory. */
  readonly distanceFrom: (node: NodeId) => number | null;
}

/** `null` where nothing is told of the memory, nobody could see it, or distances are unknown. */
export function performanceOf({
  access,
  from,
  hasCpus,
  distanceFrom,
}: Pair): MemoryPerformance | null {
  const told = access.find(({ initiators }) => initiators.includes(from));
  if (told !== undefined) return performance(told, 1, false);
  const best = access.at(-1);
  const distance = distanceFrom(from);
  if (best === undefined || !hasCpus || distance === null) return null;
  const nearest = best.initiators.map(distanceFrom);
  if (nearest.length === 0 || nearest.includes(null)) return null;
  return performance(best, distance / Math.min(...(nearest as number[])), true);
}

function performance(speed: MemorySpeed, factor: number, isEstimated: boolean): MemoryPerformance {
  const times = (value: number | null, by: number): number | null =>
    value === null ? null : Math.round(value * by);
  return {
    readLatencyNs: times(speed.readLatencyNs, factor),
    writeLatencyNs: times(speed.writeLatencyNs, factor),
    readBandwidthMBps: times(speed.readBandwidthMBps, 1 / factor),
    writeBandwidthMBps: times(speed.writeBandwidthMBps, 1 / factor),
    isEstimated,
  };
}
