/**
 * A NUMA machine as data: the same JSON that the QEMU guest is made of.
 */

export interface MachineNode {
  readonly id: number;
  readonly memoryMiB: number;
  /** Empty for a node with memory only. */
  readonly cpus: readonly number[];
  /** The node whose CPUs reach this memory best; its own if it has CPUs. */
  readonly initiator?: number;
  /** From the initiator. */
  readonly readLatencyNs?: number;
  /** From the initiator. */
  readonly readBandwidthMBps?: number;
}

export interface MachineDescription {
  readonly name: string;
  readonly description: string;
  /** Ascending by id. */
  readonly nodes: readonly MachineNode[];
  /** Rows and columns in the order of `nodes`; 10 is local. */
  readonly distances: readonly (readonly number[])[];
}
