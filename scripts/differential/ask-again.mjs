// @ts-check
// Asks kernels again what they were asked before: all that is kept of them, or a sample. What they
// reply must be what they replied then.

import { runInGuest } from './guest-programs.mjs';
import {
  answerSets,
  currentHashes,
  hashOf,
  readAnswers,
  remedy,
  staleParts,
  writeAnswers,
} from './kept-answers.mjs';
import { batchText, withScript } from './script.mjs';
import { compareWithSimulator } from './simulator.mjs';

/** Of the programs of a set, in a sample. */
const sampledPart = 1 / 5;
const shownMax = 5;

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('./kept-answers.mjs').AnswerSet} AnswerSet */
/** @typedef {import('./kept-answers.mjs').KeptAnswers} KeptAnswers */
/** @typedef {import('./kept-answers.mjs').Hashes} Hashes */
/** @typedef {import('../../test/differential/program.ts').Program} Program */

/**
 * A set of programs, and what is known of it.
 * @typedef {object} Questions
 * @property {AnswerSet} set
 * @property {Program[]} programs
 * @property {Hashes} hashes
 * @property {KeptAnswers | undefined} kept
 */

/**
 * One kernel's share of a set.
 * @typedef {object} Task
 * @property {Questions} questions
 * @property {string} line
 * @property {number[]} indices of programs
 */

/** @typedef {{ task: Task, release: string, replies: readonly string[] }} Asked */

/**
 * @typedef {object} AskOptions
 * @property {ReadonlyMap<string, string>} kernels lines that can be asked → names of their packages
 * @property {string | undefined} [commit] asks a sample that it chooses; without one all are asked
 * @property {boolean} [isRecording] the replies are kept from now on
 * @property {number} guests that run at once
 * @property {(text: string) => void} say
 */

/**
 * @param {Harness} harness
 * @param {AskOptions} options
 * @returns {Promise<{ asked: string, checkCount: number, problems: string[] }>} what was asked, in
 *   words; comparisons, and what is wrong
 */
export async function askAgain(harness, { kernels, commit, isRecording = false, guests, say }) {
  /** @type {Questions[]} */
  const all = [];
  for (const set of answerSets) all.push(await questionsOf(harness, set));
  const tasks = all.flatMap((questions) => tasksOf(questions, [...kernels.keys()]));
  const chosen = commit === undefined || isRecording ? tasks : sampleOf(tasks, commit, kernels);
  const counts = chosen.map(({ questions, line, indices }) => {
    return `${indices.length} ${questions.set.kind} on ${line}`;
  });
  /** @type {string[]} */
  const problems = [];
  /** @type {Asked[]} */
  const asked = [];
  const work = async () => {
    for (let task = chosen.shift(); task; task = chosen.shift()) {
      const one = await ask(harness, task).catch((/** @type {Error} */ error) => error);
      if (one instanceof Error) problems.push(one.message);
      else asked.push(one);
      if (!(one instanceof Error) && !isRecording) {
        problems.push(...(await compare(harness, one, say)));
      }
    }
  };
  await Promise.all(Array.from({ length: guests }, work));
  if (isRecording && problems.length === 0) problems.push(...record(all, asked, say));
  for (const problem of problems) say(`PROBLEM: ${problem}`);
  const isStale = all.some((questions) => staleOf(questions).length > 0);
  if (isStale && !isRecording) say(remedy);
  return { asked: counts.join(', '), checkCount: counts.length, problems };
}

/**
 * @param {Harness} harness
 * @param {AnswerSet} set
 * @returns {Promise<Questions>}
 */
async function questionsOf(harness, set) {
  const programs = Array.from({ length: set.programCount }, (_, index) =>
    harness.generateProgram(index + 1, new Set(), set.kind),
  );
  const scripts = [];
  for (const program of programs) scripts.push(await harness.scriptOf(program));
  const hashes = currentHashes(set, hashOf(batchText(scripts)));
  return { set, programs, hashes, kept: readAnswers(set) };
}

/** @param {Questions} questions */
function staleOf({ hashes, kept }) {
  return kept ? staleParts(kept.hashes, hashes) : /** @type {const} */ (['programs']);
}

/**
 * @param {Questions} questions
 * @param {string[]} lines that can be asked
 * @returns {Task[]}
 */
function tasksOf(questions, lines) {
  const { set } = questions;
  const indices = Array.from({ length: set.programCount }, (_, index) => index);
  const able = set.lines.filter((line) => lines.includes(line));
  return able.map((line) => ({ questions, line, indices }));
}

/**
 * The same for the same commit. All programs, where what was answered is not what is asked now, or
 * where the kernel is another one.
 * @param {Task[]} tasks
 * @param {string} commit
 * @param {ReadonlyMap<string, string>} kernels
 * @returns {Task[]}
 */
function sampleOf(tasks, commit, kernels) {
  /** @param {Task} task */
  const isWhole = ({ questions, line }) => {
    const release = questions.kept?.releases[line];
    const isSame = release !== undefined && kernels.get(line)?.endsWith(release);
    return !isSame || staleOf(questions).length > 0;
  };
  /** @type {<T>(items: T[], count: number, nameOf: (item: T) => string) => T[]} */
  const pick = (items, count, nameOf) => {
    const rank = (/** @type {any} */ item) => hashOf(`${commit} ${nameOf(item)}`);
    return items.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
  };
  /** @param {Task} task */
  const nameOf = ({ questions, line }) => `${questions.set.kind} ${line}`;
  const others = tasks.filter((task) => !isWhole(task));
  const sampled = answerSets.flatMap((set) => {
    const mine = others.filter(({ questions }) => questions.set === set);
    return pick(mine, set.sampledLines, nameOf);
  });
  return [
    ...tasks.filter(isWhole),
    ...sampled.map((task) => {
      const count = Math.ceil(task.indices.length * sampledPart);
      const indices = pick(task.indices, count, (index) => `${nameOf(task)} ${index}`);
      return { ...task, indices: indices.toSorted((a, b) => a - b) };
    }),
  ];
}

/**
 * @param {Harness} harness
 * @param {Task} task
 * @returns {Promise<Asked>}
 */
function ask(harness, task) {
  return withTask(harness, task, async (script) => {
    const { release, replies } = await runInGuest(harness, task.line, script);
    return { task, release, replies };
  });
}

/**
 * @template T
 * @param {Harness} harness
 * @param {Task} task
 * @param {(script: import('./script.mjs').Script) => Promise<T>} body
 */
function withTask(harness, { questions, indices }, body) {
  const programAt = (/** @type {number} */ at) =>
    /** @type {Program} */ (questions.programs[/** @type {number} */ (indices[at])]);
  return withScript(harness, indices.length, programAt, body);
}

/**
 * With what is kept; where that answers other programs, the simulator is left to compare with.
 * @param {Harness} harness
 * @param {Asked} asked
 * @param {(text: string) => void} say
 * @returns {Promise<string[]>} what is wrong
 */
async function compare(harness, { task, release, replies }, say) {
  const { questions, line, indices } = task;
  const { set, programs, kept } = questions;
  const stale = staleOf(questions);
  const old = kept?.replies.get(line);
  if (old === undefined || stale.includes('programs')) {
    say(`${set.kind}, ${line}: no answers to these programs are kept`);
    const run = { kernel: line, release, replies, seconds: 0 };
    const found = await withTask(harness, task, (script) =>
      compareWithSimulator(harness, script, run, say),
    );
    return [`${set.kind}, ${line}: no answers to these programs; ${remedy}`, ...found];
  }
  let differing = 0;
  for (const [at, reply] of replies.entries()) {
    const index = /** @type {number} */ (indices[at]);
    const program = /** @type {Program} */ (programs[index]);
    const before = /** @type {string} */ (old[index]);
    if (reply === before) continue;
    const outcomes = [before, reply].map((text) => harness.readOutcome(program, text));
    const [a, b] = await Promise.all(outcomes);
    const [first] = harness.differencesOf(program, /** @type {any} */ (a), /** @type {any} */ (b));
    if (!first) continue;
    differing += 1;
    if (differing <= shownMax) say(`  seed ${program.seed}: ${JSON.stringify(first)}`);
  }
  const by = kept?.releases[line];
  const then = by === release ? 'as recorded' : `recorded by ${by}`;
  const why = stale.length > 0 ? `, all because of another ${stale.join(', ')}` : '';
  say(`${set.kind}, ${release}: ${replies.length} programs${why}, ${differing} not ${then}`);
  return differing > 0
    ? [`${release} does not do what ${by} did: ${differing} ${set.kind} programs`]
    : [];
}

/**
 * @param {Questions[]} all
 * @param {Asked[]} asked
 * @param {(text: string) => void} say
 * @returns {string[]} what was not recorded
 */
function record(all, asked, say) {
  return all.flatMap((questions) => {
    const { set, hashes, kept } = questions;
    const mine = asked.filter(({ task }) => task.questions === questions);
    const isWhole = mine.length === set.lines.length;
    // Answers of some kernels stay only where they answer the same.
    if (!isWhole && staleOf(questions).length > 0) {
      return [`${set.kind}: not recorded, all of ${set.lines.join(', ')} have to be asked`];
    }
    if (mine.length === 0) return [];
    const releases = { ...(isWhole ? {} : kept?.releases) };
    const replies = new Map(isWhole ? [] : kept?.replies);
    for (const { task, release, replies: given } of mine) {
      releases[task.line] = release;
      replies.set(task.line, [...given]);
    }
    say(writeAnswers(set, { hashes, releases, replies }));
    return [];
  });
}
