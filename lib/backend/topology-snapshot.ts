/**
 * The nodes of a machine as a backend reports them: plain data, taken at one moment. What the
 * machine does not tell is `null`, which is neither zero nor none.
 */

/** Memory of one node. */
export interface NodeMemory {
  /** `null` where unknown. */
  readonly memoryBytes: number | null;
  /** `null` where unknown. */
  readonly freeBytes: number | null;
}

/** How fast a node's memory is for the nodes that reach it best; `null` where the firmware is
 *  silent. */
export interface MemorySpeed {
  readonly readLatencyNs: number | null;
  readonly writeLatencyNs: number | null;
  /** A million bytes a second. */
  readonly readBandwidthMBps: number | null;
  readonly writeBandwidthMBps: number | null;
}

export interface MemoryAccess extends MemorySpeed {
  /** The nodes that this is so for, ascending. */
  readonly initiators: readonly number[];
}

/** The CPUs of one physical package (socket). */
export interface CpuPackage {
  /** The kernel's number of it. */
  readonly id: number;
  /** Ascending. */
  readonly cpus: readonly number[];
}

/** The outermost cache of some CPUs, which share it. */
export interface LastLevelCache {
  readonly level: number;
  readonly sizeBytes: number | null;
  /** Ascending. */
  readonly cpus: readonly number[];
}

/** Number of a device, as /sys/dev/block has it. */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export interface NodeSnapshot extends NodeMemory {
  readonly id: number;
  /** Ascending; empty for a node without CPUs, `null` where unknown. */
  readonly cpus: readonly number[] | null;
  /** Memory tier of the kernel (`memory_tierN`), lower is faster; absent where unknown. */
  readonly tier?: number;
  /** From the best of all initiators, then from the best nodes with CPUs where these are others;
   *  absent where unknown. Source: `access0` and `access1` of a node in sysfs. */
  readonly access?: readonly MemoryAccess[];
}

export interface TopologySnapshot {
  /** The online nodes, ascending by id; ids may have gaps. */
  readonly nodes: readonly NodeSnapshot[];
  /**
   * `distances[i][j]`: SLIT distance from `nodes[i]` to `nodes[j]`; 10 is local, `null` unknown. So
   * are 0, and a row of another length than `nodes`.
   */
  readonly distances: readonly (readonly (number | null)[])[];
  /** Nodes that the calling thread may allocate on (its cpuset's memory nodes), ascending; empty
   *  where unknown. */
  readonly allowedNodes: readonly number[];
  /** Nodes and CPUs that could ever be online, ascending; absent where the machine does not tell.
   *  Source: `possible` of /sys/devices/system/node and /sys/devices/system/cpu. */
  readonly possibleNodes?: readonly number[];
  readonly possibleCpus?: readonly number[];
  /** Of the online CPUs, by the lowest CPU; absent where the machine does not tell. */
  readonly packages?: readonly CpuPackage[];
  readonly lastLevelCaches?: readonly LastLevelCache[];
  /** Why these are not the machine's nodes as its kernel has them; absent where they are. */
  readonly incompleteReason?: string;
}

/** A machine that keeps nothing back. */
export interface KnownTopology extends TopologySnapshot {
  readonly nodes: readonly KnownNode[];
  readonly distances: readonly (readonly number[])[];
}

export interface KnownNode extends NodeSnapshot {
  readonly memoryBytes: number;
  readonly freeBytes: number;
  readonly cpus: readonly number[];
}
