/**
 * Scenarios as text: their steps in the words of their JSON, what became of each, and where pages
 * are in the end.
 */

import stringWidth from 'string-width';
import {
  type MappingResidency,
  type StepOutcome,
  statusesText,
} from '../../services/scenario/outcome.ts';
import type { Step } from '../../services/scenario/scenario.ts';
import type { Colours } from './colours.ts';
import { type Column, table } from './table.ts';
import { visible } from './visible.ts';

/** Members that say what a step is about; the first that it has comes without its name. */
const SUBJECTS = ['mapping', 'name', 'cpuset', 'pin', 'fault', 'call', 'behind'];
const INDENT = '     ';
const GAP = '  ';

/** "movePages heap, to 1". */
export function stepText(step: Step): string {
  const members = Object.entries(step).filter(([name]) => name !== 'do' && name !== 'steps');
  const subject = SUBJECTS.find((name) => members.some(([member]) => member === name));
  const head = subject === undefined ? '' : ` ${valueText(new Map(members).get(subject))}`;
  const rest = members
    .filter(([name]) => name !== subject)
    .map(([name, value]) => (value === true ? name : `${name} ${valueText(value)}`));
  const inner = step.do === 'meanwhile' ? `: ${step.steps.map(stepText).join('; ')}` : '';
  const separator = subject === undefined ? ' ' : ', ';
  return visible(`${step.do}${head}${rest.length > 0 ? separator : ''}${rest.join(', ')}${inner}`);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ');
  if (typeof value !== 'object' || value === null) return `${value}`;
  const counts = Object.entries(value).map(([name, count]) => `${name}: ${count}`);
  return `{${counts.join(', ')}}`;
}

/** "returned 1: 15 on node 1, 1 EBUSY". */
export function outcomeText({ step, answer, details, ...rest }: StepOutcome): string {
  const { statuses = {}, differences, meanwhile } = rest;
  if (step.do === 'expect') {
    return differences.length === 0 ? 'as expected' : visible(differences.join('; '));
  }
  const extra = [details, statusesText(statuses)].filter((text) => text !== '').join(', ');
  const told = answer === null ? 'set' : answerText(step, answer);
  const others = meanwhile.map((other) => {
    return `meanwhile ${stepText(other.step)}: ${outcomeText(other)}`;
  });
  return visible([extra === '' ? told : `${told}: ${extra}`, ...others].join('; '));
}

function answerText(step: Step, answer: number | string): string {
  if (typeof answer === 'string') return answer;
  const isCounted = step.do === 'movePages' || step.do === 'migratePages';
  return isCounted ? `returned ${answer}` : 'done';
}

function paintOf({ step, answer, differences }: StepOutcome, colours: Colours) {
  return (text: string): string => {
    if (differences.length > 0) return colours.bad(text);
    if (step.do === 'expect') return colours.good(text);
    return typeof answer === 'string' ? colours.warning(text) : text;
  };
}

/**
 * For each step its lines: what became of it stands beside it, or below it where the step is too
 * long for this terminal.
 */
export function stepLines(
  outcomes: readonly StepOutcome[],
  columns: number,
  colours: Colours,
): string[][] {
  const widths = outcomes.map(({ step }) => stringWidth(stepText(step)));
  const longest = widths.reduce((most, width) => Math.max(most, width), 0);
  const available = columns - INDENT.length - GAP.length - RESULT_COLUMNS;
  const room = Math.min(longest, available);
  return outcomes.map((outcome, index) => {
    const head = `${`${index + 1}`.padStart(INDENT.length - GAP.length)}${GAP}`;
    const text = stepText(outcome.step);
    const result = outcomeText(outcome);
    const paint = paintOf(outcome, colours);
    if (available < STEP_COLUMNS_MIN) {
      const below = wrap(`${INDENT}-> ${result}`, columns).map(paint);
      return [...wrap(`${head}${text}`, columns), ...below];
    }
    const blanks = room - (widths[index] as number);
    if (blanks >= 0) return [`${head}${text}${' '.repeat(blanks)}${GAP}${paint(result)}`];
    const below = `${' '.repeat(INDENT.length + room)}${GAP}${paint(result)}`;
    return [...wrap(`${head}${text}`, columns), below];
  });
}

/** What most outcomes have room in. */
const RESULT_COLUMNS = 34;
/** Narrower than this, outcomes stand below. */
const STEP_COLUMNS_MIN = 30;

/** Breaks a line between words; what follows is indented. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  const indentWidth = INDENT.length + GAP.length;
  let line = '';
  let width = 0;
  for (const [at, word] of visible(text).split(' ').entries()) {
    const more = stringWidth(word) + (at === 0 ? 0 : 1);
    if (width + more > columns && width > indentWidth) {
      lines.push(line);
      line = `${INDENT}   ${word}`;
      width = stringWidth(line);
    } else {
      line += at === 0 ? word : ` ${word}`;
      width += more;
    }
  }
  return [...lines, line];
}

/** Where the mappings are: a row for each in each process. */
export function residencyTable(
  rows: readonly MappingResidency[],
  columns: number,
  colours: Colours,
): string[] {
  const nodes = [...new Set(rows.flatMap(({ byNode }) => Object.keys(byNode)))];
  nodes.sort((a, b) => Number(a) - Number(b));
  const count = (value: number): string => value.toLocaleString('en-US');
  const shape: Column<MappingResidency>[] = [
    { heading: 'process', cell: ({ process }) => process, cutTo: 7 },
    { heading: 'pid', cell: ({ pid }) => `${pid}`, align: 'right', leaves: 1 },
    { heading: 'mapping', cell: ({ mapping }) => mapping, cutTo: 7 },
    { heading: 'pages', cell: (row) => count(row.pageCount), align: 'right', leaves: 3 },
    ...nodes.map(
      (node): Column<MappingResidency> => ({
        heading: `node ${node}`,
        cell: ({ byNode }) => (byNode[node] === undefined ? '' : count(byNode[node])),
        align: 'right',
      }),
    ),
    { heading: 'absent', cell: (row) => nothing(row.notPresent), align: 'right', leaves: 2 },
    { heading: 'zeros', cell: (row) => nothing(row.zeroPage), align: 'right', leaves: 4 },
  ];
  const shown = shape.filter(({ heading, cell }) => {
    return !['absent', 'zeros'].includes(heading) || rows.some((row) => cell(row) !== '');
  });
  return table(rows, shown, { columns, heading: (text) => colours.heading(text) });
}

function nothing(value: number): string {
  return value === 0 ? '' : value.toLocaleString('en-US');
}
