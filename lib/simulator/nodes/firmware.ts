/**
 * What the firmware tells of the machine, and what the kernel makes of it: which CPUs are on which
 * node, and how fast memory is.
 *
 * Source: drivers/acpi/numa/srat.c and hmat.c; mm/memory-tiers.c, mt_perf_to_adistance() and
 * node_is_toptier(). Nodes of one latency are one tier here, without the kernel's tolerance.
 */

import { assert } from '../../core/assert.ts';
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

/** The machine's CPUs and their nodes. */
export class Cpus {
  /** Ascending. */
  readonly all: readonly number[];
  readonly #nodes: ReadonlyMap<number, number>;

  constructor(nodes: readonly { readonly id: number; readonly cpus: readonly number[] }[]) {
    this.#nodes = new Map(nodes.flatMap(({ id, cpus }) => cpus.map((cpu) => [cpu, id] as const)));
    this.all = [...this.#nodes.keys()].sort((a, b) => a - b);
  }

  has(cpu: number): boolean {
    return this.#nodes.has(cpu);
  }

  nodeOf(cpu: number): number {
    const node = this.#nodes.get(cpu);
    assert(node !== undefined, `CPU ${cpu} is one of the machine's`);
    return node;
  }
}
