/**
 * Who and what the names of a scenario stand for, on whichever machine.
 */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { NumaError } from '../../core/errors.ts';
import type { MachineDescription } from '../../core/machine-description.ts';
import type { MemoryCalls } from '../../machine/memory.ts';

/** What steps need of a thread: its backend, and memory by addresses. */
export interface CastThread {
  readonly backend: Backend;
  readonly memory: Pick<MemoryCalls, 'mmap' | 'munmap' | 'touch' | 'store'>;
}

/** A process as those of a machine are, with what steps need of it. */
export interface CastProcess {
  /** As calls name it; 0: the calling process. */
  readonly pid: number;
  readonly mainThread: CastThread;
}

/** A thread, and whose it is. */
export interface Actor<Process extends CastProcess = CastProcess> {
  readonly process: Process;
  readonly processName: string;
  readonly thread: Process['mainThread'];
}

/** Pages of a mapping, as steps name them. */
interface PagesOfStep {
  readonly mapping?: string;
  readonly firstPage?: number;
  readonly pageCount?: number;
}

export class Cast<Process extends CastProcess = CastProcess> {
  readonly pageSizeBytes: number;
  readonly #nodes: MachineDescription['nodes'];
  readonly #actors = new Map<string, Actor<Process>>();
  readonly #mappings = new Map<string, PageSpan>();
  readonly #mappingsOf = new Map<string, Set<string>>();

  constructor(pageSizeBytes: number, { nodes }: MachineDescription) {
    this.pageSizeBytes = pageSizeBytes;
    this.#nodes = nodes;
  }

  addProcess(name: string, process: Process, parent?: string): Actor<Process> {
    const actor = { process, processName: name, thread: process.mainThread };
    this.#actors.set(name, actor);
    this.#mappingsOf.set(name, new Set(parent === undefined ? [] : this.#mappingsOf.get(parent)));
    return actor;
  }

  addThread(name: string, maker: Actor<Process>, thread: Process['mainThread']): Actor<Process> {
    const actor = { ...maker, thread };
    this.#actors.set(name, actor);
    return actor;
  }

  addMapping(name: string, { processName }: Actor, span: PageSpan): void {
    this.#mappings.set(name, span);
    this.#mappingsOf.get(processName)?.add(name);
  }

  dropMapping(name: string, { processName }: Actor): void {
    this.#mappingsOf.get(processName)?.delete(name);
  }

  /** @throws NumaError NUMA_NO_SUCH_PROCESS: its step has failed */
  actor(name: string | undefined): Actor<Process> {
    const found = name === undefined ? [...this.#actors.values()][0] : this.#actors.get(name);
    if (found !== undefined) return found;
    const message = `there is no ${name ?? 'process'}: the step that should have made it failed`;
    throw new NumaError(message, { code: 'NUMA_NO_SUCH_PROCESS' });
  }

  /** @throws NumaError NUMA_RANGE_UNMAPPED: its step has failed */
  mapping(name: string): PageSpan {
    const found = this.#mappings.get(name);
    if (found !== undefined) return found;
    const message = `there is no ${name}: the step that should have mapped it failed`;
    throw new NumaError(message, { code: 'NUMA_RANGE_UNMAPPED' });
  }

  /** The processes, each with what it has or was born with, and has not unmapped. */
  get mappingsOf(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#mappingsOf;
  }

  /** The pages that a step is about. */
  span({ mapping = '', firstPage = 0, pageCount }: PagesOfStep): PageSpan {
    const whole = this.mapping(mapping);
    const address = whole.address + BigInt(firstPage * this.pageSizeBytes);
    return { address, pageCount: pageCount ?? whole.pageCount - firstPage };
  }

  /** The CPU that a step names, itself or by its node; undefined where it names none. */
  cpuOf(place: { readonly cpu?: number; readonly node?: number }): number | undefined {
    if (place.node === undefined) return place.cpu;
    const cpu = this.#nodes.find(({ id }) => id === place.node)?.cpus[0];
    if (cpu !== undefined) return cpu;
    const ids = this.#nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id);
    throw invalidArgumentValue('node', `must have CPUs: ${ids.join(', ')}`, place.node);
  }
}
