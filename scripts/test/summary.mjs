// @ts-check
// What the tests of all parts come to: a line for each part, what failed in it, and the sum.

import { relative } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { slowest, writeDurations } from './durations.mjs';

/** Names that are printed; the log has them all. */
const namesMax = 20;

/** @typedef {import('./part.mjs').Outcome} Outcome */

/** @param {string} line */
export const say = (line) => process.stdout.write(`${line}\n`);

/**
 * A part that failed without a failed test counts as one.
 * @param {Outcome} outcome
 */
function countsOf({ verdict, result }) {
  const failed = verdict === 'failed' ? Math.max(1, result?.failed ?? 0) : 0;
  return { passed: result?.passed ?? 0, failed, skipped: result?.skips.length ?? 0 };
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
    note.split('\n', 1)[0] ?? '',
  ];
  return columns.join('  ').trimEnd();
}

/**
 * What there is to say of a part that has ended: its line, and what went wrong in it.
 * @param {Outcome} outcome
 */
export function partLines(outcome) {
  const { name, verdict, result, log } = outcome;
  const lines = [tableLine(outcome)];
  if (verdict === 'failed') {
    const failures = result?.failures.map(({ message, ...test }) => {
      return `${testName(test)}: ${message}`;
    });
    lines.push(...listed('failed', failures ?? []));
    const isKnown = (result?.failed ?? 0) > 0;
    const unexpected = isKnown ? [] : (result?.unexpected.map(testName) ?? []);
    lines.push(...listed(`skipped, and ${name} ran it before`, unexpected));
    if (log) lines.push(`    whole output: ${relative(projectFolder, log)}`);
  }
  const unskipped = result?.unskipped.map(testName) ?? [];
  lines.push(...listed('recorded as skipped, and not skipped', unskipped), ...slowest(outcome));
  return lines;
}

/** @param {import('./result.mjs').TestName} test */
function testName({ file, name }) {
  return `${file} > ${name}`;
}

/**
 * @param {string} label
 * @param {string[]} names
 */
function listed(label, names) {
  const more = names.length - namesMax;
  const shown = names.slice(0, namesMax).map((name) => `    ${label}: ${name}`);
  return more > 0 ? [...shown, `    ... and ${more} more`] : shown;
}

/**
 * Prints the table and the sum, which is the last line.
 * @param {Outcome[]} outcomes
 * @param {number} wallSeconds
 * @returns {number} exit status
 */
export function summarize(outcomes, wallSeconds) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  say('');
  for (const outcome of outcomes) {
    const counts = countsOf(outcome);
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
    say(tableLine(outcome));
  }
  say(`${'all'.padEnd(26)}  ${wallSeconds.toFixed(1).padStart(7)} s`);
  say(writeDurations(outcomes));
  say(countLine(sum));
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}
