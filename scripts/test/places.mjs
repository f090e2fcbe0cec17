// @ts-check
// node scripts/test/places.mjs [--whole]: which tests CI has in which guests, a machine and a
// kernel each: lines of places, and the tests that are there. --whole: the same of npm run
// test:kernels. test/places has the list, so that a cut shows what it takes away, and that it still
// runs somewhere.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { ciMatrix, wholeMatrix } from './matrix.mjs';

const folder = mkdtempSync(join(tmpdir(), 'node-numa-places-'));
/** @type {Map<string, string[]>} suites → their tests */
const listed = new Map();

/** @param {string[]} suites with parameters of vitest */
function testsOf(suites) {
  const key = suites.join(' ');
  const known = listed.get(key);
  if (known) return known;
  const file = join(folder, 'tests.json');
  execFileSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'list', ...suites, `--json=${file}`],
    { cwd: projectFolder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  /** @type {{ name: string, file: string }[]} */
  const entries = JSON.parse(readFileSync(file, 'utf8'));
  const tests = entries.map((entry) => `${relative(projectFolder, entry.file)} > ${entry.name}`);
  listed.set(key, tests);
  return tests;
}

try {
  const isWhole = process.argv.includes('--whole');
  const cells = isWhole ? wholeMatrix() : ciMatrix({ isHostDenied: false });
  /** @type {Map<string, Set<string>>} test → places */
  const places = new Map();
  for (const { machine, kernel, suites } of cells) {
    for (const test of testsOf(suites)) {
      places.set(test, (places.get(test) ?? new Set()).add(`${machine}/${kernel}`));
    }
  }
  /** @type {Map<string, string[]>} places → the tests that are there */
  const groups = new Map();
  for (const [test, at] of places) {
    const key = [...at].sort().join(' ');
    groups.set(key, [...(groups.get(key) ?? []), test]);
  }
  for (const [at, tests] of [...groups].sort()) {
    const lines = tests.sort().map((test) => `  ${test}\n`);
    process.stdout.write(`${at}\n${lines.join('')}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
