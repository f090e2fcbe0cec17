/**
 * A group of processes with nodes of its own: struct cpuset. What a change of its nodes does to
 * the processes is in syscalls/cpuset-files.ts.
 *
 * Source: kernel/cgroup/cpuset-internal.h, struct cpuset; kernel/cgroup/cpuset.c. Groups lie below
 * the root; groups within groups are left out.
 */

import { NO_NODES, type Nodemask } from '../nodes/nodemask.ts';
import type { Process } from './process.ts';

export interface CpusetRules {
  /** cgroup version: in version 1 a group has no nodes but those written. */
  readonly version: 1 | 2;
  /** Version 1: memory_migrate. Version 2 has pages follow, the root has not. */
  readonly migrates: boolean;
}

export class Cpuset {
  readonly version: 1 | 2;
  readonly migrates: boolean;
  /** null for the root itself. */
  readonly root: Cpuset | null;
  readonly processes: Set<Process> = new Set();
  /** As written: mems_allowed. */
  mems: Nodemask;
  /** The nodes from which pages follow: old_mems_allowed. */
  oldMems: Nodemask;

  constructor(root: Cpuset | null, mems: Nodemask, { version, migrates }: CpusetRules) {
    this.root = root;
    this.mems = mems;
    this.oldMems = mems;
    this.version = version;
    this.migrates = migrates;
  }

  /** What its processes may use: effective_mems; the root's where it has none of its own. */
  get effectiveMems(): Nodemask {
    return this.mems === NO_NODES && this.root !== null ? this.root.effectiveMems : this.mems;
  }

  /** Takes a process in, out of the group where it was. */
  take(process: Process): void {
    process.cpuset.processes.delete(process);
    this.processes.add(process);
    process.cpuset = this;
  }
}
