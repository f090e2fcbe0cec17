/**
 * A process: an address space, credentials, the nodes of its cpuset, and threads.
 *
 * Source: kernel/exit.c, do_exit() and release_task(); fs/exec.c, begin_new_exec() and de_thread().
 */

import { NumaScan, SCAN_DELAY_MS } from '../balancing/balanced-task.ts';
import { dupMmap } from '../memory/fork.ts';
import { leaveObject, type Memory } from '../memory/memory.ts';
import type { MemoryObject } from '../memory/memory-object.ts';
import { Mm } from '../memory/mm.ts';
import type { Cpus } from '../nodes/firmware.ts';
import { NO_NODE, type Nodemask } from '../nodes/nodemask.ts';
import type { Cpuset } from './cpuset.ts';
import type { Credentials } from './credentials.ts';
import { loadProgram } from './program.ts';
import { type Reference, releaseReference } from './references.ts';
import { Thread, type ThreadState } from './thread.ts';

export interface NewProcess {
  readonly pid: number;
  readonly memory: Memory;
  readonly cpus: Cpus;
  readonly credentials: Credentials;
  readonly cpuset: Cpuset;
  /** null: nobody waits for it. */
  readonly parent: Process | null;
  readonly isKernelThread?: boolean;
}

/** Of a process that nobody has named. */
const COMMAND = 'simulated';

export class Process {
  readonly pid: number;
  /** The name of its program: 15 bytes at most. */
  command: string;
  /** Logical time of its start. */
  readonly startMs: number;
  readonly cpus: Cpus;
  readonly parent: Process | null;
  /** Without memory of its own. */
  readonly isKernelThread: boolean;
  /** By number, the oldest first. */
  readonly #threads = new Map<number, Thread>();
  /** Children whose end nobody has asked for. */
  readonly endedChildren: Set<Process> = new Set();
  /** Pipes, rings and registered buffers that it holds, by descriptor. */
  readonly references: Map<number, Reference> = new Map();
  /** Objects that it has open, by descriptor. */
  readonly objects: Map<number, MemoryObject> = new Map();
  mm: Mm;
  scan: NumaScan = new NumaScan();
  credentials: Credentials;
  cpuset: Cpuset;
  memsAllowed: Nodemask;
  /** Else it has ended, and is there only for its parent to learn that. */
  isRunning = true;
  #lastDescriptor = 2;

  constructor({ pid, memory, cpus, cpuset, ...options }: NewProcess) {
    this.pid = pid;
    this.command = options.parent?.command ?? COMMAND;
    this.startMs = memory.clock.nowMs;
    this.cpus = cpus;
    this.credentials = options.credentials;
    this.parent = options.parent;
    this.isKernelThread = options.isKernelThread ?? false;
    this.cpuset = cpuset;
    this.memsAllowed = cpuset.effectiveMems;
    cpuset.processes.add(this);
    this.mm = new Mm(memory);
  }

  /** The oldest first. */
  get threads(): readonly Thread[] {
    return [...this.#threads.values()];
  }

  get threadCount(): number {
    return this.#threads.size;
  }

  findThread(tid: number): Thread | undefined {
    return this.#threads.get(tid);
  }

  get mainThread(): Thread {
    return this.findThread(this.pid) as Thread;
  }

  /** Whether there is an address space that calls could look into. */
  get hasMemory(): boolean {
    return this.isRunning && !this.isKernelThread;
  }

  /** A thread with the policy and CPUs of `maker`; without one, the first of a new process. */
  startThread(tid: number, maker?: ThreadState): Thread {
    const { all } = this.cpus;
    const fresh = { policy: null, affinity: all, cpu: all[0] as number, counter: NEW_COUNTER };
    const thread = new Thread(this, tid, maker ?? fresh);
    this.#threads.set(tid, thread);
    return thread;
  }

  /** Keeps a reference under a descriptor of its own. */
  keep(reference: Reference): number {
    this.#lastDescriptor += 1;
    this.references.set(this.#lastDescriptor, reference);
    return this.#lastDescriptor;
  }

  /** Opens an object: the value is its descriptor, which children inherit. */
  open(object: MemoryObject): number {
    object.users += 1;
    this.#lastDescriptor += 1;
    this.objects.set(this.#lastDescriptor, object);
    return this.#lastDescriptor;
  }

  close(descriptor: number): void {
    const object = this.objects.get(descriptor);
    if (object === undefined) return;
    this.objects.delete(descriptor);
    leaveObject(this.mm.memory, object);
  }

  /** Fills `child` with a copy of the memory, for a fork by `thread`. */
  copyInto(child: Process, thread: Thread): boolean {
    if (dupMmap(thread, child.mm) !== 'done') return false;
    child.scan = new NumaScan(this.mm.memory.clock.nowMs + SCAN_DELAY_MS);
    child.#lastDescriptor = this.#lastDescriptor;
    for (const [descriptor, reference] of this.references) {
      reference.holders += 1;
      child.references.set(descriptor, reference);
    }
    for (const [descriptor, object] of this.objects) {
      object.users += 1;
      child.objects.set(descriptor, object);
    }
    return true;
  }

  /** Starts a program in the thread: it becomes the only one, with fresh memory. */
  execute(thread: Thread): void {
    const { memory } = this.mm;
    // Rings close themselves when a program is executed; pipes stay.
    for (const [descriptor, reference] of this.references) {
      if (reference.kind !== 'pin') continue;
      this.references.delete(descriptor);
      releaseReference(memory, reference);
    }
    const { isWithoutHugePages } = this.mm;
    this.mm.clear();
    this.mm = new Mm(memory);
    this.mm.isWithoutHugePages = isWithoutHugePages;
    this.scan = new NumaScan();
    this.credentials = { ...this.credentials, isDumpable: true };
    const first = new Thread(this, this.pid, thread);
    this.#threads.clear();
    this.#threads.set(first.tid, first);
    loadProgram(first);
  }

  /** Gives everything back. Idempotent. */
  exit(): void {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.parent?.endedChildren.add(this);
    for (const reference of this.references.values()) {
      releaseReference(this.mm.memory, reference);
    }
    this.references.clear();
    this.mm.clear();
    for (const object of this.objects.values()) leaveObject(this.mm.memory, object);
    this.objects.clear();
    this.cpuset.processes.delete(this);
  }
}

const NEW_COUNTER = Object.freeze({ previous: NO_NODE, weightLeft: 0 });
