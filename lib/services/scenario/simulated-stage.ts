/**
 * Performs the steps of a scenario on a simulated machine, one after the other, synchronously.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { errnoName } from '../../core/errno.ts';
import { NumaError } from '../../core/errors.ts';
import { policyOfModeWord } from '../../core/memory-policy.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { MAXNODE_ALL, nodesOfWords } from '../../core/nodemask-words.ts';
import { MPOL_F } from '../../core/uapi.ts';
import { countResidencySync } from '../../facade/pages/count-residency.ts';
import type { SimulatedCpuset } from '../../simulator/interface/machine-settings.ts';
import type {
  SimulatedProcess,
  SimulatedThread,
  SteppedCall,
} from '../../simulator/interface/simulated-process.ts';
import type { Machine } from '../../simulator/simulated-machine.ts';
import { type Actor, Cast } from './cast.ts';
import {
  type Answer,
  answerOf,
  differencesOf,
  type MappingResidency,
  type Observed,
  type PlacedPages,
  placedPages,
  type StepOutcome,
  type StepResult,
  stepOutcome,
} from './outcome.ts';
import type { ExpectStep, MeanwhileStep, Step } from './scenario.ts';
import { SIMULATED_STEPS, type SimulatedScene } from './simulated-steps.ts';
import { type MovingCalls, performStep } from './steps.ts';

/** An access that goes on beside a migration, and may have to wait for it. */
interface Racing {
  readonly step: Step;
  readonly call: SteppedCall<undefined>;
}

/** Steps that wait for their moment. */
interface Pending {
  readonly step: MeanwhileStep;
  readonly position: number;
  readonly end: () => void;
}

export class SimulatedStage implements SimulatedScene {
  readonly machine: Machine;
  readonly cast: Cast<SimulatedProcess>;
  readonly cpusets: SimulatedScene['cpusets'] = new Map();
  readonly pins: SimulatedScene['pins'] = new Map();
  readonly faults: SimulatedScene['faults'] = new Map();
  readonly #pending = new Set<Pending>();
  #racing: Racing[] = [];
  #meanwhile: StepOutcome[] = [];
  #stepCount = 0;
  #answer: Answer | null = null;
  #statuses: Readonly<Record<string, number>> | undefined;

  constructor(machine: Machine) {
    this.machine = machine;
    this.cast = new Cast(machine.pageSizeBytes, machine.description);
  }

  /**
   * Does the next step. What the kernel refuses is an outcome.
   * @throws NumaError: something that an earlier step should have made is not there; TypeError,
   *   RangeError: the machine has no such node or CPU
   */
  perform(step: Step): StepOutcome {
    this.#stepCount += 1;
    this.#meanwhile = [];
    const where = `step ${this.#stepCount} (${step.do})`;
    const outcome = stepOutcome(step, {
      ...this.#perform(step, where),
      meanwhile: this.#meanwhile,
    });
    if (outcome.answer !== null) {
      this.#answer = outcome.answer;
      this.#statuses = outcome.statuses;
    }
    return outcome;
  }

  /** What never had its moment, in sentences. */
  unmet(): string[] {
    return [...this.#pending].map(({ step, position }) => {
      return `step ${position} (meanwhile): no migration had such a step: ${step.behind}`;
    });
  }

  /** Each mapping of each process that runs. */
  residency(): MappingResidency[] {
    return [...this.cast.mappingsOf].flatMap(([name, mappings]) => {
      const { process } = this.cast.actor(name);
      if (!process.isRunning) return [];
      return [...mappings].map((mapping) => {
        const span = this.cast.mapping(mapping);
        const placed = this.#placed(process, span);
        return { process: name, pid: process.pid, mapping, ...span, ...placed };
      });
    });
  }

  cpuset(name: string): SimulatedCpuset {
    const found = this.cpusets.get(name);
    if (found !== undefined) return found;
    const message = `there is no ${name}: the step that should have made the cpuset failed`;
    throw new NumaError(message, { code: 'NUMA_INVALID_ARGUMENT' });
  }

  placeText({ thread }: Actor<SimulatedProcess>): string {
    const node = this.machine.description.nodes.find(({ cpus }) => cpus.includes(thread.cpu));
    return `on CPU ${thread.cpu} of node ${node?.id}`;
  }

  moving({ thread }: Actor<SimulatedProcess>): MovingCalls {
    const { steps, numa, backend } = thread;
    return {
      mbind: (request) =>
        this.move(
          () => steps.mbind(request),
          () => backend.mbind(request),
        ),
      movePages: (request) => {
        const { nodes: node } = request;
        const atOnce = (): SyscallResult<number> => backend.movePagesSync(request);
        return node === null
          ? atOnce()
          : this.move(() => steps.movePages({ ...request, node }), atOnce);
      },
      migratePages: ({ pid, maxnode, ...masks }) => {
        const mask = (words: BigUint64Array | null) => (words === null ? null : { words, maxnode });
        const request = { pid, from: mask(masks.from), to: mask(masks.to) };
        return this.move(
          () => steps.migratePages(request),
          () => numa.migratePages(request),
        );
      },
    };
  }

  move<T>(stepped: () => SteppedCall<T>, atOnce: () => SyscallResult<T>): SyscallResult<T> {
    if (this.#pending.size === 0) return atOnce();
    const call = stepped();
    while (!call.isEnded) {
      call.step();
      for (const { call: other } of this.#racing) other.step();
    }
    for (const { step, call: other } of this.#racing) {
      this.#meanwhile.push(stepOutcome(step, { answer: answerOf(other.run()) }));
    }
    this.#racing = [];
    return call.result as SyscallResult<T>;
  }

  #perform(step: Step, where: string): StepResult {
    if (step.do === 'expect') return { differences: differencesOf(step, this.#observed(step)) };
    if (step.do === 'meanwhile') return this.#wait(step);
    // The calls of a simulated machine are answered at once.
    return performStep<SimulatedScene>(SIMULATED_STEPS, this, step, where) as StepResult;
  }

  #wait(step: MeanwhileStep): StepResult {
    const act = (): void => {
      this.#pending.delete(pending);
      pending.end();
      for (const inner of step.steps) this.#act(inner);
    };
    const end = this.machine.faults.at(step.behind, act, step.occurrence);
    const pending = { step, position: this.#stepCount, end };
    this.#pending.add(pending);
    return {};
  }

  /** Between two steps of a migration: an access goes on beside it, the rest is done at once. */
  #act(step: Step): void {
    if (step.do === 'store') {
      const { thread } = this.cast.actor(step.by);
      const call = thread.steps.store(this.cast.span(step).address, BigInt(step.value));
      this.#racing.push({ step, call });
    } else if (step.do === 'touch') {
      const { thread } = this.cast.actor(step.by);
      const call = thread.steps.touch(this.cast.span(step), step.access ?? 'write');
      this.#racing.push({ step, call });
    } else {
      this.#meanwhile.push(stepOutcome(step, this.#perform(step, `${step.do} meanwhile`)));
    }
  }

  #observed(step: ExpectStep): Observed {
    const { cast } = this;
    const { process, thread } = cast.actor(step.by);
    const address = (): bigint => cast.span(step).address;
    return {
      answer: this.#answer,
      statuses: this.#statuses,
      placed: () => this.#placed(process, cast.span(step)),
      value: () => {
        const loaded = thread.memory.load(address());
        return loaded.ok ? Number(loaded.value) : errnoName(loaded.errno);
      },
      policy: () => policyText(thread, step.mapping === undefined ? undefined : address()),
    };
  }

  /** Where pages are: as the process itself is told, or, where it may not ask, one by one. */
  #placed(process: SimulatedProcess, span: PageSpan): PlacedPages {
    const counted = countResidencySync({ backend: process.backend, pid: 0, ...span });
    if (counted.ok && counted.value.pages.failed === 0) return placedPages(counted.value);
    const byNode: Record<string, number> = {};
    let notPresent = 0;
    let zeroPage = 0;
    for (let page = 0; page < span.pageCount; page += 1) {
      const address = span.address + BigInt(page * this.machine.pageSizeBytes);
      const { entry, folio } = process.pageState(address);
      if (entry === 'zero') zeroPage += 1;
      else if (folio === null) notPresent += 1;
      else byNode[folio.node] = (byNode[folio.node] ?? 0) + 1;
    }
    return { byNode, notPresent, zeroPage };
  }
}

/** The policy of an address or of the thread; the errno's name if it is refused. */
function policyText({ backend }: SimulatedThread, address: bigint | undefined): string {
  const request = address === undefined ? { flags: 0 } : { flags: MPOL_F.ADDR, address };
  const result = backend.getMempolicy({ ...request, maxnode: MAXNODE_ALL });
  if (!result.ok) return errnoName(result.errno);
  const { mode, nodemask } = result.value;
  return `${policyOfModeWord(mode, NodeMask.from(nodesOfWords(nodemask))) ?? `mode ${mode}`}`;
}
