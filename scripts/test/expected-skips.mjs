// @ts-check
// What each environment is known to skip, test/expected-skips.json: file, then places, then names.
//
// An environment is a machine with a kernel line, 'four-nodes/6.1', or a kind of host, such as
// 'host-denied'. A place is one of them, or all kernels of a machine ('two-nodes/*'), or all
// machines with a kernel ('*/6.1'): most skips are the machine's or the kernel's. Each group of
// names stands under its list of places. What is written expands to exactly what was recorded.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { kernelLines } from '../guest/kernel.mjs';

/** Expected in any environment where tests run without a system administrator's rights. */
export const unprivileged = 'unprivileged';

const path = join(projectFolder, 'test', 'expected-skips.json');

/** @typedef {Record<string, Record<string, string[]>>} ExpectedSkips */
/** @typedef {{ file: string, name: string }} TestName */

/**
 * What a recording needs of a run.
 * @typedef {object} RecordedRun
 * @property {string} environment
 * @property {boolean} isPrivileged
 * @property {readonly string[]} files that ran
 * @property {readonly TestName[]} skips
 * @property {readonly TestName[]} absent recorded somewhere, but no test of the file has this name
 */

/** @returns {string[]} names of the machines of scripts/machines */
export function machineNames() {
  const files = readdirSync(join(projectFolder, 'scripts', 'machines'));
  return files.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
}

/** @returns {ExpectedSkips} */
export function readExpectedSkips() {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {ExpectedSkips} expected */
export function writeExpectedSkips(expected) {
  writeFileSync(path, `${JSON.stringify(expected, null, 2)}\n`);
}

/**
 * @param {ExpectedSkips} expected
 * @param {string} file
 * @param {readonly string[]} environments
 * @returns {Set<string>} the tests of a file that one of the environments skips
 */
export function expectedNames(expected, file, environments) {
  const groups = Object.entries(expected[file] ?? {});
  const named = groups.filter(([places]) =>
    places.split(' ').some((place) => environments.some((one) => holds(place, one))),
  );
  return new Set(named.flatMap(([, names]) => names));
}

/**
 * @param {string} place
 * @param {string} environment
 */
function holds(place, environment) {
  const wanted = place.split('/');
  const parts = environment.split('/');
  return (
    wanted.length === parts.length &&
    wanted.every((word, index) => word === '*' || word === parts[index])
  );
}

/**
 * Puts what some runs skipped in the place of what was expected of them.
 * @param {ExpectedSkips} expected
 * @param {readonly RecordedRun[]} runs
 * @returns {ExpectedSkips}
 */
export function withRecorded(expected, runs) {
  const files = new Set([...Object.keys(expected), ...runs.flatMap((run) => run.files)]);
  /** @type {ExpectedSkips} */
  const all = {};
  for (const file of [...files].sort()) {
    const byName = environmentsByName(expected[file] ?? {});
    const itsRuns = runs.filter((run) => run.files.includes(file));
    for (const run of itsRuns) replace(byName, file, run);
    for (const name of byName.keys()) {
      const isAbsent = itsRuns.length > 0 && itsRuns.every(({ absent }) => has(absent, file, name));
      if (isAbsent) byName.delete(name);
    }
    const groups = groupsOf(byName);
    if (Object.keys(groups).length > 0) all[file] = groups;
  }
  return all;
}

/**
 * @param {Map<string, Set<string>>} byName
 * @param {string} file
 * @param {RecordedRun} run
 */
function replace(byName, file, { environment, isPrivileged, skips }) {
  for (const environments of byName.values()) environments.delete(environment);
  for (const skip of skips) {
    if (skip.file !== file) continue;
    const environments = byName.get(skip.name) ?? new Set();
    if (!isPrivileged && environments.has(unprivileged)) continue;
    byName.set(skip.name, environments.add(environment));
  }
}

/**
 * @param {readonly TestName[]} list
 * @param {string} file
 * @param {string} name
 */
function has(list, file, name) {
  return list.some((entry) => entry.file === file && entry.name === name);
}

/**
 * @param {Record<string, string[]>} groups
 * @returns {Map<string, Set<string>>}
 */
function environmentsByName(groups) {
  const matrix = machineNames().flatMap((machine) => columns().map((line) => `${machine}/${line}`));
  /** @type {Map<string, Set<string>>} */
  const byName = new Map();
  for (const [places, names] of Object.entries(groups)) {
    const environments = places.split(' ').flatMap((place) => {
      return place.includes('*') ? matrix.filter((one) => holds(place, one)) : [place];
    });
    for (const name of names) {
      byName.set(name, new Set([...(byName.get(name) ?? []), ...environments]));
    }
  }
  return byName;
}

/**
 * @param {Map<string, Set<string>>} byName
 * @returns {Record<string, string[]>}
 */
function groupsOf(byName) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const name of [...byName.keys()].sort()) {
    const environments = byName.get(name) ?? new Set();
    if (environments.size === 0) continue;
    const places = placesOf(environments).join(' ');
    groups.set(places, [...(groups.get(places) ?? []), name]);
  }
  return Object.fromEntries([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The shortest list of places that holds these environments and no other.
 * @param {Set<string>} environments
 */
function placesOf(environments) {
  const machines = machineNames();
  const rows = machines.filter((machine) =>
    columns().every((line) => environments.has(`${machine}/${line}`)),
  );
  if (rows.length === machines.length) rows.splice(0, rows.length, '*');
  const full = columns().filter((line) =>
    machines.every((machine) => environments.has(`${machine}/${line}`)),
  );
  const places = [
    ...rows.map((machine) => `${machine}/*`),
    ...(rows[0] === '*' ? [] : full.map((line) => `*/${line}`)),
  ];
  const rest = [...environments].filter((one) => !places.some((place) => holds(place, one)));
  return [...places, ...rest.sort()];
}

function columns() {
  return [...kernelLines.keys()];
}
