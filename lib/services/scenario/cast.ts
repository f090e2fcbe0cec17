/**
 * Who and what the names of a scenario stand for, on a simulated machine.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { NumaError } from '../../core/errors.ts';
import { countResidencySync } from '../../facade/pages/count-residency.ts';
import type { SimulatedCpuset } from '../../simulator/interface/machine-settings.ts';
import type {
  SimulatedProcess,
  SimulatedThread,
} from '../../simulator/interface/simulated-process.ts';
import type { Machine } from '../../simulator/simulated-machine.ts';
import type { MappingResidency, PlacedPages } from './outcome.ts';

/** A thread, and whose it is. */
export interface Actor {
  readonly process: SimulatedProcess;
  readonly processName: string;
  readonly thread: SimulatedThread;
}

/** Pages of a mapping, as steps name them. */
interface PagesOfStep {
  readonly mapping?: string;
  readonly by?: string;
  readonly of?: string;
  readonly firstPage?: number;
  readonly pageCount?: number;
}

export class Cast {
  readonly machine: Machine;
  readonly cpusets: Map<string, SimulatedCpuset> = new Map();
  /** What gives the references of a pin back. */
  readonly pins: Map<string, () => SyscallResult<undefined>> = new Map();
  /** What ends a fault. */
  readonly faults: Map<string, () => void> = new Map();
  readonly #actors = new Map<string, Actor>();
  readonly #mappings = new Map<string, PageSpan>();
  readonly #mappingsOf = new Map<string, Set<string>>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  addProcess(name: string, process: SimulatedProcess, parent?: string): void {
    this.#actors.set(name, { process, processName: name, thread: process.mainThread });
    this.#mappingsOf.set(name, new Set(parent === undefined ? [] : this.#mappingsOf.get(parent)));
  }

  addThread(name: string, { process, processName }: Actor, thread: SimulatedThread): void {
    this.#actors.set(name, { process, processName, thread });
  }

  addMapping(name: string, { processName }: Actor, span: PageSpan): void {
    this.#mappings.set(name, span);
    this.#mappingsOf.get(processName)?.add(name);
  }

  dropMapping(name: string, { processName }: Actor): void {
    this.#mappingsOf.get(processName)?.delete(name);
  }

  keepPin(name: string | undefined, release: () => SyscallResult<undefined>): void {
    if (name !== undefined) this.pins.set(name, release);
  }

  keepFault(name: string | undefined, end: () => void): void {
    if (name !== undefined) this.faults.set(name, end);
  }

  /** @throws NumaError NUMA_NO_SUCH_PROCESS: its step has failed */
  actor(name: string | undefined): Actor {
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

  /** @throws NumaError NUMA_INVALID_ARGUMENT: its step has failed */
  cpuset(name: string): SimulatedCpuset {
    const found = this.cpusets.get(name);
    if (found !== undefined) return found;
    const message = `there is no ${name}: the step that should have made the cpuset failed`;
    throw new NumaError(message, { code: 'NUMA_INVALID_ARGUMENT' });
  }

  /** The pages that a step is about. */
  span({ mapping = '', firstPage = 0, pageCount }: PagesOfStep): PageSpan {
    const whole = this.mapping(mapping);
    const address = whole.address + BigInt(firstPage * this.machine.pageSizeBytes);
    return { address, pageCount: pageCount ?? whole.pageCount - firstPage };
  }

  /** The CPU that a step names, itself or by its node; undefined where it names none. */
  cpuOf(place: { readonly cpu?: number; readonly node?: number }): number | undefined {
    if (place.node === undefined) return place.cpu;
    const { nodes } = this.machine.description;
    const cpu = nodes.find(({ id }) => id === place.node)?.cpus[0];
    if (cpu !== undefined) return cpu;
    const ids = nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id);
    throw invalidArgumentValue('node', `must have CPUs: ${ids.join(', ')}`, place.node);
  }

  /** Each mapping of each process that runs. */
  residency(): MappingResidency[] {
    return [...this.#mappingsOf].flatMap(([name, mappings]) => {
      const { process } = this.actor(name);
      if (!process.isRunning) return [];
      return [...mappings].map((mapping) => {
        const span = this.mapping(mapping);
        const placed = placedPages(this.machine, process, span);
        return { process: name, pid: process.pid, mapping, ...span, ...placed };
      });
    });
  }

  /** The processes that have a mapping, and run. */
  sharersOf(mapping: string): { readonly name: string; readonly process: SimulatedProcess }[] {
    return [...this.#mappingsOf]
      .filter(([, mappings]) => mappings.has(mapping))
      .map(([name]) => ({ name, process: this.actor(name).process }))
      .filter(({ process }) => process.isRunning);
  }
}

/** Where pages are: as the process itself is told, or, where it may not ask, one by one. */
export function placedPages(
  machine: Machine,
  process: SimulatedProcess,
  span: PageSpan,
): PlacedPages {
  const counted = countResidencySync({ backend: process.backend, pid: 0, ...span });
  if (!counted.ok || counted.value.pages.failed > 0) return pagesSeen(machine, process, span);
  const { byNode, pages } = counted.value;
  return { byNode, notPresent: pages.notPresent, zeroPage: pages.zeroPage };
}

function pagesSeen(
  machine: Machine,
  process: SimulatedProcess,
  { address, pageCount }: PageSpan,
): PlacedPages {
  const byNode: Record<string, number> = {};
  let notPresent = 0;
  let zeroPage = 0;
  for (let page = 0; page < pageCount; page += 1) {
    const { entry, folio } = process.pageState(address + BigInt(page * machine.pageSizeBytes));
    if (entry === 'zero') zeroPage += 1;
    else if (folio === null) notPresent += 1;
    else byNode[folio.node] = (byNode[folio.node] ?? 0) + 1;
  }
  return { byNode, notPresent, zeroPage };
}
