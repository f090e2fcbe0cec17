/**
 * Performs the steps of a scenario on a simulated machine, one after the other, synchronously.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { errnoName } from '../../core/errno.ts';
import { NumaError } from '../../core/errors.ts';
import type { SteppedCall } from '../../simulator/interface/stepped-calls.ts';
import type { Machine } from '../../simulator/simulated-machine.ts';
import { Cast, placedPages } from './cast.ts';
import { differencesOf, type Observed } from './expectations.ts';
import { FAULT_PERFORMERS, MACHINE_PERFORMERS } from './machine-performers.ts';
import {
  type Answer,
  answerOf,
  type StepOutcome,
  type StepResult,
  stepOutcome,
} from './outcome.ts';
import { policyTextAt } from './policy-arguments.ts';
import type { ExpectStep, MeanwhileStep, Step } from './scenario.ts';
import {
  MEMORY_PERFORMERS,
  PLACEMENT_PERFORMERS,
  PROCESS_PERFORMERS,
  type Scene,
} from './simulated-steps.ts';

const PERFORMERS = {
  ...PROCESS_PERFORMERS,
  ...MEMORY_PERFORMERS,
  ...PLACEMENT_PERFORMERS,
  ...MACHINE_PERFORMERS,
  ...FAULT_PERFORMERS,
};

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

export class SimulatedStage implements Scene {
  readonly cast: Cast;
  readonly #pending = new Set<Pending>();
  #racing: Racing[] = [];
  #meanwhile: StepOutcome[] = [];
  #stepCount = 0;
  #answer: Answer | null = null;
  #statuses: Readonly<Record<string, number>> | undefined;

  constructor(machine: Machine) {
    this.cast = new Cast(machine);
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
    try {
      const perform = PERFORMERS[step.do] as (scene: Scene, step: Step) => StepResult;
      return perform(this, step);
    } catch (error) {
      return refusalOf(error, where);
    }
  }

  #wait(step: MeanwhileStep): StepResult {
    const act = (): void => {
      this.#pending.delete(pending);
      pending.end();
      for (const inner of step.steps) this.#act(inner);
    };
    const end = this.cast.machine.faults.at(step.behind, act, step.occurrence);
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
    const actor = cast.actor(step.by);
    const address = (): bigint => cast.span(step).address;
    return {
      answer: this.#answer,
      statuses: this.#statuses,
      placed: () => placedPages(cast.machine, actor.process, cast.span(step)),
      value: () => {
        const loaded = actor.thread.memory.load(address());
        return loaded.ok ? Number(loaded.value) : errnoName(loaded.errno);
      },
      policy: () =>
        policyTextAt(actor.thread.backend, step.mapping === undefined ? undefined : address()),
    };
  }
}

/** What the simulator throws where a call has an errno is an answer; other errors name the step. */
function refusalOf(error: unknown, where: string): StepResult {
  if (error instanceof NumaError) {
    if (error.errnoName !== undefined) return { answer: error.errnoName };
    throw error.with({ asked: where });
  }
  const { message, code } = error as Error & { readonly code?: string };
  if (code?.startsWith('ERR_') !== true) throw error;
  const type = error instanceof RangeError ? RangeError : TypeError;
  throw Object.assign(new type(`${where}: ${message}`, { cause: error }), { ...(error as object) });
}
