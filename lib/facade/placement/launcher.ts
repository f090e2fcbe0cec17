/**
 * Starts workers and child processes where they are to be: the calling thread takes on their CPUs
 * and their policy, starts them, and has its own back before anything else runs on it.
 *
 * A worker's thread is made in its constructor, and its heap on that thread; a child is forked
 * where spawn() is called. Both begin with what the calling thread has.
 *
 * Source: Node.js, lib/internal/worker.js, class Worker, and src/node_worker.cc,
 * Worker::StartThread(); libuv, uv_spawn(); kernel/fork.c, copy_process().
 */

import {
  type ChildProcess,
  type ForkOptions,
  fork,
  type SpawnOptions,
  spawn,
} from 'node:child_process';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Backend } from '../../backend/backend.ts';
import type { CpuMask } from '../../core/cpu-mask.ts';
import { restoringThread } from '../thread/thread-memory.ts';
import { applyPlacement } from './apply-placement.ts';
import { type CpuLease, CpuLedger } from './cpu-ledger.ts';
import type { ResolvedCpus } from './cpu-list.ts';
import {
  type CheckedPlacement,
  checkPlacement,
  type Placement,
  type PlacementOutcome,
} from './placement.ts';
import {
  type PlacementPlan,
  type PlacementRequest,
  type PlacingThread,
  planPlacement,
  SAME,
} from './plan-placement.ts';

/** A worker, and what became of its placement. */
export interface PlacedWorker extends PlacementOutcome {
  readonly worker: Worker;
}

/** A child process, and what became of its placement. */
export interface PlacedChild extends PlacementOutcome {
  readonly child: ChildProcess;
}

const NOT_REAL =
  'the simulator has a machine of its own for each thread of JavaScript, and none of its CPUs ' +
  'and policies is of a thread of this process';

/** Real threads have one ledger; machines of their own have each one. */
const realLedger = new CpuLedger();
const ledgers = new WeakMap<Backend, CpuLedger>();

/** What was started, what became of its placement, and what gives its CPUs back. */
export interface Started<T> {
  readonly value: T;
  readonly outcome: PlacementOutcome;
  readonly release: () => void;
}

/** What is started, and tells its end. */
type Startable = Worker | ChildProcess;

export class Launcher {
  readonly #backend: Backend;
  readonly #numa: PlacingThread;

  constructor(backend: Backend, numa: PlacingThread) {
    this.#backend = backend;
    this.#numa = numa;
  }

  worker(file: string | URL, placement?: Placement, options?: WorkerOptions): PlacedWorker {
    const begin = (): Worker => new Worker(file, options);
    const { value, outcome } = this.start(checkPlacement(placement), begin);
    return { worker: value, ...outcome };
  }

  spawn(
    command: string,
    args: readonly string[] = [],
    placement?: Placement,
    options: SpawnOptions = {},
  ): PlacedChild {
    const begin = (): ChildProcess => spawn(command, args, options);
    const { value, outcome } = this.start(checkPlacement(placement), begin);
    return { child: value, ...outcome };
  }

  fork(
    module: string | URL,
    args: readonly string[] = [],
    placement?: Placement,
    options: ForkOptions = {},
  ): PlacedChild {
    const begin = (): ChildProcess => fork(module, args, options);
    const { value, outcome } = this.start(checkPlacement(placement), begin);
    return { child: value, ...outcome };
  }

  /** What `begin` starts holds its CPUs until it ends. */
  start<T extends Startable>(checked: CheckedPlacement, begin: () => T): Started<T> {
    const started = this.startAll(checked, begin, end);
    whenEnded(started.value, started.release);
    return started;
  }

  /** The same for what starts several; `undo` ends them where nobody is to get them. */
  startAll<T>(checked: CheckedPlacement, begin: () => T, undo: (value: T) => void): Started<T> {
    const { plan, lease } = this.#plan(checked);
    const release = (): void => lease?.release();
    const { thread } = this.#numa;
    const changes = { cpus: plan.cpus !== undefined, policy: plan.policy !== undefined };
    const begun: T[] = [];
    try {
      const cpus = restoringThread(thread, changes, () => {
        applyPlacement(thread, plan, checked.request.names.cpus);
        const kept = changes.cpus ? thread.affinity() : null;
        begun.push(begin());
        return kept;
      });
      return { value: begun[0] as T, outcome: this.#outcomeOf(plan, cpus), release };
    } catch (error) {
      release();
      // This thread could not be given back what it had.
      for (const value of begun) undo(value);
      throw error;
    }
  }

  #outcomeOf({ policy }: PlacementPlan, cpus: CpuMask | null): PlacementOutcome {
    const reason = this.#isReal ? null : this.#reasonOfNone;
    return { placed: reason === null, reason, cpus, policy: policy ?? null };
  }

  get #reasonOfNone(): string {
    const { identity, pid } = this.#backend;
    if (identity.kind === 'simulator') return NOT_REAL;
    const which = `the backend "${identity.kind}" places threads of process ${pid}`;
    return `${which}, and this is ${process.pid}`;
  }

  /** Whether the backend's thread is the one that runs this. */
  get #isReal(): boolean {
    const { identity, pid } = this.#backend;
    return identity.kind !== 'simulator' && pid === process.pid;
  }

  get #ledger(): CpuLedger {
    if (this.#isReal) return realLedger;
    const ledger = ledgers.get(this.#backend) ?? new CpuLedger();
    ledgers.set(this.#backend, ledger);
    return ledger;
  }

  #plan({ request, exclusiveCpus }: CheckedPlacement): {
    readonly plan: PlacementPlan;
    readonly lease?: CpuLease;
  } {
    const { names } = request;
    if (exclusiveCpus > 0) return this.#planExclusive(request, exclusiveCpus);
    const plan = planPlacement(this.#numa, request);
    if (plan.cpus === undefined) return { plan };
    const lease = this.#ledger.share(plan.cpus, names.cpus);
    return { plan: { ...plan, cpus: lease.cpus }, lease };
  }

  /** "same" then means the nodes of the CPUs that it gets. */
  #planExclusive(
    request: PlacementRequest,
    count: number,
  ): { readonly plan: PlacementPlan; readonly lease: CpuLease } {
    const { names, memoryNodes } = request;
    const isSame = memoryNodes === SAME;
    const wide = isSame ? { ...request, memoryNodes: undefined, policy: undefined } : request;
    const { cpus } = planPlacement(this.#numa, wide);
    const lease = this.#ledger.take(this.#usable(cpus), count, this.#numa.topology, names);
    try {
      const own = { cpus: `${lease.cpus.cpus}`, cpuNodes: undefined };
      return { plan: planPlacement(this.#numa, { ...request, ...own }), lease };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** Those of them that the cpuset has; by default those of the calling thread. */
  #usable(cpus: ResolvedCpus | undefined): CpuMask {
    const { thread } = this.#numa;
    if (cpus === undefined) return thread.affinity();
    return restoringThread(thread, { cpus: true }, () => {
      thread.setAffinity(cpus.cpus);
      return thread.affinity();
    });
  }
}

/** A child that could not be started has no exit. */
function whenEnded(value: Startable, run: () => void): void {
  if (value instanceof Worker) value.once('exit', run);
  else value.once('exit', run).once('close', run);
}

function end(value: Startable): void {
  if (value instanceof Worker) void value.terminate();
  else value.kill('SIGKILL');
}
