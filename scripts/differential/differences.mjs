// @ts-check
// Differing programs cut down to small ones.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareRuns, kindOf } from './compare-runs.mjs';
import { runAll } from './guest-programs.mjs';
import { inRounds } from './rounds.mjs';
import { withScriptOf } from './script.mjs';

const newShrunkMax = 6;

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('./compare-runs.mjs').Found} Found */
/** @typedef {import('../../test/differential/program.ts').Program} Program */
/** @typedef {import('../../test/differential/known-differences.ts').Verdict} Verdict */
/** @typedef {Found & { name: string }} Example */

/**
 * One program for each kind of new difference and, if asked, for each known one.
 * @param {readonly Found[]} found
 * @param {boolean} withKnown
 * @returns {Example[]}
 */
function examplesOf(found, withKnown) {
  /** @type {Map<string, Example>} */
  const known = new Map();
  /** @type {Map<string, Example>} */
  const unknown = new Map();
  for (const one of found.toSorted((a, b) => a.program.steps.length - b.program.steps.length)) {
    const kind = kindOf(one.verdict);
    if (kind && !unknown.has(kind)) unknown.set(kind, { ...one, name: kind });
    for (const name of one.verdict.known) if (!known.has(name)) known.set(name, { ...one, name });
  }
  return [...[...unknown.values()].slice(0, newShrunkMax), ...(withKnown ? known.values() : [])];
}

/**
 * Cuts one program for each difference down, says it, and writes it into a folder if there is one.
 * @param {Harness} harness
 * @param {readonly [string, string]} kernels
 * @param {readonly Found[]} found
 * @param {{ withKnown: boolean, corpus: string | undefined, guests: number,
 *   say: (text: string) => void }} options
 */
export async function cutDown(harness, kernels, found, { withKnown, corpus, guests, say }) {
  const examples = examplesOf(found, withKnown);
  if (examples.length === 0) return;
  say(`cutting down ${examples.map(({ name }) => name).join(', ')}`);
  const rounds = { count: 0 };
  /** @type {(programs: readonly Program[]) => Promise<(Verdict | undefined)[]>} */
  const judge = (programs) => {
    rounds.count += 1;
    say(`  round ${rounds.count}: ${programs.length} programs`);
    return judgeAll(harness, kernels, programs, guests);
  };
  const tasks = examples.map(
    ({ program, verdict, name }) =>
      /** @param {import('../../test/differential/shrink.ts').AskMany} ask */
      (ask) => {
        const last = verdict.places[name] ?? verdict.first?.index ?? program.steps.length;
        return harness.shrink(program, last, ask);
      },
  );
  const small = await inRounds(tasks, async (questions) => {
    const verdicts = await judge(questions.flatMap(({ candidates }) => candidates));
    let start = 0;
    return questions.map(({ task, candidates }) => {
      const mine = verdicts.slice(start, start + candidates.length);
      start += candidates.length;
      return mine.map((verdict) => shows(verdict, /** @type {Example} */ (examples[task])));
    });
  });
  const verdicts = await judge(small);
  for (const [index, program] of small.entries()) {
    const example = /** @type {Example} */ (examples[index]);
    const { name } = example;
    const verdict = verdicts[index];
    say(`${name}${shows(verdict, example) ? '' : ' (NOT REPEATED)'}: ${JSON.stringify(program)}`);
    if (verdict?.first) say(`  ${JSON.stringify(verdict.first)}`);
    if (corpus === undefined) continue;
    writeFileSync(join(corpus, `${name}.json`), `${JSON.stringify(program, null, 2)}\n`);
  }
}

/**
 * Whether a program shows the difference and no other: a known one alone, a new one without any.
 * @param {Verdict | undefined} verdict
 * @param {Example} example
 */
function shows(verdict, { name }) {
  if (!verdict) return false;
  if (kindOf(verdict) === name) return true;
  return !verdict.first && verdict.known.length === 1 && verdict.known[0] === name;
}

/**
 * @param {Harness} harness
 * @param {readonly [string, string]} kernels
 * @param {readonly Program[]} programs
 * @param {number} guests
 * @returns {Promise<(Verdict | undefined)[]>} undefined where nothing differed
 */
function judgeAll(harness, kernels, programs, guests) {
  return withScriptOf(harness, programs, async (script) => {
    const results = await runAll(harness, kernels, script, { guests });
    const [a, b] = results.map((result) => {
      if ('error' in result) throw result.error;
      return result;
    });
    const runs = /** @type {const} */ ([a, b]);
    const { found } = await compareRuns(harness, script, /** @type {any} */ (runs));
    /** @type {(Verdict | undefined)[]} */
    const verdicts = programs.map(() => undefined);
    for (const { index, verdict } of found) verdicts[index] = verdict;
    return verdicts;
  });
}
