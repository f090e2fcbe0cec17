// @ts-check
// Which requirements of tests are unmet where, test/expected-skips.json: requirement, then places.
// A test that is skipped for another one is a failure; how it is named makes no difference.
//
// An environment is a machine with a kernel line, 'four-nodes/6.1', or a kind of host, such as
// 'host-denied'. A place is one of them, or all kernels of a machine ('two-nodes/*'), or all
// machines with a kernel ('*/6.1'): most requirements are the machine's or the kernel's. What is
// written expands to exactly what was recorded.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { kernelLines } from '../guest/kernel.mjs';
import { guestMachineNames } from '../guest/machine.mjs';

/** Expected in any environment where tests run without a system administrator's rights. */
export const unprivileged = 'unprivileged';

const path = join(projectFolder, 'test', 'expected-skips.json');

/** @typedef {Record<string, string[]>} ExpectedSkips requirement → places */

/**
 * What a recording needs of a run.
 * @typedef {object} RecordedRun
 * @property {string} environment
 * @property {boolean} isPrivileged
 * @property {boolean} isWhole whether all tests of the environment were in it
 * @property {readonly { reason: string }[]} skips
 */

/** @returns {ExpectedSkips} */
export function readExpectedSkips() {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {ExpectedSkips} expected */
export function writeExpectedSkips(expected) {
  writeFileSync(path, `${JSON.stringify(expected, null, 2)}\n`);
}

/**
 * What a test needs, of the reason that it gives: what was found instead follows a semicolon.
 * @param {string} reason
 * @returns {string}
 */
export function requirementOf(reason) {
  return reason.split(';', 1)[0] ?? '';
}

/**
 * @param {ExpectedSkips} expected
 * @param {readonly string[]} environments
 * @returns {Set<string>} the requirements that one of the environments does not meet
 */
export function unmetIn(expected, environments) {
  const unmet = Object.entries(expected).filter(([, places]) => {
    return places.some((place) => environments.some((one) => holds(place, one)));
  });
  return new Set(unmet.map(([requirement]) => requirement));
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
 * What there is to record. A part that failed may have skipped tests for that reason, and then
 * nobody knows all of its environment.
 * @param {import('./part.mjs').Outcome[]} outcomes
 * @returns {RecordedRun[]}
 */
export function recordable(outcomes) {
  const failed = new Set(
    outcomes
      .filter(({ verdict }) => verdict === 'failed')
      .map(({ name, environment = name }) => {
        return environment;
      }),
  );
  return outcomes.flatMap(({ name, environment = name, isWhole = false, verdict, result }) => {
    if (!result || verdict !== 'ok') return [];
    return [{ environment, isWhole: isWhole && !failed.has(environment), ...result }];
  });
}

/**
 * Puts what was unmet in whole runs in the place of what was expected of them, and adds to it what
 * was unmet in others.
 * @param {ExpectedSkips} expected
 * @param {readonly RecordedRun[]} runs
 * @returns {ExpectedSkips}
 */
export function withRecorded(expected, runs) {
  const byRequirement = environmentsByRequirement(expected);
  for (const { environment, isWhole } of runs) {
    if (!isWhole) continue;
    for (const environments of byRequirement.values()) environments.delete(environment);
  }
  for (const { environment, isPrivileged, skips } of runs) {
    for (const requirement of skips.map(({ reason }) => requirementOf(reason))) {
      const environments = byRequirement.get(requirement) ?? new Set();
      if (!isPrivileged && environments.has(unprivileged)) continue;
      byRequirement.set(requirement, environments.add(environment));
    }
  }
  const open = [...byRequirement].filter(([, environments]) => environments.size > 0);
  return Object.fromEntries(
    open
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([requirement, environments]) => [requirement, placesOf(environments)]),
  );
}

/**
 * @param {ExpectedSkips} expected
 * @returns {Map<string, Set<string>>}
 */
function environmentsByRequirement(expected) {
  const matrix = guestMachineNames().flatMap((machine) =>
    columns().map((line) => `${machine}/${line}`),
  );
  return new Map(
    Object.entries(expected).map(([requirement, places]) => {
      const environments = places.flatMap((place) => {
        return place.includes('*') ? matrix.filter((one) => holds(place, one)) : [place];
      });
      return [requirement, new Set(environments)];
    }),
  );
}

/**
 * The shortest list of places that holds these environments and no other.
 * @param {Set<string>} environments
 */
function placesOf(environments) {
  const machines = guestMachineNames();
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
