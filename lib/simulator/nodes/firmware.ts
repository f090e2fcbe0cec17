/**
 * What the firmware tells of the speed of memory, and what the kernel makes of it.
 *
 * Source: drivers/acpi/numa/hmat.c; mm/memory-tiers.c, mt_perf_to_adistance() and
 * node_is_toptier(). Nodes of one latency are one tier here, without the kernel's tolerance.
 */

import type { MachineDescription } from '../../core/machine-description.ts';

/** MB/s of each node that the firmware tells of. */
export function bandwidthsOf({ nodes }: MachineDescription): Map<number, number> {
  return new Map(
    nodes.flatMap(({ id, readBandwidthMBps }) =>
      readBandwidthMBps === undefined ? [] : [[id, readBandwidthMBps] as const],
    ),
  );
}

/** Whether the node's memory is as fast as that of the nodes with CPUs. */
export function isTopTier({ nodes }: MachineDescription, node: number): boolean {
  const latencies = nodes.flatMap(({ cpus, readLatencyNs }) =>
    cpus.length > 0 && readLatencyNs !== undefined ? [readLatencyNs] : [],
  );
  const { readLatencyNs = 0 } = nodes.find(({ id }) => id === node) ?? {};
  return latencies.length === 0 || readLatencyNs <= Math.max(...latencies);
}
