// @ts-check
// docs/contract/known-suites.md as data, checked: what two known suites assert, and which test of
// ours shows it. `node scripts/contract/known-suites.mjs` writes the table of counts; `--check`
// writes nothing and fails when it is stale.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { testsDeclaredIn } from './declared-tests.mjs';
import { documentFolder } from './document.mjs';

/**
 * @typedef {'shown' | 'command line' | 'not testable'} Status
 * @typedef {{
 *   suite: string,
 *   place: string,
 *   program: string,
 *   assertion: string,
 *   answer: string,
 *   status: Status | undefined,
 *   tests: { file: string, name: string }[],
 * }} Row
 */

const documentFile = join(documentFolder, 'known-suites.md');
const SUITE = /^## (\S.*)$/;
const CELLS = /(?<!\\)\|/;
/** A file below `test`, then the full name of one of its tests. */
const NAMED = /^`([\w./-]+\.ts)` (\S.*)$/;
const BLOCK = /(<!-- counts: .*-->\n)[\s\S]*?(<!-- end of counts -->)/;
/** @type {readonly (readonly [Status, RegExp])[]} */
const REASONS = [
  ['command line', /^The command line, later: \S/],
  ['not testable', /^Not testable: \S/],
];

/** @returns {Row[]} */
export function readRows() {
  let suite = '';
  /** @type {Row[]} */
  const rows = [];
  readFileSync(documentFile, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      const [, heading] = SUITE.exec(line) ?? [];
      if (heading) suite = heading;
      const cells = line.split(CELLS).map((cell) => cell.trim());
      const isHead = cells[1] === 'program' || /^-+:?$/.test(cells[1] ?? '');
      if (suite === '' || cells.length !== 5 || isHead) return;
      const [, program = '', assertion = '', answer = ''] = cells;
      const place = `known-suites.md:${index + 1}`;
      rows.push({ suite, place, program, assertion, answer, ...readAnswer(answer) });
    });
  return rows;
}

/**
 * @param {string} answer
 * @returns {{ status: Status | undefined, tests: Row['tests'] }}
 */
function readAnswer(answer) {
  const reason = REASONS.find(([, pattern]) => pattern.test(answer));
  if (reason !== undefined) return { status: reason[0], tests: [] };
  const tests = answer.split('<br>').flatMap((part) => {
    const [, file, name] = NAMED.exec(part.trim()) ?? [];
    return file && name ? [{ file, name }] : [];
  });
  const isWhole = tests.length > 0 && tests.length === answer.split('<br>').length;
  return { status: isWhole ? 'shown' : undefined, tests };
}

/** @param {readonly Row[]} rows */
async function problemsOf(rows) {
  const problems = rows
    .filter(({ program, assertion, status }) => !program || !assertion || status === undefined)
    .map(({ place }) => `${place} names no program, no assertion, or nothing that shows it`);
  const missing = new Set(
    rows
      .flatMap(({ tests }) => tests.map(({ file }) => file))
      .filter((file) => !existsSync(join(projectFolder, 'test', file))),
  );
  const files = new Set(rows.flatMap(({ tests }) => tests.map(({ file }) => file)));
  /** @type {Map<string, ReadonlySet<string>>} */
  const declared = new Map();
  for (const file of files) {
    if (!missing.has(file)) declared.set(file, await testsDeclaredIn(join('test', file)));
  }
  for (const { place, tests } of rows) {
    for (const { file, name } of tests) {
      if (missing.has(file)) problems.push(`${place} names a file that does not exist: ${file}`);
      else if (!declared.get(file)?.has(name)) {
        problems.push(`${place} names a test that ${file} does not have: ${name}`);
      }
    }
  }
  return problems;
}

/** @param {readonly Row[]} rows */
function countsTable(rows) {
  /** @type {Status[]} */
  const statuses = ['shown', 'command line', 'not testable'];
  /** @param {readonly Row[]} some */
  const counts = (some) => [
    some.length,
    ...statuses.map((status) => some.filter((row) => row.status === status).length),
  ];
  const suites = [...new Set(rows.map(({ suite }) => suite))];
  return [
    '| suite | assertions | shown | the command line, later | not testable |',
    '|---|---:|---:|---:|---:|',
    ...suites.map((suite) => {
      const own = rows.filter((row) => row.suite === suite);
      return `| ${suite} | ${counts(own).join(' | ')} |`;
    }),
    `| all | ${counts(rows).join(' | ')} |`,
  ].join('\n');
}

/** @param {string} table */
function writeTable(table) {
  const before = readFileSync(documentFile, 'utf8');
  if (!BLOCK.test(before)) return ['known-suites.md has no block for the table of counts'];
  const after = before.replace(BLOCK, (_, begin, end) => `${begin}\n${table}\n\n${end}`);
  if (after === before) return [];
  if (process.argv.includes('--check')) {
    return ['the table of counts is stale: node scripts/contract/known-suites.mjs writes it'];
  }
  writeFileSync(documentFile, after);
  return [];
}

const rows = readRows();
const table = countsTable(rows);
const problems = [...(await problemsOf(rows)), ...writeTable(table)];
process.stdout.write(`${table}\n`);
for (const problem of problems) process.stdout.write(`problem: ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
