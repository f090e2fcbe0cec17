/**
 * A simulated machine: the whole state, and nothing outside it. The same calls in the same order
 * give the same answers: time is logical, and nothing is random but by the machine's seed.
 */

import { FolioTable } from './memory/folio.ts';
import type { Memory } from './memory/memory.ts';
import { MemoryObject, type ObjectType } from './memory/memory-object.ts';
import { KERNEL_PROFILES, type KernelLine, type KernelProfile } from './nodes/kernel-profile.ts';
import type { MachineDescription } from './nodes/machine-description.ts';
import { maskOf, type Nodemask, nodesIn } from './nodes/nodemask.ts';
import { PhysicalMemory } from './nodes/physical-memory.ts';
import { Cpus } from './tasks/cpus.ts';
import { type Credentials, ROOT_CREDENTIALS } from './tasks/credentials.ts';
import { Process } from './tasks/process.ts';
import type { Thread } from './tasks/thread.ts';

export interface MachineOptions {
  /** Which kernel's answers; default the newest. */
  readonly kernel?: KernelLine;
  /** 4096, 16384 or 65536; default 4096. */
  readonly pageSizeBytes?: number;
}

const MIB_BYTES = 2 ** 20;
const PAGE_TABLE_ENTRY_BYTES = 8;
const FIRST_PID = 100;
const FIRST_INODE = 1;

export class Machine {
  readonly description: MachineDescription;
  readonly memory: Memory;
  readonly cpus: Cpus;
  /** Interleave weights that were set, by node. */
  readonly weights: Map<number, number> = new Map();
  readonly #processes = new Map<number, Process>();
  #lastPid = FIRST_PID - 1;
  #lastInode = FIRST_INODE - 1;

  constructor(description: MachineDescription, options: MachineOptions = {}) {
    const { kernel = '7.2', pageSizeBytes = 4096 } = options;
    const profile = KERNEL_PROFILES[kernel];
    this.description = description;
    this.cpus = new Cpus(description.nodes);
    const nodes = description.nodes.map(({ id, memoryMiB }) => ({
      id,
      totalPages: (memoryMiB * MIB_BYTES) / pageSizeBytes,
    }));
    const physical = new PhysicalMemory(nodes, (from, to) => this.distance(from, to));
    this.memory = {
      physical,
      folios: new FolioTable(),
      profile,
      interleave: { weights: this.weights, indexBits: profile.interleaveIndexBits },
      pageSizeBytes,
      tablePages: pageSizeBytes / PAGE_TABLE_ENTRY_BYTES,
      zeroPageNode: nodesIn(physical.memoryNodes)[0] as number,
      hugePages: 'never',
    };
  }

  get profile(): KernelProfile {
    return this.memory.profile;
  }

  /** One more than the highest possible node: nr_node_ids. */
  get possibleNodeCount(): number {
    return Math.max(...this.description.nodes.map(({ id }) => id)) + 1;
  }

  /** SLIT distance between two nodes of the machine. */
  distance(from: number, to: number): number {
    const indexOf = (node: number): number =>
      this.description.nodes.findIndex(({ id }) => id === node);
    return this.description.distances[indexOf(from)]?.[indexOf(to)] ?? 0;
  }

  /** A new process with one thread: root's, unless `credentials` say otherwise. */
  process(credentials: Credentials = ROOT_CREDENTIALS): Process {
    const process = this.#newProcess(credentials, this.#rootMems());
    process.startThread(process.pid);
    return process;
  }

  #rootMems(): Nodemask {
    return maskOf(nodesIn(this.memory.physical.memoryNodes));
  }

  #newProcess(credentials: Credentials, memsAllowed: Nodemask): Process {
    this.#lastPid += 1;
    const { memory, cpus } = this;
    const process = new Process({ pid: this.#lastPid, memory, cpus, credentials, memsAllowed });
    this.#processes.set(process.pid, process);
    return process;
  }

  /** A child of the thread's process; undefined where memory for its copies is missing. */
  fork(thread: Thread): Process | undefined {
    const parent = thread.process;
    const child = this.#newProcess(parent.credentials, parent.memsAllowed);
    child.startThread(child.pid, thread);
    if (parent.copyInto(child, thread)) return child;
    this.exit(child);
    return undefined;
  }

  /** Ends a process. Idempotent. */
  exit(process: Process): void {
    process.exit();
    this.#processes.delete(process.pid);
  }

  /** A running process. */
  findProcess(pid: number): Process | undefined {
    return this.#processes.get(pid);
  }

  get processes(): Iterable<Process> {
    return this.#processes.values();
  }

  /** An object without pages and users. */
  createObject(type: ObjectType, sizePages: number, path: string | null = null): MemoryObject {
    this.#lastInode += 1;
    return new MemoryObject({ type, inode: this.#lastInode, sizePages, path });
  }
}
