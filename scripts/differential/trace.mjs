// @ts-check
// Traces: what programs did on a kernel, one JSON line each behind a line for the kernel.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** @typedef {import('../../test/differential/program.ts').Program} Program */
/** @typedef {import('../../test/differential/outcome.ts').Outcome} Outcome */

/**
 * @param {string} path
 * @param {string} release
 * @param {readonly Program[]} programs
 * @param {readonly Outcome[]} outcomes
 */
export function writeTrace(path, release, programs, outcomes) {
  const lines = programs.map(
    (program, index) =>
      `{"program":${JSON.stringify(program)},"outcome":${JSON.stringify(outcomes[index])}}`,
  );
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${[JSON.stringify({ release }), ...lines].join('\n')}\n`);
}

/**
 * @param {string} path
 * @returns {{ release: string, programs: Program[], outcomes: Outcome[] }}
 */
export function readTrace(path) {
  const [head = '{}', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const entries = lines.map((line) => JSON.parse(line));
  return {
    release: JSON.parse(head).release,
    programs: entries.map(({ program }) => program),
    outcomes: entries.map(({ outcome }) => outcome),
  };
}
