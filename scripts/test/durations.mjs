// @ts-check
// Where the time of the tests goes: the slowest of each part in words, all of them in a file.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { logFolder } from './part.mjs';

const shownMax = 10;
const path = join(logFolder, 'durations.json');

/** @typedef {import('./part.mjs').Outcome} Outcome */

/**
 * The slowest files and tests of a part.
 * @param {Outcome} outcome
 * @returns {string[]}
 */
export function slowest({ result }) {
  const files = Object.entries(result?.durations ?? {});
  const sums = files.map(([file, tests]) => ({ what: file, ms: sum(Object.values(tests)) }));
  const tests = files.flatMap(([file, ofFile]) => {
    return Object.entries(ofFile).map(([name, ms]) => ({ what: `${file} > ${name}`, ms }));
  });
  return [...lines('file', sums), ...lines('test', tests)];
}

/**
 * Writes the milliseconds of every test: part, then file, then test.
 * @param {Outcome[]} outcomes
 * @returns {string} a line that says where
 */
export function writeDurations(outcomes) {
  const measured = outcomes.filter(({ result }) => result !== undefined);
  const all = Object.fromEntries(measured.map(({ name, result }) => [name, result?.durations]));
  mkdirSync(logFolder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(all, null, 1)}\n`);
  return `how long each test took: ${relative(projectFolder, path)}`;
}

/**
 * @param {'file' | 'test'} kind
 * @param {{ what: string, ms: number }[]} entries
 */
function lines(kind, entries) {
  const first = entries.sort((a, b) => b.ms - a.ms).slice(0, shownMax);
  return first.map(
    ({ what, ms }) => `    ${(ms / 1000).toFixed(1).padStart(6)} s  ${kind} ${what}`,
  );
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
