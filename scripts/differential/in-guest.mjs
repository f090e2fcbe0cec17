// @ts-check
// Runs programs on the kernel under it and prints one line for each: the hash of its outcome, or
// with --full the outcome. `--seed S --programs N` generates them, `--file FILE` reads them.

import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { loadHarness } from './bundle.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    programs: { type: 'string', default: '100' },
    without: { type: 'string', default: '' },
    file: { type: 'string' },
    full: { type: 'boolean', default: false },
    'merge-absence': { type: 'boolean', default: false },
  },
});
const { FEATURES, generateProgram, hashOf, runPrograms } = await loadHarness();
const without = new Set(FEATURES.filter((name) => values.without.split(',').includes(name)));
const given = values.file && readFileSync(values.file, 'utf8').trim().split('\n');
const count = given ? given.length : Number(values.programs);

const mergesAbsence = values['merge-absence'];

let text = `kernel ${release()}\n`;
const start = performance.now();
await runPrograms(
  count,
  (index) =>
    given
      ? JSON.parse(/** @type {string} */ (given[index]))
      : generateProgram(Number(values.seed) + index, without),
  (outcome) => {
    text += `${values.full ? JSON.stringify(outcome) : hashOf(outcome, mergesAbsence)}\n`;
    if (text.length < 4096) return;
    process.stdout.write(text);
    text = '';
  },
);
process.stdout.write(`${text}done ${Math.round(performance.now() - start)}\n`);
