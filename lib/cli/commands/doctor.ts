/**
 * `node-numa doctor`: what this host or container allows, what it does not, and what would help.
 */

import { Option } from 'commander';
import { NumaError } from '../../core/errors.ts';
import { countText } from '../../core/unit-text.ts';
import type { Numa } from '../../facade/numa.ts';
import { type Examination, examine, examineFailure } from '../../services/doctor/examine.ts';
import type { Finding, FindingState } from '../../services/doctor/finding.ts';
import { seccompProfile } from '../../services/doctor/seccomp-profile.ts';
import { type CommandSpec, defineCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { backendLine } from '../render/backend-line.ts';
import type { Colours } from '../render/colours.ts';
import { paragraph } from '../render/paragraph.ts';
import { visible } from '../render/visible.ts';

interface DoctorOptions {
  readonly seccompProfile?: boolean;
}

export const doctorCommand: CommandSpec = defineCommand<DoctorOptions>({
  name: 'doctor',
  summary: 'tell what this host or container allows, and what would help',
  description: [
    'Asks each NUMA system call once, without side effects, and looks at what confines this ' +
      'process: seccomp, privileges, cpuset, limits, the kernel and what it does by itself.',
    'Exits with 0 when it could look, whatever it found, and with 4 when no backend opens.',
  ],
  options: [
    new Option(
      '--seccomp-profile',
      "print a container engine's default seccomp profile that allows the six calls, and end",
    ),
  ],
  examples: [
    { line: 'node-numa doctor', says: 'this host, or this container' },
    { line: 'node-numa doctor --json', says: 'the same for programs' },
    {
      line: 'node-numa doctor --seccomp-profile',
      says: 'a profile for docker run --security-opt seccomp=FILE',
    },
    { line: 'node-numa doctor --machine four-nodes', says: 'a simulated machine' },
  ],
  takesMachine: true,
  takesJson: true,
  async run({ options, output, open }) {
    if (options.seccompProfile === true) {
      output.raw(seccompProfile());
      return EXIT.DONE;
    }
    const { examination, exitCode } = await look(open);
    if (options.json) output.json(examination);
    else print(examination, output);
    return exitCode;
  },
});

async function look(open: () => Numa): Promise<{ examination: Examination; exitCode: ExitCode }> {
  try {
    return { examination: await examine(open()), exitCode: EXIT.DONE };
  } catch (error) {
    if (!(error instanceof NumaError) || error.code !== 'NUMA_BACKEND_UNAVAILABLE') throw error;
    // The command line has put its own advice behind the reason; the cause has it bare.
    const reason = error.cause instanceof NumaError ? error.cause : error;
    return { examination: examineFailure(reason), exitCode: EXIT.UNAVAILABLE };
  }
}

/** Columns of the state, and two blanks. */
const STATE_WIDTH = 9;
const INDENT = ' '.repeat(STATE_WIDTH);

function print({ backend, findings }: Examination, output: Output): void {
  const { colours, columns } = output;
  const lines = findings.flatMap((finding) => findingLines(finding, colours, columns));
  output.lines([
    ...(backend === null ? [] : [backendLine(backend, colours)]),
    ...lines,
    ...remedyLines(findings, colours, columns),
    '',
    summary(findings),
  ]);
}

function findingLines({ state, text }: Finding, colours: Colours, columns: number): string[] {
  const [first = '', ...more] = indented(text, columns, INDENT);
  return [`${paint(state, colours)}${first.slice(state.length)}`, ...more];
}

function indented(text: string, columns: number, indent: string): string[] {
  return paragraph(text, columns - indent.length).map((line) => `${indent}${line}`);
}

function paint(state: FindingState, colours: Colours): string {
  if (state === 'ok') return colours.good(state);
  return state === 'warning' ? colours.warning(state) : colours.bad(state);
}

/** Each remedy once, with all that it helps against. */
function remedyLines(findings: readonly Finding[], colours: Colours, columns: number): string[] {
  const byAction = new Map<string, { effect: string; ids: string[] }>();
  for (const { id, remedies } of findings) {
    for (const { action, effect } of remedies) {
      const known = byAction.get(action) ?? { effect, ids: [] };
      byAction.set(action, { effect: known.effect, ids: [...known.ids, id] });
    }
  }
  if (byAction.size === 0) return [];
  return [
    '',
    colours.heading('What would help:'),
    ...[...byAction].flatMap(([action, { effect, ids }]) => [
      `  ${visible(action)}`,
      ...indented(effect, columns, '      '),
      ...indented(`for ${ids.join(', ')}`, columns, '      ').map((line) => colours.dim(line)),
    ]),
  ];
}

function summary(findings: readonly Finding[]): string {
  const count = (state: FindingState): number =>
    findings.filter((finding) => finding.state === state).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  if (problems + warnings === 0) return 'all is well';
  return `${countText(problems, 'problem')}, ${countText(warnings, 'warning')}`;
}
