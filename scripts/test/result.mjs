// @ts-check
// What a run of suites says of itself to the script that started it: one line of its output, for a
// guest has no folder in common with its host.

const mark = 'node-numa result: ';

/** @typedef {import('./expected-skips.mjs').TestName} TestName */
/** @typedef {TestName & { message: string }} Failure the first line of the error */
/** @typedef {Record<string, Record<string, number>>} Durations file, test, milliseconds */

/**
 * @typedef {object} Result
 * @property {Record<string, number>} passed file → how many of its tests
 * @property {boolean} isPrivileged
 * @property {string[]} files that ran
 * @property {TestName[]} skips
 * @property {Failure[]} failures
 * @property {TestName[]} unexpected skipped, and not known to be
 * @property {TestName[]} unskipped known to be skipped here, and not skipped
 * @property {Durations} durations of the tests that ran
 * @property {TestName[]} absent known to be skipped somewhere, but there is no such test
 */

/** @param {Result} result */
export function resultLine(result) {
  return `${mark}${JSON.stringify(result)}`;
}

/**
 * @param {string} line of a run's output
 * @returns {Result | undefined}
 */
export function readResult(line) {
  if (!line.startsWith(mark)) return undefined;
  return JSON.parse(line.slice(mark.length));
}
