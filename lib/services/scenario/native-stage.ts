/**
 * Performs the steps of a scenario on this host's kernel, as far as one process of Node can: it is
 * the scenario's only process, on its own thread.
 */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import type { Mapping } from '../../backend/mapping.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { NumaError } from '../../core/errors.ts';
import { nodemaskPair } from '../../core/nodemask-words.ts';
import { MPOL, MPOL_MF, STATUS_UNSET } from '../../core/uapi.ts';
import { explainedError } from '../../facade/errors/explanations.ts';
import { countResidencySync } from '../../facade/pages/count-residency.ts';
import { pageCountOf } from './check-names.ts';
import {
  answerOf,
  type PlacedPages,
  type StepOutcome,
  type StepResult,
  statusesOf,
  stepOutcome,
} from './outcome.ts';
import { nodeWords, policyCall } from './policy-arguments.ts';
import type { MapStep, MigratePagesStep, MovePagesStep, SetPolicyStep, Step } from './scenario.ts';

/** Words of the steps that can be done here; record.ts refuses the others. */
export const NATIVE_WORDS: readonly Step['do'][] = [
  ...(['process', 'setAffinity', 'map', 'unmap', 'touch', 'store'] as const),
  ...(['setPolicy', 'movePages', 'migratePages', 'expect'] as const),
];

type Words<W extends Step['do']> = Extract<Step, { readonly do: W }>;
type NativeStep = Words<
  | ('process' | 'setAffinity' | 'map' | 'unmap' | 'touch' | 'store')
  | ('setPolicy' | 'movePages' | 'migratePages')
>;

export class NativeStage {
  readonly #backend: Backend;
  readonly #mappings = new Map<string, Mapping>();
  readonly #cpus: readonly number[];

  /** @throws NumaError where the system does not tell the thread's CPUs */
  constructor(backend: Backend) {
    this.#backend = backend;
    this.#cpus = this.#unwrap(backend.schedGetaffinity(), 'the CPUs of this thread');
  }

  /** The CPU that the process runs on where the scenario names none. */
  get firstCpu(): number {
    return this.#cpus[0] as number;
  }

  /** Does a step; what the kernel refuses is an outcome. @throws NumaError: a mapping failed */
  async perform(step: NativeStep): Promise<StepOutcome> {
    return stepOutcome(step, await this.#perform(step));
  }

  /** A mapping that a step made and none took back. */
  mapping(name: string): PageSpan {
    const { address, lengthBytes } = this.#mappingOf(name);
    return { address, pageCount: Math.ceil(lengthBytes / this.#backend.pageSizeBytes) };
  }

  get mappingNames(): string[] {
    return [...this.#mappings.keys()];
  }

  /** @throws NumaError: the kernel does not tell */
  placed(name: string): PlacedPages {
    const mapping = this.#mappingOf(name);
    const counted = countResidencySync({
      backend: this.#backend,
      pid: 0,
      mapping,
      ...this.mapping(name),
    });
    const { pages, byNode } = this.#unwrap(counted, `locating the pages of ${name}`);
    return { byNode, notPresent: pages.notPresent, zeroPage: pages.zeroPage };
  }

  /** The thread is as it was, and nothing is mapped any more. */
  end(): void {
    for (const mapping of this.#mappings.values()) this.#backend.munmap(mapping);
    this.#mappings.clear();
    this.#backend.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
    this.#backend.schedSetaffinity(this.#cpus);
  }

  #perform(step: NativeStep): StepResult | Promise<StepResult> {
    const backend = this.#backend;
    switch (step.do) {
      case 'process':
        return this.#runOn(
          step.node === undefined && step.cpu === undefined ? { cpu: this.firstCpu } : step,
        );
      case 'setAffinity':
        return this.#runOn(step);
      case 'map':
        return this.#map(step);
      case 'unmap':
        backend.munmap(this.#mappingOf(step.mapping));
        this.#mappings.delete(step.mapping);
        return { answer: 0 };
      case 'touch': {
        const { offsetBytes, lengthBytes } = this.#bytesOf(step);
        const { access = 'write' } = step;
        const mapping = this.#mappingOf(step.mapping);
        return { answer: answerOf(backend.touch(mapping, offsetBytes, lengthBytes, access)) };
      }
      case 'store':
        return this.#store(step);
      case 'setPolicy':
        return this.#setPolicy(step);
      case 'movePages':
        return this.#movePages(step);
      case 'migratePages':
        return this.#migratePages(step);
    }
  }

  #runOn({ cpu, node }: { readonly cpu?: number; readonly node?: number }): StepResult {
    const topology = this.#unwrap(this.#backend.topology(), 'reading the topology');
    const wanted = cpu ?? topology.nodes.find(({ id }) => id === node)?.cpus?.[0];
    const result = this.#backend.schedSetaffinity(wanted === undefined ? [] : [wanted]);
    return { answer: answerOf(result), details: `on CPU ${wanted}` };
  }

  #map(step: MapStep): StepResult {
    const { pageSizeBytes } = this.#backend;
    const result = this.#backend.mmap(pageCountOf(step, pageSizeBytes) * pageSizeBytes);
    if (!result.ok) return { answer: answerOf(result) };
    this.#mappings.set(step.name, result.value);
    return { answer: 0, details: `at 0x${result.value.address.toString(16)}` };
  }

  #store(step: Words<'store'>): StepResult {
    const { offsetBytes } = this.#bytesOf(step);
    const bytes = this.#backend.arrayBuffer(this.#mappingOf(step.mapping));
    if (!bytes.ok) return { answer: answerOf(bytes) };
    const view = new DataView(bytes.value, offsetBytes, BigUint64Array.BYTES_PER_ELEMENT);
    view.setBigUint64(0, BigInt(step.value), true);
    return { answer: 0 };
  }

  #setPolicy(step: SetPolicyStep): StepResult {
    const backend = this.#backend;
    const { homeNode, flags, ...policy } = policyCall(step);
    if (step.mapping === undefined) return { answer: answerOf(backend.setMempolicy(policy)) };
    const { address, lengthBytes } = this.#bytesOf({ ...step, mapping: step.mapping });
    const result = backend.mbind({ address, lengthBytes, ...policy, flags });
    if (!result.ok || homeNode === undefined) return { answer: answerOf(result) };
    const home = { address, lengthBytes, node: homeNode, flags: 0 };
    return { answer: answerOf(backend.setMempolicyHomeNode(home)) };
  }

  #movePages(step: MovePagesStep): StepResult {
    const { address, lengthBytes } = this.#bytesOf(step);
    const pageCount = lengthBytes / this.#backend.pageSizeBytes;
    const status = new Int32Array(pageCount).fill(STATUS_UNSET);
    const flags = step.all ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE;
    const pages = { address, pageCount };
    const request = { pid: 0, pages, nodes: step.to ?? null, flags, status };
    return { answer: answerOf(this.#backend.movePagesSync(request)), statuses: statusesOf(status) };
  }

  async #migratePages(step: MigratePagesStep): Promise<StepResult> {
    const masks = nodemaskPair(nodeWords(step.from), nodeWords(step.to));
    return { answer: answerOf(await this.#backend.migratePages({ pid: 0, ...masks })) };
  }

  /** Whole pages of a mapping. */
  #bytesOf(step: {
    readonly mapping: string;
    readonly firstPage?: number;
    readonly pageCount?: number;
  }): { readonly address: bigint; readonly offsetBytes: number; readonly lengthBytes: number } {
    const { pageSizeBytes } = this.#backend;
    const whole = this.mapping(step.mapping);
    const { firstPage = 0, pageCount = whole.pageCount - firstPage } = step;
    const offsetBytes = firstPage * pageSizeBytes;
    const address = whole.address + BigInt(offsetBytes);
    return { address, offsetBytes, lengthBytes: pageCount * pageSizeBytes };
  }

  #mappingOf(name: string): Mapping {
    const found = this.#mappings.get(name);
    if (found !== undefined) return found;
    throw new NumaError(`there is no ${name}`, { code: 'NUMA_RANGE_UNMAPPED' });
  }

  #unwrap<T>(result: SyscallResult<T>, asked: string): T {
    if (result.ok) return result.value;
    const { syscall, errno } = result;
    throw explainedError({ syscall, errno, asked, args: {}, backend: this.#backend.identity.kind });
  }
}
