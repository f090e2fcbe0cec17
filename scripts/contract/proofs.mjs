// @ts-check
// Pages of docs/ whose every statement has a proof: a command that shows it. Each item of their
// lists ends in `[proof: COMMAND]` or, where nothing can be run, in `[source: TEXT]`. This checks
// that files and tests which the commands name exist; it prints what is wrong, or nothing.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { declaredTests, testsDeclaredIn } from './declared-tests.mjs';

const pages = ['docs/pinned-memory.md'];
/** Suites that have the whole contract. */
const contractSuites = ['test/simulator/contract.test.ts', 'test/backends'];
/** The tests of the facade on the simulator, and the file that names theirs. */
const facadeSuite = 'test/simulator/facade.test.ts';
const facadeParts = 'test/simulator/facade-tests.ts';
const ITEM = /^- (.*(?:\n {2}.*)*)/gm;
const PROOF = /\[proof: ([^\]]+)\]$/;
const SOURCE = /\[source: [^\]]+\]$/;
const TESTS = /^npx vitest run (\S+) -t "([^"]+)"$/;
const EXAMPLE = /^node (examples\/[\w-]+\.mjs)( [\d.]+)?$/;

/** @type {Map<string, Promise<string[]>>} */
const known = new Map();

/**
 * Full names as vitest matches them, with a space between chapters.
 * @param {string} file
 * @returns {Promise<string[]>}
 */
function namesIn(file) {
  const declared = contractSuites.includes(file) ? declaredTests : () => testsDeclaredIn(file);
  const names =
    known.get(file) ??
    declared().then((all) => [...all].map((name) => name.replaceAll(' > ', ' ')));
  known.set(file, names);
  return names;
}

/**
 * @param {string} file
 * @param {RegExp} name
 */
async function hasTest(file, name) {
  if (file !== facadeSuite) return (await namesIn(file)).some((one) => name.test(one));
  for (const [, part] of readText(facadeParts).matchAll(/import\('\.\.\/([^']+)'\)/g)) {
    if ((await namesIn(`test/${part}`)).some((one) => name.test(one))) return true;
  }
  return false;
}

/** @param {string} file */
function readText(file) {
  return readFileSync(join(projectFolder, file), 'utf8');
}

/**
 * What is wrong with a command, if anything.
 * @param {string} command
 * @returns {Promise<string | null>}
 */
async function problemOf(command) {
  const [, example] = EXAMPLE.exec(command) ?? [];
  if (example !== undefined) {
    return existsSync(join(projectFolder, example)) ? null : `${example} does not exist`;
  }
  const [, file = '', name = ''] = TESTS.exec(command) ?? [];
  if (name === '') return `is no command that this check knows: ${command}`;
  if (!existsSync(join(projectFolder, file))) return `${file} does not exist`;
  const isThere = await hasTest(file, new RegExp(name));
  return isThere ? null : `${file} has no test named so: ${name}`;
}

/** @param {string} page */
async function problemsOf(page) {
  const problems = [];
  const text = readText(page);
  for (const { 1: item = '', index } of text.matchAll(ITEM)) {
    const place = `${page}:${text.slice(0, index).split('\n').length}`;
    const statement = item.replace(/\s+/g, ' ').trim();
    const [, command] = PROOF.exec(statement) ?? [];
    if (command === undefined) {
      if (!SOURCE.test(statement)) problems.push(`${place} ends in no proof: ${statement}`);
      continue;
    }
    const problem = await problemOf(command);
    if (problem !== null) problems.push(`${place} ${problem}`);
  }
  return problems;
}

let isRight = true;
for (const page of pages) {
  for (const problem of await problemsOf(page)) {
    isRight = false;
    process.stdout.write(`problem: ${problem}\n`);
  }
}
process.exitCode = isRight ? 0 : 1;
