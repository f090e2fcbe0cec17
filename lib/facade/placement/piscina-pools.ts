/**
 * Pools of the package piscina, one for each node, whose workers are placed: each is made with all
 * of its workers at once, while the calling thread has their CPUs and their policy.
 *
 * piscina itself starts a worker anew that has ended, and wherever it is then. So a pool that has
 * lost one is replaced as a whole by the next task for its node; it ends what it has begun.
 */

import { invalidArgumentType, invalidArgumentValue } from '../../core/argument-errors.ts';
import { reading } from '../../core/check-arguments.ts';
import type { NodeId, NodeMask } from '../../core/node-mask.ts';
import type { Launcher, Started } from './launcher.ts';
import {
  checkPoolNode,
  type NodePlacement,
  type NodePoolOptions,
  nodeMaskOf,
} from './node-placements.ts';
import type { PlacementOutcome } from './placement.ts';

/** What is needed of a pool of piscina. */
export interface PiscinaLike {
  run(task: never, options?: never): Promise<unknown>;
  close(): Promise<void>;
  destroy(): Promise<void>;
  on(event: 'workerDestroy', listener: () => void): unknown;
}

/** The class `Piscina` of the package piscina, 5 or newer. */
export type PiscinaClass<P extends PiscinaLike> = new (options: never) => P;

/** The pool of a node, and what became of its placement. */
export interface NodePiscina<P extends PiscinaLike> extends PlacementOutcome {
  readonly node: NodeId;
  readonly pool: P;
}

/** The pool of a node that gets its tasks. */
interface Current<P extends PiscinaLike> extends Started<P> {
  hasLostWorker: boolean;
}

interface Slot<P extends PiscinaLike> extends NodePlacement {
  current: Current<P>;
}

export interface PiscinaRunOptions {
  /** The pool of this node. Default: each in turn. */
  readonly node?: NodeId;
  /** Others are piscina's: `signal`, `name`, `transferList`. */
  readonly [option: string]: unknown;
}

/** Which nodes have pools, and of how many workers each. */
export type PiscinaPoolsOptions = Omit<NodePoolOptions, 'bindTo'>;

/** Options of piscina that say how many workers there are, and how long they live. */
const OURS = ['minThreads', 'maxThreads', 'idleTimeout'] as const;

export class PiscinaPools<P extends PiscinaLike> {
  /** The nodes that have pools. */
  readonly nodes: NodeMask;
  readonly #launcher: Launcher;
  readonly #make: () => P;
  readonly #slots: readonly Slot<P>[];
  #nextSlot = 0;
  #isClosed = false;

  /** @internal Use `numa.piscinaPools()`. */
  constructor(launcher: Launcher, placements: readonly NodePlacement[], make: () => P) {
    this.nodes = nodeMaskOf(placements);
    this.#launcher = launcher;
    this.#make = make;
    const slots: Slot<P>[] = [];
    this.#slots = slots;
    try {
      for (const one of placements) slots.push({ ...one, current: this.#begin(one) });
    } catch (error) {
      void this.destroy();
      throw error;
    }
  }

  /** The pools of now, by ascending node. */
  get pools(): readonly NodePiscina<P>[] {
    return this.#slots.map(({ node, current: { value, outcome } }) => {
      return { node, pool: value, ...outcome };
    });
  }

  /**
   * Runs a task in the pool of a node, or of each node in turn.
   * @param options as of piscina's `run()`, with the `node`
   * @throws TypeError, RangeError; what `run()` throws
   */
  run<T = unknown>(task: unknown, options?: PiscinaRunOptions): Promise<T> {
    const { node, ...others } = reading(options, 'options', () => ({ ...options }));
    const onNode = checkPoolNode(node, this.nodes);
    const slot =
      this.#slots.find((one) => one.node === onNode) ??
      (this.#slots[this.#nextSlot++ % this.#slots.length] as Slot<P>);
    const { value, hasLostWorker } = slot.current;
    if (hasLostWorker && !this.#isClosed) {
      slot.current = this.#begin(slot);
      void value.close();
    }
    return slot.current.value.run(task as never, others as never) as Promise<T>;
  }

  /** Waits for all tasks, then ends all workers. */
  async close(): Promise<void> {
    await this.#end((pool) => pool.close());
  }

  /** Ends all workers; tasks that are not done reject. */
  async destroy(): Promise<void> {
    await this.#end((pool) => pool.destroy());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(endOne: (pool: P) => Promise<void>): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      this.#slots.map(async ({ current }) => {
        await endOne(current.value);
        current.release();
      }),
    );
  }

  #begin({ placement }: NodePlacement): Current<P> {
    const undo = (pool: P): void => void pool.destroy();
    const current: Current<P> = {
      ...this.#launcher.startAll(placement, this.#make, undo),
      hasLostWorker: false,
    };
    current.value.on('workerDestroy', () => {
      current.hasLostWorker = true;
      current.release();
    });
    return current;
  }
}

/** piscina's own class, with its options but for those that are told by `placement`. */
export function makerOf<P extends PiscinaLike>(
  Piscina: PiscinaClass<P>,
  options: object,
  workersPerNode: number,
): () => P {
  if (typeof Piscina !== 'function') {
    throw invalidArgumentType('Piscina', 'the class of the package piscina', Piscina);
  }
  const given = reading(options, 'options', () => ({ ...options }) as Record<string, unknown>);
  for (const name of OURS) {
    if (given[name] === undefined) continue;
    const rule = `is told by placement.workersPerNode`;
    throw invalidArgumentValue(`options.${name}`, rule, given[name]);
  }
  const threads = { minThreads: workersPerNode, maxThreads: workersPerNode };
  const idleTimeout = Number.POSITIVE_INFINITY;
  return () => new Piscina({ ...given, ...threads, idleTimeout } as never);
}
