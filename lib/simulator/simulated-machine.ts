/**
 * A simulated machine as users have it: made of a description, answering as one kernel does.
 */

import type { KnownTopology } from '../backend/topology-snapshot.ts';
import { invalidArgumentValue } from '../core/argument-errors.ts';
import { checkInteger, checkOptions, checkWord } from '../core/check-arguments.ts';
import { deepFreeze } from '../core/deep-freeze.ts';
import { type KernelLine, kernelLines, newestKernelLine } from '../core/kernels.ts';
import type { MachineDescription } from '../core/machine-description.ts';
import { checkMachineDescription } from '../core/machine-description.ts';
import { NODE_ID_MAX, WEIGHT_MAX } from '../core/uapi.ts';
import { PAGE_SIZES_BYTES, USUAL_PAGE_SIZE_BYTES } from '../core/units.ts';
import type { VmCounters } from '../machine/counters.ts';
import type { HostFiles } from '../machine/host-files.ts';
import type { HugePagesWord } from '../machine/settings.ts';
import type { NodeAllocations } from '../procfs/node-files.ts';
import { FaultsHandle } from './handles/faults-handle.ts';
import { credentialsOf, ProcessHandle } from './handles/process-handle.ts';
import { SettingsHandle } from './handles/settings-handle.ts';
import type { CostOptions, Costs } from './interface/costs.ts';
import type { InjectedFaults } from './interface/injected-faults.ts';
import type { MachineSettings } from './interface/machine-settings.ts';
import type { ProcessOptions, SimulatedProcess } from './interface/simulated-process.ts';
import { invariantBreaches } from './invariants.ts';
import { KERNEL_THREAD_PID, MachineState } from './machine.ts';
import { MigrationTrace } from './migrate/migration-trace.ts';
import { presets } from './presets.ts';
import { vmCountersOf } from './procfs/vmstat.ts';
import { startCosts } from './start-costs.ts';
import { topologyOf } from './topology-report.ts';

/** @internal */
export const HUGE_PAGE_WORDS: readonly HugePagesWord[] = ['always', 'madvise', 'never'];

export interface MachineOptions {
  /** Whose answers: one of `kernelLines`. Default the newest. */
  readonly kernel?: KernelLine;
  /** Base page: 4096, 16384 or 65536 bytes. Default 4096. */
  readonly pageSizeBytes?: number;
}

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isMachine: (value: unknown) => value is Machine;

/** @internal What it can map of the host's. */
export let giveFiles: (machine: Machine, files: HostFiles) => void;

export class Machine {
  static {
    giveFiles = (machine, files) => {
      machine.#state.files = files;
    };
    isMachine = (value): value is Machine =>
      typeof value === 'object' && value !== null && #state in value;
  }

  /** As given; nobody can change it. */
  readonly description: MachineDescription;
  /** Release of the kernel that it answers as. */
  readonly kernel: string;
  readonly pageSizeBytes: number;
  /** A thread of the kernel: a process id whose process has no memory. */
  readonly kernelThreadPid: number = KERNEL_THREAD_PID;
  /** What its administrator sets, but for huge pages and weights. */
  readonly settings: MachineSettings;
  /** What can be in the way of a migration, on demand. */
  readonly faults: InjectedFaults;
  readonly #state: MachineState;
  #self: ProcessHandle | undefined;

  /**
   * @param description default: `presets.fourNodes`
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; RangeError ERR_OUT_OF_RANGE,
   *   naming the member that is wrong
   */
  constructor(description: MachineDescription = presets.fourNodes, options?: MachineOptions) {
    const known = ['kernel', 'pageSizeBytes'] as const;
    const { kernel = newestKernelLine, pageSizeBytes = USUAL_PAGE_SIZE_BYTES } = checkOptions(
      options,
      'options',
      known,
    );
    checkWord(kernel, 'options.kernel', kernelLines);
    checkInteger(pageSizeBytes, 'options.pageSizeBytes', 1);
    if (!PAGE_SIZES_BYTES.includes(pageSizeBytes)) {
      const rule = `must be one of ${PAGE_SIZES_BYTES.join(', ')}`;
      throw invalidArgumentValue('options.pageSizeBytes', rule, pageSizeBytes);
    }
    this.description = deepFreeze(checkMachineDescription(description));
    this.#state = new MachineState(this.description, { kernel, pageSizeBytes });
    this.kernel = this.#state.release;
    this.pageSizeBytes = pageSizeBytes;
    this.faults = new FaultsHandle(this.#state);
    this.settings = new SettingsHandle(this.#state, () => void this.#self?.mainThread.settle());
  }

  /** The process that `openNuma({ machine })` speaks for: the machine's first, made when asked. */
  get self(): SimulatedProcess {
    this.#self ??= new ProcessHandle(this.#state, this.#state.process());
    return this.#self;
  }

  /**
   * A new process of its own, root's unless the options say otherwise.
   * @throws TypeError, RangeError for wrong options
   */
  process(options?: ProcessOptions): SimulatedProcess {
    const process = this.#state.process(credentialsOf(options));
    return new ProcessHandle(this.#state, process);
  }

  /**
   * The inode number of the object that is made next, where its interleaving begins: set it to that
   * of a kernel to have its pattern.
   * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE
   * Source: mm/shmem.c, shmem_get_policy() and its callers.
   */
  get nextInode(): number {
    return this.#state.nextInode;
  }

  set nextInode(number: number) {
    checkInteger(number, 'nextInode', 1);
    this.#state.nextInode = number;
  }

  /** `/sys/kernel/mm/transparent_hugepage/enabled`; `never` on a new machine. */
  get hugePages(): HugePagesWord {
    return this.#state.memory.hugePages;
  }

  set hugePages(word: HugePagesWord) {
    checkWord(word, 'hugePages', HUGE_PAGE_WORDS);
    // What was written until now was written under the choice before.
    this.#self?.mainThread.settle();
    this.#state.memory.hugePages = word;
  }

  /**
   * Sets a node's weight for weighted interleaving, from 1 to 255; it is 1 on a new machine.
   * @throws RangeError ERR_OUT_OF_RANGE
   * Source: /sys/kernel/mm/mempolicy/weighted_interleave/nodeN.
   */
  setInterleaveWeight(node: number, weight: number): void {
    checkInteger(weight, 'weight', 1, WEIGHT_MAX);
    this.#state.weights.set(this.#checkNode(node), weight);
  }

  /** Highest possible node + 1: nr_node_ids. */
  get possibleNodeCount(): number {
    return this.#state.possibleNodeCount;
  }

  /** Logical time since it started, in milliseconds: `memory.keepTouching()` has it pass. */
  get timeMs(): number {
    return this.#state.memory.clock.nowMs;
  }

  /** Nodes, CPUs, memory and distances as they are now; allowed is all memory. */
  topology(): KnownTopology {
    return topologyOf(this.#state, this.#state.memory.physical.memoryNodes);
  }

  /** What a node has given out since it started. */
  counters(node: number): NodeAllocations {
    return { ...this.#state.memory.physical.counters.of(this.#checkNode(node)) };
  }

  /** Keeps every step of all migrations, from now until `stop()`. */
  traceMigrations(): MigrationTrace {
    const { kernel, pageSizeBytes } = this;
    return new MigrationTrace(this.#state.memory.inFlight, { kernel, pageSizeBytes });
  }

  /**
   * Counts from now on what accesses to memory and migrations do, and the time that it would take;
   * what was counted before stays with whoever has it, and grows no more.
   * @throws TypeError, RangeError for wrong options
   */
  startCosts(options?: CostOptions): Costs {
    this.#self?.mainThread.settle();
    return startCosts(this.#state, options);
  }

  /** Ends the counting. */
  stopCosts(): void {
    this.#self?.mainThread.settle();
    this.#state.memory.costs = null;
  }

  /** Calls of `steps` that have begun, and that nobody has run to their end. */
  get unendedCallCount(): number {
    return this.#state.memory.inFlight.calls.size;
  }

  /** What migrations and automatic balancing have done since it started. */
  vmstat(): VmCounters {
    return vmCountersOf(this.#state.memory);
  }

  /** What is wrong with the whole state, as sentences. The empty list: all counts add up. */
  invariantBreaches(): string[] {
    return invariantBreaches(this.#state);
  }

  #checkNode(node: unknown): number {
    const ids = this.description.nodes.map(({ id }) => id);
    const checked = checkInteger(node, 'node', 0, NODE_ID_MAX);
    if (ids.includes(checked)) return checked;
    throw invalidArgumentValue('node', `must be one of ${ids.join(', ')}`, node);
  }
}

let shared: Machine | undefined;

/** The machine of this thread of JavaScript where none is given: the preset `four-nodes`. */
export function defaultMachine(): Machine {
  shared ??= new Machine();
  return shared;
}
