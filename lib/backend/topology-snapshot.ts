/**
 * The nodes of a machine as a backend reports them: plain data, taken at one moment.
 */

/** Memory of one node. */
export interface NodeMemory {
  readonly memoryBytes: number;
  readonly freeBytes: number;
}

export interface NodeSnapshot extends NodeMemory {
  readonly id: number;
  /** Ascending; empty for a node without CPUs. */
  readonly cpus: readonly number[];
  /** Memory tier of the kernel (`memory_tierN`), lower is faster; absent where unknown. */
  readonly tier?: number;
}

export interface TopologySnapshot {
  /** The online nodes, ascending by id; ids may have gaps. */
  readonly nodes: readonly NodeSnapshot[];
  /** `distances[i][j]`: SLIT distance from `nodes[i]` to `nodes[j]`; 10 is local, 0 unknown. */
  readonly distances: readonly (readonly number[])[];
  /** Nodes that the calling thread may allocate on (its cpuset's memory nodes), ascending. */
  readonly allowedNodes: readonly number[];
}
