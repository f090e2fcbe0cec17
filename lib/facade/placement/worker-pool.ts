/**
 * Workers on nodes, each with one task at a time: a message to it, which it answers with one.
 */

import { Worker, type WorkerOptions } from 'node:worker_threads';
import { checkArray, checkOptions, checkSignal } from '../../core/check-arguments.ts';
import { NumaError } from '../../core/errors.ts';
import type { NodeId, NodeMask } from '../../core/node-mask.ts';
import type { Launcher, PlacedWorker } from './launcher.ts';
import { checkPoolNode, type NodePlacement, nodeMaskOf } from './node-placements.ts';

export interface PoolRunOptions {
  /** A worker of this node. Default: the first that is idle. */
  readonly node?: NodeId;
  /** As of `postMessage()`. */
  readonly transferList?: readonly Transferable[];
  /** Takes the task back; the worker that is at it is ended, and another one begun when needed. */
  readonly signal?: AbortSignal;
}

/** What `postMessage()` can give away. */
type Transferable = NonNullable<Parameters<Worker['postMessage']>[1]>[number];

/** A worker of a pool that runs, with its node. */
export interface PoolWorker extends PlacedWorker {
  readonly node: NodeId;
}

interface PoolTask {
  readonly value: unknown;
  readonly node: NodeId | undefined;
  readonly transferList: readonly Transferable[];
  readonly settle: (end: { value: unknown } | { error: unknown }) => void;
}

/** A place for a worker. */
interface Slot extends NodePlacement {
  placed?: PlacedWorker | undefined;
  task?: PoolTask | undefined;
  /** Its worker is being ended; its CPUs are free when it has. */
  isEnding?: boolean;
  /** What ended its last worker. */
  cause?: unknown;
  /** Its worker has answered: it is not loading any more. */
  hasLoaded?: boolean;
}

export class WorkerPool {
  /** The nodes that have workers. */
  readonly nodes: NodeMask;
  readonly #begin: (slot: NodePlacement) => PlacedWorker;
  readonly #slots: readonly Slot[];
  readonly #waiting: PoolTask[] = [];
  #isClosed = false;

  /** @internal Use `numa.workerPool()`. */
  constructor(
    launcher: Launcher,
    placements: readonly NodePlacement[],
    file: string | URL,
    options: WorkerOptions | undefined,
  ) {
    this.nodes = nodeMaskOf(placements);
    this.#slots = placements.map((one) => ({ ...one }));
    this.#begin = ({ placement }) => {
      const { value, outcome } = launcher.start(placement, () => new Worker(file, options));
      return { worker: value, ...outcome };
    };
    try {
      for (const slot of this.#slots) this.#start(slot);
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** Those that run now: one that has ended is started again when a task needs it. */
  get workers(): readonly PoolWorker[] {
    return this.#slots.flatMap(({ node, placed }) => (placed ? [{ node, ...placed }] : []));
  }

  /**
   * Posts a value to an idle worker, or to the next that is, and resolves with its first message.
   * @throws TypeError, RangeError; the promise rejects with the signal's reason, and with NumaError
   *   NUMA_WORKER_ENDED when the worker ends before it answers (its error is the `cause`),
   *   NUMA_RELEASED after `close()`, and as `numa.worker()` where one has to be started again
   */
  run<T = unknown>(value: unknown, options?: PoolRunOptions): Promise<T> {
    const names = ['node', 'transferList', 'signal'] as const;
    const { node, transferList, signal: asked } = checkOptions(options, 'options', names);
    const onNode = checkPoolNode(node, this.nodes);
    const transferred = checkArray(transferList ?? [], 'options.transferList') as Transferable[];
    const signal = checkSignal(asked, 'options.signal');
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      if (this.#isClosed) return reject(closed());
      const abort = (): void => this.#takeBack(task, signal?.reason);
      const task: PoolTask = {
        value,
        node: onNode,
        transferList: transferred,
        settle: (end) => {
          signal?.removeEventListener('abort', abort);
          if ('error' in end) reject(end.error);
          else resolve(end.value as T);
        },
      };
      signal?.addEventListener('abort', abort);
      this.#waiting.push(task);
      this.#dispatch();
    });
  }

  /** Ends all workers; tasks that are not done reject. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const task of this.#waiting.splice(0)) task.settle({ error: closed() });
    for (const slot of this.#slots) this.#finish(slot, { error: closed() });
    await Promise.all(this.#slots.map(({ placed }) => placed?.worker.terminate()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(slot: Slot): PlacedWorker {
    const placed = this.#begin(slot);
    const { worker } = placed;
    slot.placed = placed;
    slot.cause = undefined;
    slot.hasLoaded = false;
    worker.on('message', (value) => {
      slot.hasLoaded = true;
      this.#answer(slot, { value });
    });
    worker.on('messageerror', (error) => this.#answer(slot, { error }));
    worker.on('error', (error) => {
      slot.cause = error;
      // Nobody waits for it: it is uncaught, as that of any worker that is not being ended. Where
      // one cannot be loaded, the next task is told: another one is begun for it.
      const isExpected = slot.isEnding === true || this.#isClosed || !slot.hasLoaded;
      if (slot.task === undefined && !isExpected) throw error;
    });
    worker.on('exit', (exitCode) => {
      slot.placed = undefined;
      slot.isEnding = false;
      this.#finish(slot, { error: ended(slot, exitCode) });
      this.#dispatch();
    });
    // A program that has nothing else to do ends, as it would without a pool.
    worker.unref();
    return placed;
  }

  #answer(slot: Slot, end: { value: unknown } | { error: unknown }): void {
    if (slot.isEnding === true) return;
    this.#finish(slot, end);
    this.#dispatch();
  }

  #finish(slot: Slot, end: { value: unknown } | { error: unknown }): void {
    const { task } = slot;
    slot.task = undefined;
    slot.placed?.worker.unref();
    task?.settle(end);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.task !== undefined || slot.isEnding === true) continue;
      const index = this.#waiting.findIndex(({ node = slot.node }) => node === slot.node);
      const [task] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (task !== undefined) this.#post(slot, task);
    }
  }

  #post(slot: Slot, task: PoolTask): void {
    slot.task = task;
    try {
      const { worker } = slot.placed ?? this.#start(slot);
      worker.ref();
      worker.postMessage(task.value, task.transferList);
    } catch (error) {
      this.#finish(slot, { error });
    }
  }

  #takeBack(task: PoolTask, reason: unknown): void {
    const index = this.#waiting.indexOf(task);
    if (index >= 0) this.#waiting.splice(index, 1);
    const slot = this.#slots.find((one) => one.task === task);
    if (slot !== undefined) {
      slot.task = undefined;
      slot.isEnding = true;
      void slot.placed?.worker.terminate();
    }
    task.settle({ error: reason });
  }
}

function ended({ node, cause }: Slot, exitCode: number): NumaError {
  const rule = `a worker on node ${node} ended with ${exitCode} before it answered`;
  return new NumaError(
    rule,
    {
      code: 'NUMA_WORKER_ENDED',
      args: { node, exitCode },
      hint: 'its own error, where it had one, is the cause; the next task starts another worker',
    },
    cause === undefined ? {} : { cause },
  );
}

function closed(): NumaError {
  return new NumaError('the pool of workers was closed', {
    code: 'NUMA_RELEASED',
    hint: 'close it when all tasks are done',
  });
}
