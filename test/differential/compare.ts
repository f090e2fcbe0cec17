/**
 * Two outcomes of one program. What may differ between two right answers is taken out by
 * `normalised`, and nowhere else; everything that is left has to be equal.
 */

import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_F } from '../../lib/core/uapi.ts';
import type { Outcome, StepOutcome } from './outcome.ts';
import type { Program, Step } from './program.ts';

interface Freedom {
  readonly reason: string;
  applies(step: Step, outcome: StepOutcome): boolean;
  readonly fields: readonly (keyof StepOutcome)[];
}

/** Fields with real freedom. Beside these: `generate.ts` keeps out what hangs on inode numbers. */
const FREEDOMS: readonly Freedom[] = [
  {
    reason: 'how many pages of the program itself migrate_pages leaves behind',
    applies: ({ call }) => call === 'migratePages',
    fields: ['value'],
  },
  {
    reason: 'the interleave counter after page faults and page-table allocations',
    applies: (step) => step.call === 'getMempolicy' && step.flags === MPOL_F.NODE,
    fields: ['mode'],
  },
  {
    reason: 'the node of the zero page: private memory without a page of its own',
    applies: ({ call }, { errno, before }) =>
      call === 'getMempolicy' && errno === 0 && Number(before) < 0,
    fields: ['mode'],
  },
  {
    reason: 'a query made for the freedom above, not a part of the program',
    applies: ({ call }) => call === 'getMempolicy',
    fields: ['before'],
  },
];

/** An answer after which nothing is promised: which pages of the run moved, where all are. */
function isLost(step: Step | undefined, { errno }: StepOutcome): boolean {
  const moves = ['mbind', 'movePages', 'migratePages'].includes(step?.call ?? '');
  return moves && errno === ERRNO.ENOMEM;
}

function normalisedStep(step: Step, outcome: StepOutcome): StepOutcome {
  const free = FREEDOMS.filter((freedom) => freedom.applies(step, outcome)).flatMap(
    ({ fields }) => fields,
  );
  if (free.length === 0) return outcome;
  const kept = Object.entries(outcome).filter(
    ([field]) => !free.includes(field as keyof StepOutcome),
  );
  return Object.fromEntries(kept);
}

/** What is promised of an outcome. */
export function normalised(program: Program, outcome: Outcome): Outcome {
  const end = outcome.steps.findIndex((answer, index) => isLost(program.steps[index], answer));
  const promised = end < 0 ? outcome.steps : outcome.steps.slice(0, end);
  const steps = promised.map((answer, index) =>
    normalisedStep(program.steps[index] as Step, answer),
  );
  if (end < 0) return { steps, last: outcome.last };
  return { steps: [...steps, { errno: ERRNO.ENOMEM }], last: {} };
}

export interface Difference {
  /** Number of the step; that behind the last step for where pages were at the end. */
  readonly index: number;
  readonly step: Step | undefined;
  readonly fields: readonly string[];
  readonly a: StepOutcome | Outcome['last'];
  readonly b: StepOutcome | Outcome['last'];
}

function differingFields(a: object, b: object): string[] {
  const fields = new Set([...Object.keys(a), ...Object.keys(b)]);
  const text = (value: object, field: string): string | undefined =>
    JSON.stringify((value as Record<string, unknown>)[field]);
  return [...fields].filter((field) => text(a, field) !== text(b, field));
}

/** Every step whose normalised answers differ, in order. */
export function differencesOf(program: Program, a: Outcome, b: Outcome): Difference[] {
  const found: Difference[] = [];
  const compare = (index: number, left: object | undefined, right: object | undefined): void => {
    const fields = differingFields(left ?? {}, right ?? {});
    const step = program.steps[index];
    if (fields.length > 0) found.push({ index, step, fields, a: left ?? {}, b: right ?? {} });
  };
  const left = normalised(program, a);
  const right = normalised(program, b);
  const count = Math.max(left.steps.length, right.steps.length);
  for (let index = 0; index < count; index += 1) {
    compare(index, left.steps[index], right.steps[index]);
  }
  compare(program.steps.length, left.last, right.last);
  return found;
}
