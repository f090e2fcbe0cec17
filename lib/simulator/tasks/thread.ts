/**
 * A thread: where it runs, its policy, its place in counted interleaving. It allocates for its
 * process.
 *
 * Source: include/linux/sched.h, struct task_struct.
 */

import { type BalancedTask, type NumaScan, NumaTask } from '../balancing/balanced-task.ts';
import { faultNumaPage } from '../balancing/numa-page.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/vma.ts';
import type { Cpus } from '../nodes/firmware.ts';
import { NO_NODE, type Nodemask } from '../nodes/nodemask.ts';
import type { InterleaveCounter } from '../policy/interleave.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';

import type { Process } from './process.ts';

export class Thread implements BalancedTask {
  readonly process: Process;
  readonly tid: number;
  readonly counter: InterleaveCounter = { previous: NO_NODE, weightLeft: 0 };
  readonly numa: NumaTask = new NumaTask();
  #policy: Mempolicy | null;
  /** The CPUs that it may run on, ascending. */
  affinity: readonly number[];
  cpu: number;

  /** A new thread or process begins with its maker's policy and CPUs. */
  constructor(process: Process, tid: number, maker: ThreadState) {
    this.process = process;
    this.tid = tid;
    this.#policy = maker.policy;
    this.affinity = maker.affinity;
    this.cpu = maker.cpu;
    Object.assign(this.counter, maker.counter);
  }

  get mm(): Mm {
    return this.process.mm;
  }

  get memsAllowed(): Nodemask {
    return this.process.memsAllowed;
  }

  get policy(): Mempolicy | null {
    return this.#policy;
  }

  /** Interleaving begins anew, at the policy's lowest node. */
  setPolicy(policy: Mempolicy | null): void {
    this.#policy = policy;
    if (!policy?.mode.interleaving) return;
    this.counter.previous = NO_NODE;
    this.counter.weightLeft = 0;
  }

  /** Changes the policy in place, as a change of the cpuset does. */
  rebind(policy: Mempolicy | null): void {
    this.#policy = policy;
  }

  get scan(): NumaScan {
    return this.process.scan;
  }

  get threadCount(): number {
    return this.process.threadCount;
  }

  hintFault(vma: Vma, page: number): void {
    faultNumaPage(this, vma, page);
  }

  get cpus(): Cpus {
    return this.process.cpus;
  }

  /** Node of the CPU that it runs on. */
  get cpuNode(): number {
    return this.cpus.nodeOf(this.cpu);
  }
}

/** What a thread hands on. */
export type ThreadState = Pick<Thread, 'policy' | 'affinity' | 'cpu' | 'counter'>;
