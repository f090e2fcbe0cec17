/**
 * `node-numa simulate`: a scenario on a simulated machine, step by step; or on this host's kernel,
 * to be compared with the simulator.
 */

import { writeFileSync } from 'node:fs';
import { Option } from 'commander';
import type { MachineDescription } from '../../core/machine-description.ts';
import { countText } from '../../core/unit-text.ts';
import { type BackendInfo, backendOf } from '../../facade/numa.ts';
import { openNuma } from '../../facade/open-numa.ts';
import type { StepOutcome } from '../../services/scenario/outcome.ts';
import { type Play, playScenario } from '../../services/scenario/play.ts';
import { bundledScenarioNames, openScenario } from '../../services/scenario/read-scenario.ts';
import { recordScenario } from '../../services/scenario/record.ts';
import type { Scenario } from '../../services/scenario/scenario.ts';
import { eventLine } from '../../simulator/migrate/migration-trace.ts';
import { type CommandSpec, defineCommand, type Invocation } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readMachine } from '../machine-file.ts';
import { parseKernel } from '../open-machine.ts';
import { backendLine } from '../render/backend-line.ts';
import { drawFrame } from '../render/scenario-frame.ts';
import { residencyTable, stepLines, wrap } from '../render/scenario-text.ts';
import { visible } from '../render/visible.ts';
import { stepThrough } from '../stepper.ts';
import { UsageError } from '../usage-error.ts';

interface SimulateOptions {
  readonly step?: boolean;
  readonly trace?: boolean;
  readonly list?: boolean;
  readonly record?: string;
}

export const simulateCommand: CommandSpec = defineCommand<SimulateOptions>({
  name: 'simulate',
  summary: 'play a scenario on a simulated machine, step by step',
  description: [
    'A scenario says what processes do with their memory, one step after the other, and what ' +
      'must come of it. It is one of those that come with the package (--list), or a JSON file ' +
      '(docs/scenarios.md). Where something is not as expected, the exit status is 1.',
  ],
  args: [{ flags: '[scenario]', description: 'a name of --list, or a JSON file' }],
  options: [
    new Option('--step', 'walk through it in the terminal, forwards and backwards'),
    new Option('--trace', "print each step of the kernel's migrations"),
    new Option('--list', 'list the scenarios that come with the package'),
    new Option(
      '--record <file>',
      "do it on this host's kernel; write what comes of it as a scenario",
    ),
  ],
  examples: [
    { line: 'node-numa simulate --list', says: 'the scenarios that there are' },
    { line: 'node-numa simulate wrong-node', says: 'memory on the wrong node, and the repair' },
    { line: 'node-numa simulate pinned --trace --kernel 6.1', says: 'why a page stays behind' },
    {
      line: 'node-numa simulate page --step',
      says: 'a migration, one step of the kernel at a time',
    },
  ],
  takesMachine: true,
  takesJson: true,
  async run(invocation) {
    const { options, output } = invocation;
    if (options.list) return listScenarios(invocation);
    const [name] = invocation.args as [string | undefined];
    if (name === undefined) {
      const names = bundledScenarioNames().join(', ');
      throw new UsageError(`simulate needs a scenario: a JSON file, or one of ${names}`);
    }
    const scenario = openNamed(name);
    if (options.record !== undefined) return record(invocation, scenario, options.record);
    const isTerminal = output.isTerminal && process.stdin.isTTY === true;
    const isWatched = options.step === true && isTerminal && !options.json;
    const play = playScenario(scenario, {
      machine: machineInstead(options.machine),
      kernel: parseKernel(options.kernel),
      isTraced: options.trace === true || options.step === true,
      isWatched,
    });
    if (isWatched) await walk(play, invocation);
    else if (options.json) output.json(jsonOf(play));
    else output.lines(linesOf(play, invocation));
    return play.differences.length === 0 ? EXIT.DONE : EXIT.FAILED;
  },
});

/** @throws UsageError: what is wrong with it, by step and member */
function openNamed(name: string): Scenario {
  try {
    return openScenario(name);
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

function machineInstead(name: string | undefined): MachineDescription | undefined {
  if (name === undefined) return undefined;
  const { description } = readMachine(name);
  if (description !== undefined) return description;
  throw new UsageError(`--machine ${name}: it is a scenario; simulate takes one machine for it`);
}

function listScenarios({ options, output }: Invocation<SimulateOptions>): ExitCode {
  const scenarios = bundledScenarioNames().map(openScenario);
  if (options.json) {
    output.json({ scenarios: scenarios.map(({ name, summary }) => ({ name, summary })) });
    return EXIT.DONE;
  }
  const { columns } = output;
  const widest = Math.max(...scenarios.map(({ name }) => name.length));
  output.lines(
    scenarios.flatMap(({ name, summary }) => {
      const line = `${name.padEnd(widest)}  ${summary}`;
      return line.length <= columns ? [line] : [name, ...wrap(`        ${summary}`, columns)];
    }),
  );
  return EXIT.DONE;
}

async function walk(play: Play, { output, interrupts }: Invocation<object>): Promise<void> {
  const draw = (at: number, size: Parameters<typeof drawFrame>[2]): string[] =>
    drawFrame(play, at, size, output.colours);
  const terminal = { output, input: process.stdin };
  await stepThrough({ count: play.frames.length, draw }, terminal, interrupts);
}

function linesOf(play: Play, { options, output }: Invocation<SimulateOptions>): string[] {
  const { colours, columns } = output;
  const { scenario, outcomes, differences, residency } = play;
  const hasEvents = options.trace === true || options.step === true;
  const verdict =
    differences.length === 0
      ? colours.good(verdictText(outcomes))
      : colours.bad(`${countText(differences.length, 'difference')}:`);
  return [
    backendLine(backendInfo(play), colours),
    ...wrap(scenario.summary, columns),
    '',
    ...stepLines(outcomes, columns, colours).flatMap((lines, index) => [
      ...lines,
      ...(hasEvents ? eventLines(play, index) : []),
    ]),
    '',
    ...(residency.length === 0 ? [] : [...residencyTable(residency, columns, colours), '']),
    verdict,
    ...differences.flatMap((text) => wrap(`  ${text}`, columns)),
  ];
}

/** What migrations did in the course of a step. */
function eventLines({ events }: Play, stepIndex: number): string[] {
  return events.filter((one) => one.stepIndex === stepIndex).map(({ event }) => eventLine(event));
}

function verdictText(outcomes: readonly StepOutcome[]): string {
  const count = outcomes.filter(({ step }) => step.do === 'expect').length;
  return count === 0 ? 'nothing was expected' : `all as expected (${countText(count, 'check')})`;
}

function backendInfo({ scenario, machine }: Play): BackendInfo {
  const reason = `plays "${scenario.name}" on the machine "${machine.description.name}"`;
  return { kind: 'simulator', reason, kernel: machine.kernel, libnuma: null };
}

function jsonOf(play: Play): object {
  const { scenario, outcomes, differences, residency, trace } = play;
  return {
    backend: backendInfo(play),
    scenario: { name: scenario.name, summary: scenario.summary },
    steps: outcomes.map(stepJson),
    residency,
    differences,
    ...(trace === null ? {} : { trace }),
  };
}

function stepJson({
  step,
  answer,
  details,
  statuses,
  differences,
  meanwhile,
}: StepOutcome): object {
  return {
    step,
    answer,
    details,
    ...(statuses === undefined ? {} : { statuses }),
    ...(step.do === 'expect' ? { differences } : {}),
    ...(meanwhile.length === 0 ? {} : { meanwhile: meanwhile.map(stepJson) }),
  };
}

async function record(
  { options, output }: Invocation<SimulateOptions>,
  scenario: Scenario,
  file: string,
): Promise<ExitCode> {
  const other = ['step', 'trace', 'machine', 'kernel'].find((name) => name in options);
  if (other !== undefined) {
    throw new UsageError(`--record works on this host's kernel: leave --${other} out`);
  }
  const numa = openNuma({ backend: 'native' });
  const recording = await recordScenario(scenario, backendOf(numa));
  try {
    writeFileSync(file, `${JSON.stringify(recording.scenario, null, 2)}\n`);
  } catch (error) {
    throw new UsageError(`--record ${file}: ${(error as Error).message}`, { cause: error });
  }
  const { backend } = numa;
  if (options.json) {
    output.json({ backend, file, steps: recording.outcomes.map(stepJson) });
    return EXIT.DONE;
  }
  output.lines([
    backendLine(backend, output.colours),
    ...wrap(scenario.summary, output.columns),
    '',
    ...stepLines(recording.outcomes, output.columns, output.colours).flat(),
    '',
    visible(`written to ${file}; node-numa simulate ${file} compares the simulator with it`),
  ]);
  return EXIT.DONE;
}
