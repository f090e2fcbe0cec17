// @ts-check
// The long job: the same programs twice on every kernel, which must do the same, and then kernel
// against kernel, which may differ only as known.

import { compareRuns, hasNew, toTexts } from './compare-runs.mjs';
import { cutDown } from './differences.mjs';
import { runAll } from './guest-programs.mjs';
import { withScript } from './script.mjs';
import { compareWithSimulator } from './simulator.mjs';

const progressMs = 15_000;
/** So many show every difference; with fewer, one that is not met may have been missed. */
const programsForAll = 2000;

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('./guest-programs.mjs').GuestRun} GuestRun */
/** @typedef {import('./script.mjs').Script} Script */
/** @typedef {import('../../test/differential/generate.ts').Kind} Kind */

/**
 * @typedef {object} Job
 * @property {readonly string[]} kernels
 * @property {number} programCount
 * @property {number} seed of the first program
 * @property {string} without features left out
 * @property {Kind} [kind] default `plain`
 * @property {number} [groupCount] the last so many programs have groups, whatever the kind
 * @property {number} guests that run at once
 * @property {1 | 2} times that each kernel runs them; once tells nothing of its repeating
 * @property {string | undefined} [kept] folder of replies, which spare their guest
 * @property {string | undefined} [corpus] folder for programs that were cut down
 * @property {boolean} [withKnown] also cuts a program down for each known difference
 * @property {boolean} [withSimulator] the simulator has to do what each kernel did
 * @property {(text: string) => void} say
 * @property {(text: string) => void} [progress]
 */

/** @type {(ms: number) => string} */
const inSeconds = (ms) => (ms / 1000).toFixed(1);

/**
 * Every kernel twice, in two guests; then the neighbours, by release.
 * @param {Harness} harness
 * @param {Job} job
 * @returns {Promise<{ checkCount: number, problems: string[] }>} comparisons that were made, and
 *   what did not come to its end or found something new
 */
export async function runJob(harness, job) {
  const { programCount, seed, kind, groupCount = 0, say } = job;
  const without = new Set(harness.FEATURES.filter((name) => job.without.split(',').includes(name)));
  const startMs = performance.now();
  const kindAt = (/** @type {number} */ index) => (index < programCount - groupCount ? kind : 'v2');
  const programAt = (/** @type {number} */ index) =>
    harness.generateProgram(seed + index, without, kindAt(index));
  return withScript(harness, programCount, programAt, async (script) => {
    const made = inSeconds(performance.now() - startMs);
    say(`${programCount} programs from seed ${seed}, ${script.callCount} calls, made in ${made} s`);
    const { runs, failures } = await runEach(harness, job, script);
    const problems = [...failures];
    /** @type {GuestRun[]} */
    const ofKernels = [];
    let checkCount = 0;
    for (const [first, second] of runs) {
      checkCount += Number(second !== undefined) + Number(job.withSimulator === true);
      if (second) problems.push(...(await compareRepeats(harness, script, [first, second], say)));
      if (job.withSimulator) {
        problems.push(...(await compareWithSimulator(harness, script, first, say)));
      }
      ofKernels.push(first);
    }
    ofKernels.sort((a, b) => harness.compareReleases(a.release, b.release));
    for (const [index, newer] of ofKernels.slice(1).entries()) {
      const older = /** @type {GuestRun} */ (ofKernels[index]);
      problems.push(...(await comparePair(harness, job, script, [older, newer])));
      checkCount += 1;
    }
    for (const problem of problems) say(`NOT DONE or NEW: ${problem}`);
    say(`${inSeconds(performance.now() - startMs)} s in all, ${problems.length} problems`);
    return { checkCount, problems };
  });
}

/**
 * @param {Harness} harness
 * @param {Script} script
 * @param {[GuestRun, GuestRun]} runs of one kernel
 * @param {(text: string) => void} say
 * @returns {Promise<string[]>} what is wrong
 */
async function compareRepeats(harness, script, runs, say) {
  const [{ release }] = runs;
  const comparison = await compareRuns(harness, script, runs);
  const isSame = comparison.found.length === 0;
  say(`${release} twice: ${isSame ? 'the same outcomes' : 'DIFFERENT OUTCOMES'}`);
  if (isSame) return [];
  for (const text of toTexts(harness, comparison)) say(text);
  return [`${release} does not repeat`];
}

/**
 * @param {Harness} harness
 * @param {Job} job
 * @param {Script} script
 * @returns {Promise<{ runs: [GuestRun, GuestRun?][], failures: string[] }>}
 */
async function runEach(harness, { kernels, times, guests, kept, say, progress }, script) {
  const each = kernels.flatMap((kernel) => Array.from({ length: times }, () => kernel));
  /** @type {Map<number, number>} */
  const under = new Map();
  const nameOf = (/** @type {number} */ index) =>
    `${each[index]} (${(index % times) + 1} of ${times})`;
  const timer = setInterval(() => {
    const texts = [...under].map(([index, done]) => `${nameOf(index)} ${done}`);
    if (texts.length > 0) progress?.(`  ... ${texts.join(', ')} of ${script.programCount}`);
  }, progressMs);
  try {
    const results = await runAll(harness, each, script, {
      guests,
      kept,
      onProgress: (index, done) => under.set(index, done),
      onEnd: (index, result) => {
        under.delete(index);
        say(
          `${nameOf(index)}: ${'error' in result ? result.error.message : figures(script, result)}`,
        );
      },
    });
    return sorted(kernels, times, results);
  } finally {
    clearInterval(timer);
  }
}

/** @type {(script: Script, run: GuestRun) => string} */
function figures({ programCount, callCount }, { release, seconds }) {
  const rate = `${Math.round(programCount / seconds)} programs/s`;
  return `${release}, ${programCount} programs, ${callCount} calls, ${seconds} s, ${rate}`;
}

/**
 * @param {readonly string[]} kernels
 * @param {number} times
 * @param {readonly (GuestRun | import('./guest-programs.mjs').Failure)[]} results of each in turn
 */
function sorted(kernels, times, results) {
  /** @type {[GuestRun, GuestRun?][]} */
  const runs = [];
  /** @type {string[]} */
  const failures = [];
  for (const [index, kernel] of kernels.entries()) {
    const mine = results.slice(times * index, times * (index + 1));
    const good = mine.filter((result) => 'replies' in result);
    if (good.length === times) runs.push(/** @type {[GuestRun, GuestRun?]} */ (good));
    else failures.push(`${kernel} did not run to its end: nothing is compared with it`);
  }
  return { runs, failures };
}

/**
 * @param {Harness} harness
 * @param {Job} job
 * @param {Script} script
 * @param {[GuestRun, GuestRun]} pair
 * @returns {Promise<string[]>} what is wrong
 */
async function comparePair(harness, job, script, pair) {
  const comparison = await compareRuns(harness, script, pair);
  const isWhole = job.without === '' && script.programCount >= programsForAll;
  if (!isWhole) comparison.stale = [];
  for (const text of toTexts(harness, comparison)) job.say(text);
  const kernels = /** @type {const} */ ([pair[0].kernel, pair[1].kernel]);
  const problems = comparison.stale.map((name) => `${name} is known, and was not met`);
  if (hasNew(comparison)) problems.push(`${kernels.join(' and ')} differ in something new`);
  try {
    const { corpus, guests, say, withKnown = false } = job;
    const options = { withKnown, corpus, guests, say };
    await cutDown(harness, kernels, comparison.found, options);
  } catch (error) {
    problems.push(`cutting down for ${kernels.join(' and ')} failed: ${error}`);
  }
  return problems;
}
