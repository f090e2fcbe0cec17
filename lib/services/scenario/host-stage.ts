/**
 * Performs the steps of a scenario on this host's kernel, as far as one process of Node can: it is
 * the scenario's only process, on its own thread.
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { MachineDescription } from '../../core/machine-description.ts';
import { MPOL } from '../../core/uapi.ts';
import { explainedError } from '../../facade/errors/explanations.ts';
import { countResidencySync } from '../../facade/pages/count-residency.ts';
import { BackendMemory } from '../../machine/backend-memory.ts';
import { type Actor, Cast, type CastProcess } from './cast.ts';
import { type PlacedPages, placedPages, type StepOutcome, stepOutcome } from './outcome.ts';
import type { Step } from './scenario.ts';
import {
  COMMON_STEPS,
  type MovingCalls,
  type Performers,
  performStep,
  runOn,
  type Scene,
} from './steps.ts';

const HOST_STEPS: Performers<keyof typeof COMMON_STEPS | 'process', HostStage> = {
  ...COMMON_STEPS,
  process: (stage, step) => runOn(stage, stage.cast.addProcess(step.name, stage.process), step),
};

/** Words of the steps that can be done here, or give way to what is done; record.ts refuses the
 *  others. */
export const HOST_WORDS: readonly string[] = [...Object.keys(HOST_STEPS), 'expect'];

export class HostStage implements Scene {
  readonly cast: Cast;
  readonly process: CastProcess;
  readonly #backend: Backend;
  readonly #memory: BackendMemory;
  readonly #cpus: readonly number[];

  /** @throws NumaError where the system does not tell the thread's CPUs */
  constructor(backend: Backend, machine: MachineDescription) {
    this.#backend = backend;
    this.#memory = new BackendMemory(backend);
    this.process = { pid: 0, mainThread: { backend, memory: this.#memory } };
    this.cast = new Cast(backend.pageSizeBytes, machine);
    this.#cpus = this.#unwrap(backend.schedGetaffinity(), 'the CPUs of this thread');
  }

  /** The step with what it leaves to this host: the CPU that its process runs on. */
  placed(step: Step): Step {
    if (step.do !== 'process' || step.node !== undefined || step.cpu !== undefined) return step;
    return { ...step, cpu: this.#cpus[0] as number };
  }

  /** Does a step; what the kernel refuses is an outcome. @throws as `performStep` */
  async perform(step: Step, index: number): Promise<StepOutcome> {
    const where = `step ${index + 1} (${step.do})`;
    const result = await performStep<HostStage>(HOST_STEPS, this, this.placed(step), where);
    return stepOutcome(step, result);
  }

  placeText(_: Actor, cpu: number | undefined): string {
    return `on CPU ${cpu}`;
  }

  moving(): MovingCalls {
    const backend = this.#backend;
    return {
      mbind: (request) => backend.mbind(request),
      movePages: (request) => backend.movePagesSync(request),
      migratePages: (request) => backend.migratePages(request),
    };
  }

  get mappingNames(): string[] {
    return [...this.cast.mappingsOf.values()].flatMap((names) => [...names]);
  }

  /** @throws NumaError: the kernel does not tell */
  pagesOf(mapping: string): PlacedPages {
    const span = this.cast.mapping(mapping);
    const counted = countResidencySync({ backend: this.#backend, pid: 0, ...span });
    return placedPages(this.#unwrap(counted, `locating the pages of ${mapping}`));
  }

  /** The thread is as it was, and nothing is mapped any more. */
  end(): void {
    this.#memory.giveBack();
    this.#backend.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
    this.#backend.schedSetaffinity(this.#cpus);
  }

  #unwrap<T>(result: SyscallResult<T>, asked: string): T {
    if (result.ok) return result.value;
    const { syscall, errno } = result;
    throw explainedError({ syscall, errno, asked, args: {}, backend: this.#backend.identity.kind });
  }
}
