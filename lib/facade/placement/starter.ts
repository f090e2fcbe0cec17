/**
 * What starts threads and processes where they are to be: the verbs of a Numa for it, and what they
 * go by.
 */

import type { ForkOptions, SpawnOptions } from 'node:child_process';
import type { WorkerOptions } from 'node:worker_threads';
import { invalidArgumentType } from '../../core/argument-errors.ts';
import type { NodeExpression, NodeMask } from '../../core/node-mask.ts';
import type { Context } from '../context.ts';
import { ThreadMemory } from '../thread/thread-memory.ts';
import type { Topology } from '../topology.ts';
import { Launcher, type PlacedChild, type PlacedWorker } from './launcher.ts';
import { type NodePoolOptions, placementsOnNodes, poolsOnNodes } from './node-placements.ts';
import {
  makerOf,
  type PiscinaClass,
  type PiscinaLike,
  PiscinaPools,
  type PiscinaPoolsOptions,
} from './piscina-pools.ts';
import type { Placement } from './placement.ts';
import { WorkerPool } from './worker-pool.ts';

export abstract class Starter {
  /** Nodes, CPUs and distances when this object was opened. */
  readonly topology: Topology;
  /** Policy, CPU and affinity of the calling thread. */
  readonly thread: ThreadMemory;
  readonly #context: Context;
  readonly #launcher: Launcher;

  /** @internal */
  constructor(context: Context) {
    this.#context = context;
    this.topology = context.topology;
    this.thread = new ThreadMemory(context);
    this.#launcher = new Launcher(context.backend, this);
  }

  /**
   * The nodes that an expression means on this machine, now: lists, `all`, `!0`, `+0-1`, and the
   * node that a device is near to, such as `netdev:eth0`, `block:sda`, `pci:0000:3b:00.0`,
   * `file:/data` or `ip:10.0.0.7`. Errors name `argument`.
   * @throws TypeError, RangeError ERR_OUT_OF_RANGE for a device that is not there; NumaError
   *   NUMA_UNSUPPORTED where its node is not told, and on the simulator
   * Source: numa_parse_nodestring of numa(3).
   */
  nodesOf(nodes: NodeExpression, argument: string = 'nodes'): NodeMask {
    if (typeof argument !== 'string') throw invalidArgumentType('argument', 'a string', argument);
    return this.#context.resolve(nodes, argument);
  }

  /** The nodes that the calling thread may allocate on now: its cpuset's memory nodes. */
  allowedNodes(): NodeMask {
    return this.#context.allowedNodes();
  }

  /**
   * A worker thread whose heap and stack begin where it is placed: its CPUs and its policy are set
   * before it starts. This thread has them for that moment, and its own again when this returns.
   * Threads of the engine that all workers share (its compiler's, its collector's, libuv's pool)
   * stay where they are.
   * @param file, options as `new Worker()` takes them
   * @throws TypeError, RangeError for a wrong placement, and for CPUs and nodes outside of the
   *   cpuset; NumaError NUMA_CPUS_IN_USE, NUMA_UNSUPPORTED, NUMA_NOT_PERMITTED; what `new Worker()`
   *   throws
   * Source: sched_setaffinity(2), set_mempolicy(2); pthread_create(3), which hands both on.
   */
  worker(file: string | URL, placement?: Placement, options?: WorkerOptions): PlacedWorker {
    return this.#launcher.worker(file, placement, options);
  }

  /**
   * A child process that is placed before its program starts, as `node-numa run` places one.
   * @param command, args, options as `spawn()` of `node:child_process` takes them
   * @throws as `worker`; what `spawn()` throws
   * Source: sched_setaffinity(2), set_mempolicy(2); fork(2) and execve(2), which keep both.
   */
  spawn(
    command: string,
    args?: readonly string[],
    placement?: Placement,
    options?: SpawnOptions,
  ): PlacedChild {
    return this.#launcher.spawn(command, args, placement, options);
  }

  /**
   * A child process that runs a module of JavaScript, and has a channel to this one.
   * @param module, args, options as `fork()` of `node:child_process` takes them
   * @throws as `worker`; what `fork()` throws
   * Source: as of `spawn`.
   */
  fork(
    module: string | URL,
    args?: readonly string[],
    placement?: Placement,
    options?: ForkOptions,
  ): PlacedChild {
    return this.#launcher.fork(module, args, placement, options);
  }

  /**
   * Workers on each node, as `worker()` places them, with one task at a time each.
   * @param file, options as `new Worker()` takes them; the file answers each message with one
   * @throws TypeError, RangeError for a wrong placement; NumaError as `worker`, NUMA_UNSUPPORTED
   *   where the machine does not tell its packages or caches
   */
  workerPool(file: string | URL, placement?: NodePoolOptions, options?: WorkerOptions): WorkerPool {
    const placements = placementsOnNodes(this.#context, placement);
    return new WorkerPool(this.#launcher, placements, file, options);
  }

  /**
   * A pool of the package piscina for each node, whose workers begin there.
   * @param Piscina the class, of piscina 5 or newer; node-numa does not depend on it
   * @param options piscina's, without those that say how many workers there are
   * @throws as `workerPool`; what `new Piscina()` throws
   */
  piscinaPools<P extends PiscinaLike>(
    Piscina: PiscinaClass<P>,
    options: ConstructorParameters<PiscinaClass<P>>[0],
    placement?: PiscinaPoolsOptions,
  ): PiscinaPools<P> {
    const { workersPerNode, placements } = poolsOnNodes(this.#context, placement);
    return new PiscinaPools(this.#launcher, placements, makerOf(Piscina, options, workersPerNode));
  }
}
