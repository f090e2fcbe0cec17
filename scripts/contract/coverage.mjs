// @ts-check
// npm run contract:coverage: compares docs/contract with the tests that the contract declares, and
// writes the table of coverage into docs/contract/README.md. `--check` writes nothing and fails
// when the table is stale; `--unnamed` lists the tests that no entry names, `--todo` the entries
// that nothing shows yet.

import { readFileSync, writeFileSync } from 'node:fs';
import { declaredTests } from './declared-tests.mjs';
import { indexFile, readDocument } from './document.mjs';

/**
 * @typedef {import('./document.mjs').Entry} Entry
 * @typedef {import('./document.mjs').Section} Section
 * @typedef {import('./document.mjs').Status} Status
 */

/** @type {Status[]} */
const STATUSES = ['shown', 'not shown yet', 'not testable', 'unspecified'];
/** Whichever way it is put: every kernel, some releases, or a row that has them as columns. */
const KERNELS = /^(all|as told)\b|\b\d+\.\d+\b/;
const BLOCK = /(<!-- coverage: .*-->\n)[\s\S]*?(<!-- end of coverage -->)/;

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

if (process.argv.includes('--help')) {
  say('npm run contract:coverage [-- --check | --unnamed | --todo]');
  process.exit(0);
}
process.exitCode = await main().catch((/** @type {unknown} */ error) => {
  say(`problem: ${error instanceof Error ? error.message : error}`);
  return 1;
});

async function main() {
  const { sections, entries } = readDocument();
  const tests = await declaredTests();
  const problems = problemsOf(sections, entries, tests);
  resolveReferences(entries, problems);
  const table = coverageTable(sections, entries);
  say(table);
  writeTable(table, problems);
  const named = new Set(entries.flatMap((entry) => entry.tests));
  const unnamed = [...tests].filter((name) => !named.has(name));
  say(`${tests.size} tests are declared; ${unnamed.length} of them no entry names.`);
  if (process.argv.includes('--unnamed')) for (const name of unnamed) say(`  ${name}`);
  if (process.argv.includes('--todo')) {
    for (const { id, status } of entries) if (status === 'not shown yet') say(`  ${id}`);
  }
  for (const problem of problems) say(`problem: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

/**
 * @param {Section[]} sections
 * @param {Entry[]} entries
 * @param {ReadonlySet<string>} tests
 * @returns {string[]}
 */
function problemsOf(sections, entries, tests) {
  const problems = [];
  const seen = new Set();
  const fileOf = new Map(sections.map(({ id, file }) => [id, file]));
  for (const { id, section, place, text, kernels, source, tests: named } of entries) {
    if (seen.has(id)) problems.push(`${place} uses ${id} a second time`);
    seen.add(id);
    const file = fileOf.get(section);
    if (file === undefined) problems.push(`${place} ${id} is of a section without a heading`);
    else if (!place.startsWith(`${file}:`)) problems.push(`${place} ${id} belongs in ${file}`);
    const missing = Object.entries({ text, kernels, source }).filter(([, value]) => !value.trim());
    for (const [name] of missing) problems.push(`${place} ${id} has no ${name}`);
    if (kernels && !KERNELS.test(kernels)) problems.push(`${place} ${id} names no kernel`);
    for (const name of named.filter((one) => !tests.has(one))) {
      problems.push(`${place} ${id} names a test that does not exist: ${name}`);
    }
  }
  return problems;
}

/**
 * An entry that refers to others is as well shown as the least of them.
 * @param {Entry[]} entries
 * @param {string[]} problems
 */
function resolveReferences(entries, problems) {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  for (const entry of entries) {
    const others = entry.as.map((id) => byId.get(id));
    const unknown = entry.as.filter((id) => !byId.has(id));
    for (const id of unknown) problems.push(`${entry.place} refers to ${id}, which does not exist`);
    entry.status ??= STATUSES.findLast((status) => others.some((one) => one?.status === status));
    if (others.some((one) => one?.status === 'not shown yet')) entry.status = 'not shown yet';
    if (entry.status === undefined) {
      problems.push(`${entry.place} ${entry.id} says neither what shows it nor why nothing does`);
    }
    if (entry.tests.length > 0 && entry.status !== 'shown') {
      problems.push(`${entry.place} ${entry.id} names tests, and is ${entry.status}`);
    }
  }
}

/**
 * @param {Section[]} sections
 * @param {Entry[]} entries
 */
function coverageTable(sections, entries) {
  /** @param {Entry[]} some */
  const counts = (some) => [
    some.length,
    ...STATUSES.map((status) => some.filter((entry) => entry.status === status).length),
  ];
  const rows = sections.flatMap(({ id, title, file }) => {
    const own = entries.filter(({ section }) => section === id);
    if (own.length === 0) return [];
    return [`| [${id} ${title}](${file}) | ${counts(own).join(' | ')} |`];
  });
  return [
    `| section | entries | ${STATUSES.join(' | ')} |`,
    `|---|${'---:|'.repeat(STATUSES.length + 1)}`,
    ...rows,
    `| all | ${counts(entries).join(' | ')} |`,
  ].join('\n');
}

/**
 * @param {string} table
 * @param {string[]} problems
 */
function writeTable(table, problems) {
  const before = readFileSync(indexFile, 'utf8');
  if (!BLOCK.test(before)) {
    problems.push('README.md has no block for the table of coverage');
    return;
  }
  const after = before.replace(BLOCK, (_, begin, end) => `${begin}\n${table}\n\n${end}`);
  if (after === before) return;
  if (process.argv.includes('--check')) {
    problems.push('the table of coverage is stale: npm run contract:coverage writes it');
  } else writeFileSync(indexFile, after);
}
