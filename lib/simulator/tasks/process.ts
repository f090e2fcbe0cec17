/**
 * A process: an address space, credentials, the nodes of its cpuset, and threads.
 */

import { AddressSpace } from '../memory/address-space.ts';
import { copyAddressSpace } from '../memory/fork.ts';
import type { Memory } from '../memory/memory.ts';
import { NO_NODE, type Nodemask } from '../nodes/nodemask.ts';
import type { Cpus } from './cpus.ts';
import type { Credentials } from './credentials.ts';
import { type Reference, releaseReference } from './references.ts';
import { Thread, type ThreadState } from './thread.ts';

export interface ProcessOptions {
  readonly pid: number;
  readonly memory: Memory;
  readonly cpus: Cpus;
  readonly credentials: Credentials;
  readonly memsAllowed: Nodemask;
}

export class Process {
  readonly pid: number;
  readonly cpus: Cpus;
  readonly space: AddressSpace;
  readonly threads: Thread[] = [];
  /** Pipes, rings and registered buffers that it holds, by descriptor. */
  readonly references: Map<number, Reference> = new Map();
  credentials: Credentials;
  memsAllowed: Nodemask;
  isRunning = true;
  #lastDescriptor = 2;

  constructor({ pid, memory, cpus, credentials, memsAllowed }: ProcessOptions) {
    this.pid = pid;
    this.cpus = cpus;
    this.credentials = credentials;
    this.memsAllowed = memsAllowed;
    this.space = new AddressSpace(memory);
  }

  get mainThread(): Thread {
    return this.threads[0] as Thread;
  }

  /** A thread with the policy and CPUs of `maker`; without one, the first of a new process. */
  startThread(tid: number, maker?: ThreadState): Thread {
    const { all } = this.cpus;
    const fresh = { policy: null, affinity: all, cpu: all[0] as number, counter: NEW_COUNTER };
    const thread = new Thread(this, tid, maker ?? fresh);
    this.threads.push(thread);
    return thread;
  }

  /** Keeps a reference under a descriptor of its own. */
  keep(reference: Reference): number {
    this.#lastDescriptor += 1;
    this.references.set(this.#lastDescriptor, reference);
    return this.#lastDescriptor;
  }

  /** Fills `child` with a copy of the memory, for a fork by `thread`. */
  copyInto(child: Process, thread: Thread): boolean {
    if (copyAddressSpace(thread, child.space) !== 'done') return false;
    child.#lastDescriptor = this.#lastDescriptor;
    for (const [descriptor, reference] of this.references) {
      reference.holders += 1;
      child.references.set(descriptor, reference);
    }
    return true;
  }

  /** Gives everything back. Idempotent. */
  exit(): void {
    if (!this.isRunning) return;
    this.isRunning = false;
    for (const reference of this.references.values()) {
      releaseReference(this.space.memory, reference);
    }
    this.references.clear();
    this.space.clear();
  }
}

const NEW_COUNTER = Object.freeze({ previous: NO_NODE, weightLeft: 0 });
