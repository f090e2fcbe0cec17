// @ts-check
// What the tests of all parts come to: a line for each part, what failed in them, and the sum. The
// end names all that failed: whoever reads the output of CI may see its last lines only.

import { relative } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { slowest, writeDurations } from './durations.mjs';
import { readExpectedSkips, recordable, requirementOf, unmetIn } from './expected-skips.mjs';

/** Names that are printed; the log has them all. */
const namesMax = 20;
/** The same at the end. */
const failuresMax = 50;
const flakeLabel = 'failed first, passed when run again';

/** @typedef {import('./part.mjs').Outcome} Outcome */

/** @param {string} line */
export const say = (line) => process.stdout.write(`${line}\n`);

/**
 * A part that failed without a failed test counts as one.
 * @param {Outcome} outcome
 */
function countsOf({ verdict, result }) {
  const failed = verdict === 'failed' ? Math.max(1, result?.failures.length ?? 0) : 0;
  const passed = Object.values(result?.passed ?? {}).reduce((sum, count) => sum + count, 0);
  return { passed, failed, skipped: result?.skips.length ?? 0 };
}

/** @param {{ passed: number, failed: number, skipped: number }} counts */
function countLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * One line of a table: name, time, verdict, counts, and where it ran or why it did not.
 * @param {Outcome} outcome
 */
function tableLine(outcome) {
  const { name, seconds, verdict, note, result } = outcome;
  const columns = [
    name.padEnd(26),
    `${seconds.toFixed(1).padStart(7)} s`,
    verdict.padEnd(8),
    ...(result ? [countLine(countsOf(outcome)).padEnd(36)] : []),
    firstLine(note),
  ];
  return columns.join('  ').trimEnd();
}

/**
 * What there is to say of a part that has ended: its line, and what went wrong in it.
 * @param {Outcome} outcome
 */
export function partLines(outcome) {
  const { verdict, log } = outcome;
  const lines = [tableLine(outcome)];
  lines.push(...listed('failed', failuresOf(outcome)), ...listed(flakeLabel, flakesOf(outcome)));
  if (verdict === 'failed' && log) lines.push(`    whole output: ${relative(projectFolder, log)}`);
  lines.push(...slowest(outcome));
  return lines;
}

/**
 * What made a part fail; where no test says it, its skips or where it ran.
 * @param {Outcome} outcome
 */
function failuresOf({ verdict, result, note }) {
  if (verdict !== 'failed') return [];
  const failures = result?.failures.map(testError) ?? [];
  if (failures.length > 0) return failures;
  const skips = result?.unexpected.map(({ reason, ...test }) => {
    return `${testName(test)}: skipped, which is not recorded: ${reason}`;
  });
  return skips && skips.length > 0 ? skips : [firstLine(note)];
}

/**
 * Requirements that nothing lacked, where all tests were asked, by environment.
 * @param {Outcome[]} outcomes
 */
function metIn(outcomes) {
  /** @type {Map<string, Set<string>>} environment → what its tests lacked */
  const lacking = new Map();
  for (const { environment, skips } of recordable(outcomes).filter(({ isWhole }) => isWhole)) {
    const known = lacking.get(environment) ?? new Set();
    lacking.set(
      environment,
      new Set([...known, ...skips.map(({ reason }) => requirementOf(reason))]),
    );
  }
  return [...lacking].flatMap(([environment, lacked]) => {
    const met = [...unmetIn(readExpectedSkips(), [environment])].filter((one) => !lacked.has(one));
    return met.map((one) => `${environment}: ${one}`);
  });
}

/** @param {Outcome} outcome */
function flakesOf({ flakes = [] }) {
  return flakes.map(testError);
}

/** @param {import('./result.mjs').Failure} failure */
function testError({ message, ...test }) {
  return `${testName(test)}: ${firstLine(message)}`;
}

/** @param {string} text */
function firstLine(text) {
  return text.split('\n', 1)[0] ?? '';
}

/** @param {import('./result.mjs').TestName} test */
function testName({ file, name }) {
  return `${file} > ${name}`;
}

/**
 * @param {string} label
 * @param {string[]} names
 * @param {number} [max]
 */
function listed(label, names, max = namesMax) {
  const more = names.length - max;
  const shown = names.slice(0, max).map((name) => `    ${label}: ${name}`);
  return more > 0 ? [...shown, `    ... and ${more} more`] : shown;
}

/**
 * Prints the table, what failed anywhere, and the sum, which is the last line.
 * @param {Outcome[]} outcomes
 * @param {number} wallSeconds
 * @returns {number} exit status
 */
export function summarize(outcomes, wallSeconds) {
  say('');
  for (const outcome of outcomes) say(tableLine(outcome));
  say(`${'all'.padEnd(26)}  ${wallSeconds.toFixed(1).padStart(7)} s`);
  say(writeDurations(outcomes));
  for (const { name, result } of outcomes) {
    const { ran = 0, all = 0 } = result?.share ?? {};
    if (ran < all) say(`${name}: ${ran} of ${all} seeds; npm run test:long has them all`);
  }
  for (const line of listed('recorded as unmet, and met', metIn(outcomes))) say(line);
  for (const line of lastLines(outcomes)) say(line);
  const { failed, passed } = sumOf(outcomes);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/**
 * What failed anywhere, what failed and passed when it ran again, and the sum.
 * @param {Outcome[]} outcomes
 * @returns {string[]}
 */
export function lastLines(outcomes) {
  /** @param {(outcome: Outcome) => string[]} list */
  const named = (list) => {
    return outcomes.flatMap((outcome) => list(outcome).map((line) => `${outcome.name}: ${line}`));
  };
  return [
    ...listed('failed', named(failuresOf), failuresMax),
    ...listed(flakeLabel, named(flakesOf), failuresMax),
    countLine(sumOf(outcomes)),
  ];
}

/** @param {Outcome[]} outcomes */
function sumOf(outcomes) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of outcomes.map(countsOf)) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  return sum;
}
