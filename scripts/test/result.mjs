// @ts-check
// What a run of suites says of itself to the script that started it: one line of its output, for a
// guest has no folder in common with its host.

const mark = 'node-numa result: ';

/** @typedef {{ file: string, name: string }} TestName */
/** @typedef {TestName & { reason: string }} Skip */
/** @typedef {TestName & { message: string }} Failure the first line of the error */
/** @typedef {Record<string, Record<string, number>>} Durations file, test, milliseconds */

/**
 * @typedef {object} Result
 * @property {Record<string, number>} passed file → how many of its tests
 * @property {boolean} isPrivileged
 * @property {string[]} files that ran
 * @property {Skip[]} skips
 * @property {Failure[]} failures
 * @property {Skip[]} unexpected for a requirement that is not known to be unmet here
 * @property {Durations} durations of the tests that ran
 * @property {{ ran: number, all: number }} [share] of random programs, seeds and the like
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
