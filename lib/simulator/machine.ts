/**
 * A simulated machine: the whole state, and nothing outside it. The same calls in the same order
 * give the same answers: time is logical, and nothing is random but by the machine's seed.
 */

import { type KernelFacts, kernelFacts } from '../core/kernel-facts.ts';
import { type KernelLine, newestKernelLine } from '../core/kernels.ts';
import type { MachineDescription } from '../core/machine-description.ts';
import { PAGE_TABLE_ENTRY_BYTES } from '../core/uapi.ts';
import { MIB_BYTES, USUAL_PAGE_SIZE_BYTES } from '../core/units.ts';
import type { HostFiles } from '../machine/host-files.ts';
import { FolioTable } from './memory/folio.ts';
import { HugetlbPool } from './memory/hugetlb-pool.ts';
import { InFlight } from './memory/in-flight.ts';
import type { ObjectType } from './memory/kinds.ts';
import type { Memory } from './memory/memory.ts';
import { MemoryObject } from './memory/memory-object.ts';
import { bandwidthsOf, Cpus, isTopTier } from './nodes/firmware.ts';
import { nodesIn } from './nodes/nodemask.ts';
import { PhysicalMemory } from './nodes/physical-memory.ts';
import { InterleaveWeights } from './policy/interleave.ts';
import { Cpuset } from './tasks/cpuset.ts';
import { type Credentials, ROOT_CREDENTIALS } from './tasks/credentials.ts';
import { type NewProcess, Process } from './tasks/process.ts';
import { loadProgram, makeKernelPages } from './tasks/program.ts';
import type { Thread } from './tasks/thread.ts';

export interface KernelOptions {
  /** Which kernel's answers; default the newest. */
  readonly kernel?: KernelLine;
  /** 4096, 16384 or 65536; default 4096. */
  readonly pageSizeBytes?: number;
}

/** kthreadd, the parent of the kernel's threads. */
export const KERNEL_THREAD_PID = 2;
const FIRST_PID = 100;
const FIRST_INODE = 1;

const NEW_PROCESS = { credentials: ROOT_CREDENTIALS, parent: null } as const;

export class MachineState {
  /** As uname(2) gives it. */
  readonly release: string;
  readonly description: MachineDescription;
  readonly memory: Memory;
  readonly cpus: Cpus;
  readonly weights: InterleaveWeights;
  /** The group of all processes that are in no other. */
  readonly rootCpuset: Cpuset;
  /** Calls that a filter refuses (seccomp), by name, each with its errno. */
  readonly deniedCalls: Map<string, number> = new Map();
  /** System V segments by id. */
  readonly segments: Map<number, MemoryObject> = new Map();
  /** Places in the description, by node. */
  readonly #indexOf: ReadonlyMap<number, number>;
  readonly #processes = new Map<number, Process>();
  /** By the numbers of their further threads, those that have ended meanwhile too. */
  readonly #processesByTid = new Map<number, Process>();
  #lastPid = KERNEL_THREAD_PID - 1;
  #lastInode = FIRST_INODE - 1;

  constructor(description: MachineDescription, options: KernelOptions = {}) {
    const { kernel = newestKernelLine, pageSizeBytes = USUAL_PAGE_SIZE_BYTES } = options;
    this.release = `${kernel}.0`;
    const facts = kernelFacts(this.release);
    this.description = description;
    this.#indexOf = new Map(description.nodes.map(({ id }, index) => [id, index]));
    this.cpus = new Cpus(description.nodes);
    const nodes = description.nodes.map(({ id, memoryMiB }) => ({
      id,
      totalPages: (memoryMiB * MIB_BYTES) / pageSizeBytes,
    }));
    const tablePages = pageSizeBytes / PAGE_TABLE_ENTRY_BYTES;
    const distance = (from: number, to: number): number => this.distance(from, to);
    const physical = new PhysicalMemory(nodes, distance, tablePages);
    const memoryNodes = nodesIn(physical.memoryNodes);
    this.weights = new InterleaveWeights(memoryNodes, {
      bandwidths: bandwidthsOf(description),
      isAutomatic: facts.automaticWeightsFile !== null,
    });
    this.memory = {
      physical,
      folios: new FolioTable(),
      pool: new HugetlbPool(physical),
      mms: new Set(),
      kernelPages: null,
      facts,
      interleave: { weights: this.weights.table, indexBits: facts.interleaveIndexBits },
      pageSizeBytes,
      tablePages,
      zeroPageNode: memoryNodes[0] as number,
      hugePages: 'never',
      balancing: 'off',
      clock: { nowMs: 0 },
      migrated: { moved: 0, failed: 0 },
      inFlight: new InFlight(),
      costs: null,
      isTopTier: (node) => !facts.hasSlowTiers || isTopTier(description, node),
    };
    makeKernelPages(this.memory);
    const pagesStay = { version: 2, migrates: false } as const;
    this.rootCpuset = new Cpuset(null, physical.memoryNodes, pagesStay);
    this.#newProcess({ ...NEW_PROCESS, isKernelThread: true });
    this.#lastPid = FIRST_PID - 1;
  }

  /** What can be mapped of the host's; null: nothing. */
  files: HostFiles | null = null;
  /** By their names. */
  readonly openFiles: Map<string, MemoryObject> = new Map();

  get facts(): KernelFacts {
    return this.memory.facts;
  }

  /** One more than the highest possible node: nr_node_ids. */
  get possibleNodeCount(): number {
    return Math.max(...this.description.nodes.map(({ id }) => id)) + 1;
  }

  /** SLIT distance between two nodes of the machine. */
  distance(from: number, to: number): number {
    const row = this.description.distances[this.#indexOf.get(from) ?? -1];
    return row?.[this.#indexOf.get(to) ?? -1] ?? 0;
  }

  /** A new process with one thread: root's, unless `credentials` say otherwise. */
  process(credentials: Credentials = ROOT_CREDENTIALS): Process {
    const process = this.#newProcess({ ...NEW_PROCESS, credentials });
    loadProgram(process.startThread(process.pid));
    return process;
  }

  #newProcess(options: Pick<NewProcess, 'credentials' | 'parent' | 'isKernelThread'>): Process {
    this.#lastPid += 1;
    const { memory, cpus } = this;
    const cpuset = options.parent?.cpuset ?? this.rootCpuset;
    const process = new Process({ ...options, pid: this.#lastPid, memory, cpus, cpuset });
    this.#processes.set(process.pid, process);
    return process;
  }

  /** A child of the thread's process; undefined where memory for its copies is missing. */
  fork(thread: Thread): Process | undefined {
    const parent = thread.process;
    const child = this.#newProcess({ credentials: parent.credentials, parent });
    child.startThread(child.pid, thread);
    if (parent.copyInto(child, thread)) return child;
    this.exit(child);
    return undefined;
  }

  /** A further thread of the thread's process, with its policy and its CPUs. */
  startThread(thread: Thread): Thread {
    this.#lastPid += 1;
    this.#processesByTid.set(this.#lastPid, thread.process);
    return thread.process.startThread(this.#lastPid, thread);
  }

  /** Ends a process, and forgets it: somebody waits for it. Idempotent. */
  exit(process: Process): void {
    process.exit();
    this.#processes.delete(process.pid);
    for (const { tid } of process.threads) this.#processesByTid.delete(tid);
    process.parent?.endedChildren.delete(process);
    for (const child of process.endedChildren) this.#processes.delete(child.pid);
    process.endedChildren.clear();
  }

  /** A process that runs, or whose end nobody has asked for; by any of its threads. */
  findProcess(pid: number): Process | undefined {
    const found = this.#processes.get(pid);
    if (found !== undefined) return found;
    const process = this.#processesByTid.get(pid);
    return process?.isRunning === true && process.findThread(pid) !== undefined
      ? process
      : undefined;
  }

  get processes(): Iterable<Process> {
    return this.#processes.values();
  }

  /** The number of the next object's inode. */
  get nextInode(): number {
    return this.#lastInode + 1;
  }

  set nextInode(number: number) {
    this.#lastInode = number - 1;
  }

  /** An object without pages and users. */
  createObject(
    type: ObjectType,
    sizePages: number,
    path: string | null = null,
    sizeBytes: number = sizePages * this.memory.pageSizeBytes,
  ): MemoryObject {
    this.#lastInode += 1;
    return new MemoryObject({ type, inode: this.#lastInode, sizePages, path, sizeBytes });
  }
}
