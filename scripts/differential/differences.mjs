// @ts-check
// What differs between two runs: sorted by cause, told in lines, cut down to small programs.

import { runInBoth } from './guest-programs.mjs';
import { inRounds } from './rounds.mjs';

const newShrunkMax = 6;

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('../../test/differential/program.ts').Program} Program */
/** @typedef {import('../../test/differential/outcome.ts').Outcome} Outcome */
/** @typedef {import('../../test/differential/known-differences.ts').Verdict} Verdict */
/** @typedef {{ program: Program, verdict: Verdict }} Found */
/** @typedef {Found & { name: string }} Example */

/** @type {(a: string, b: string) => boolean} */
export function isBefore(a, b) {
  const [left = [], right = []] = [a, b].map((text) => text.split(/[.-]/).map(Number));
  return (
    (left[0] ?? 0) < (right[0] ?? 0) || (left[0] === right[0] && (left[1] ?? 0) < (right[1] ?? 0))
  );
}

/**
 * @param {Harness} harness
 * @param {readonly Program[]} programs
 * @param {{ a: string, b: string }} releases
 * @param {{ a: readonly Outcome[], b: readonly Outcome[] }} outcomes
 * @returns {Found[]}
 */
export function classifyAll(harness, programs, releases, outcomes) {
  return programs.map((program, index) => {
    const a = /** @type {Outcome} */ (outcomes.a[index]);
    const b = /** @type {Outcome} */ (outcomes.b[index]);
    return { program, verdict: harness.classify(program, a, b, releases) };
  });
}

/** What kind of new difference it is: the call, and the fields that differ. */
/** @param {Verdict} verdict */
function kindOf({ first }) {
  if (!first) return undefined;
  return `${first.step?.call ?? 'last'}-${first.fields.join('-')}`.toLowerCase();
}

/**
 * @param {readonly Found[]} found
 * @returns {string[]}
 */
export function toTexts(found) {
  /** @type {Map<string, number[]>} */
  const seeds = new Map();
  for (const { program, verdict } of found) {
    const kind = kindOf(verdict);
    const names = [...verdict.known.map((name) => `known: ${name}`)];
    if (kind) names.push(`NEW: ${kind}`);
    if (names.length === 0) names.push('NOT REPEATED');
    for (const name of names) seeds.set(name, [...(seeds.get(name) ?? []), program.seed]);
  }
  return [...seeds].map(
    ([name, list]) => `  ${name}: ${list.length} programs (seeds ${list.slice(0, 8).join(', ')})`,
  );
}

/**
 * One program for each kind of new difference and, if asked, for each known one.
 * @param {readonly Found[]} found
 * @param {boolean} withKnown
 * @returns {Example[]}
 */
export function examplesOf(found, withKnown) {
  /** @type {Map<string, Example>} */
  const examples = new Map();
  const byLength = found.toSorted((a, b) => a.program.steps.length - b.program.steps.length);
  for (const one of byLength) {
    const kind = kindOf(one.verdict);
    const names = withKnown ? [...one.verdict.known] : [];
    if (kind) names.push(kind);
    for (const name of names) if (!examples.has(name)) examples.set(name, { ...one, name });
  }
  return [...examples.values()].slice(0, newShrunkMax + (withKnown ? 10 : 0));
}

/**
 * @param {Harness} harness
 * @param {readonly [string, string]} kernels
 * @param {readonly Example[]} examples
 * @returns {Promise<{ name: string, program: Program, verdict: unknown }[]>}
 */
export async function shrinkAll(harness, kernels, examples) {
  /** @type {(example: Example, verdict: Verdict) => boolean} */
  const isSame = ({ name }, verdict) => kindOf(verdict) === name || verdict.known.includes(name);
  /** @type {(programs: readonly Program[]) => Promise<Found[]>} */
  const judge = async (programs) => {
    const { left, right } = await runInBoth(kernels, { programs, isFull: true });
    return classifyAll(
      harness,
      programs,
      { a: left.release, b: right.release },
      {
        a: left.lines.map((line) => JSON.parse(line)),
        b: right.lines.map((line) => JSON.parse(line)),
      },
    );
  };
  const tasks = examples.map(
    ({ program, verdict, name }) =>
      /** @param {import('../../test/differential/shrink.ts').AskMany} ask */
      (ask) => {
        const last = verdict.places[name] ?? verdict.first?.index ?? program.steps.length;
        return harness.shrink(program, last, ask);
      },
  );
  const programs = await inRounds(tasks, async (questions) => {
    const found = await judge(questions.flatMap(({ candidates }) => candidates));
    let start = 0;
    return questions.map(({ task, candidates }) => {
      const mine = found.slice(start, start + candidates.length);
      start += candidates.length;
      const example = /** @type {Example} */ (examples[task]);
      return mine.map(({ verdict }) => isSame(example, verdict));
    });
  });
  if (programs.length === 0) return [];
  const found = await judge(programs);
  return found.map(({ program, verdict }, index) => {
    const name = /** @type {Example} */ (examples[index]).name;
    return { name, program, verdict: verdict.first };
  });
}
