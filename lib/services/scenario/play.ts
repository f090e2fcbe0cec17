/**
 * A scenario from its first step to its last on a simulated machine; with pictures of a page behind
 * each step of the migrations where somebody wants to look at them: going back is looking at an
 * earlier one.
 */

import type { KernelLine } from '../../core/kernels.ts';
import type { MachineDescription } from '../../core/machine-description.ts';
import type { MigrationEvent } from '../../simulator/interface/migration-event.ts';
import type { PageState } from '../../simulator/interface/simulated-process.ts';
import type { MigrationTraceJson } from '../../simulator/migrate/migration-trace.ts';
import { Machine } from '../../simulator/simulated-machine.ts';
import type { MappingResidency, StepOutcome } from './outcome.ts';
import { machineOf } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedStage } from './simulated-stage.ts';

export interface PlayOptions {
  /** In place of the scenario's own. */
  readonly machine?: MachineDescription | undefined;
  readonly kernel?: KernelLine | undefined;
  /** Keeps the steps of the migrations. */
  readonly isTraced?: boolean;
  /** Keeps pictures of the page to watch, too. */
  readonly isWatched?: boolean;
}

/** The watched page in one of the processes that have it. */
export interface PagePicture {
  readonly process: string;
  readonly pid: number;
  readonly state: PageState;
}

/** A moment: after a step of the scenario, or after a step of a migration within it. */
export interface Frame {
  /** Of the scenario, from 0 on; -1 before the first. */
  readonly stepIndex: number;
  /** null: the step is done. */
  readonly event: MigrationEvent | null;
  readonly pages: readonly PagePicture[];
  readonly freePages: readonly { readonly node: number; readonly count: number }[];
}

export interface Play {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly outcomes: readonly StepOutcome[];
  /** What is not as expected, in sentences that name the step. */
  readonly differences: readonly string[];
  readonly residency: readonly MappingResidency[];
  /** Each with the number of the step that had it. */
  readonly events: readonly { readonly stepIndex: number; readonly event: MigrationEvent }[];
  readonly trace: MigrationTraceJson | null;
  readonly frames: readonly Frame[];
}

/** The machine of a scenario before its first step. */
export function scenarioMachine(
  scenario: Scenario,
  { machine, kernel = scenario.kernel }: Pick<PlayOptions, 'machine' | 'kernel'> = {},
): Machine {
  const { pageSizeBytes, hugePages } = scenario;
  const made = new Machine(machine ?? machineOf(scenario.machine), {
    ...(kernel === undefined ? {} : { kernel }),
    ...(pageSizeBytes === undefined ? {} : { pageSizeBytes }),
  });
  if (hugePages !== undefined) made.hugePages = hugePages;
  return made;
}

/** The machine of a scenario after its last step; what it expects is not looked at. */
export function machineAfter(
  scenario: Scenario,
  options: Pick<PlayOptions, 'kernel'> = {},
): Machine {
  const machine = scenarioMachine(scenario, options);
  const stage = new SimulatedStage(machine);
  for (const step of scenario.steps) if (step.do !== 'expect') stage.perform(step);
  return machine;
}

/** @throws what `SimulatedStage.perform` throws */
export function playScenario(scenario: Scenario, options: PlayOptions = {}): Play {
  const machine = scenarioMachine(scenario, options);
  const stage = new SimulatedStage(machine);
  const outcomes: StepOutcome[] = [];
  const events: { stepIndex: number; event: MigrationEvent }[] = [];
  const frames: Frame[] = [];
  const { isTraced = false, isWatched = false } = options;
  const trace = isTraced || isWatched ? machine.traceMigrations() : null;
  const picture = (stepIndex: number, event: MigrationEvent | null): void => {
    if (isWatched) frames.push(frameOf(stage, scenario, stepIndex, event));
  };
  const onEvent = (event: MigrationEvent): void => {
    events.push({ stepIndex: outcomes.length, event });
    picture(outcomes.length, event);
  };
  // What is seen behind a step is what others would see there.
  const end = trace === null ? undefined : machine.faults.atEachStep(onEvent);
  picture(-1, null);
  for (const step of scenario.steps) {
    outcomes.push(stage.perform(step));
    picture(outcomes.length - 1, null);
  }
  end?.();
  trace?.stop();
  return {
    scenario,
    machine,
    outcomes,
    differences: [...outcomes.flatMap(differencesNamed), ...stage.unmet()],
    residency: stage.residency(),
    events,
    trace: trace?.toJSON() ?? null,
    frames,
  };
}

function differencesNamed({ step, differences }: StepOutcome, index: number): string[] {
  return differences.map((text) => `step ${index + 1} (${step.do}): ${text}`);
}

function frameOf(
  stage: SimulatedStage,
  scenario: Scenario,
  stepIndex: number,
  event: MigrationEvent | null,
): Frame {
  const { machine } = stage;
  const { nodes } = machine.topology();
  return {
    stepIndex,
    event,
    pages: watchedPages(stage, scenario),
    freePages: nodes
      .filter(({ memoryBytes }) => memoryBytes > 0)
      .map(({ id, freeBytes }) => ({ node: id, count: freeBytes / machine.pageSizeBytes })),
  };
}

function watchedPages({ cast }: SimulatedStage, { watch, steps }: Scenario): PagePicture[] {
  const mapping = watch?.mapping ?? steps.find((step) => step.do === 'map')?.name;
  if (mapping === undefined) return [];
  return [...cast.mappingsOf].flatMap(([name, mappings]): PagePicture[] => {
    const { process } = cast.actor(name);
    if (!mappings.has(mapping) || !process.isRunning) return [];
    const { address } = cast.span({ mapping, firstPage: watch?.page ?? 0 });
    return [{ process: name, pid: process.pid, state: process.pageState(address) }];
  });
}
