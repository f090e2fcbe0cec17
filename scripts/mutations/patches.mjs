// @ts-check
// Mutations: patches that put one fault each into the project. The head of a patch says what is
// wrong then, and which tests have to notice, the cheapest part first:
//
//   Fault: pages that are there already count as moved
//   Part: host test/facade/migrate-modelled.test.ts
//   Part: guest four-nodes/6.1 test/facade/migrate.test.ts

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';

const folder = 'test/mutations';

/** Where tests run: on this host, in a guest, or here while a guest is asked. */
const places = /** @type {const} */ (['host', 'asked', 'guest']);

/**
 * @typedef {object} MutationPart
 * @property {(typeof places)[number]} place
 * @property {string} [machine]
 * @property {string} [kernel]
 * @property {string[]} suites files, with parameters of vitest
 */

/**
 * @typedef {object} Mutation
 * @property {string} name
 * @property {string} path of the patch, in the project
 * @property {string} fault
 * @property {MutationPart[]} parts
 * @property {Map<string, Hunk[]>} changes file → what is replaced
 */

/** @typedef {{ before: string, after: string }} Hunk lines as they are, and as they become */

/** @returns {Mutation[]} */
export function readMutations() {
  const names = readdirSync(join(projectFolder, folder)).filter((name) => name.endsWith('.patch'));
  return names.sort().map((name) => {
    const path = `${folder}/${name}`;
    const text = readFileSync(join(projectFolder, path), 'utf8');
    return { name: name.replace('.patch', ''), path, ...parsed(text, path) };
  });
}

/**
 * @param {string} text
 * @param {string} path
 * @returns {Pick<Mutation, 'fault' | 'parts' | 'changes'>}
 */
function parsed(text, path) {
  const start = text.search(/^--- /m);
  const head = text.slice(0, start).split('\n');
  const told = (/** @type {string} */ word) =>
    head.filter((line) => line.startsWith(`${word}: `)).map((line) => line.slice(word.length + 2));
  const [fault] = told('Fault');
  const parts = told('Part').map((line) => partOf(line, path));
  if (start < 0 || fault === undefined || parts.length === 0) {
    throw new Error(`${path} needs lines 'Fault: ...' and 'Part: ...' before its changes`);
  }
  return { fault, parts, changes: changesOf(text.slice(start)) };
}

/**
 * @param {string} line
 * @param {string} path
 * @returns {MutationPart}
 */
function partOf(line, path) {
  const words = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
  const place = places.find((name) => name === words[0]);
  if (place === undefined) throw new Error(`${path}: a part is on ${places.join(', ')}: ${line}`);
  if (place === 'host') return { place, suites: words.slice(1) };
  const [machine, kernel] = words[1]?.split('/') ?? [];
  if (!machine || !kernel) throw new Error(`${path}: no machine with a kernel: ${line}`);
  return { place, machine, kernel, suites: words.slice(2) };
}

/**
 * @param {string} text of a unified diff
 * @returns {Map<string, Hunk[]>}
 */
function changesOf(text) {
  /** @type {Map<string, Hunk[]>} */
  const changes = new Map();
  for (const ofFile of text.split(/^--- .*\n/m).slice(1)) {
    const [name = '', ...hunks] = ofFile.split(/^@@ .*\n/m);
    const file = name.replace(/^\+\+\+ b\//, '').trim();
    changes.set(
      file,
      hunks.map((hunk) => {
        const lines = hunk.split('\n').filter((line) => /^[-+ ]/.test(line));
        const kept = (/** @type {string} */ sign) =>
          lines.filter((line) => line[0] !== sign).map((line) => line.slice(1));
        return { before: kept('+').join('\n'), after: kept('-').join('\n') };
      }),
    );
  }
  return changes;
}

/**
 * @param {Mutation} mutation
 * @returns {string[]} why it cannot be applied any more
 */
export function obstaclesTo({ path, changes }) {
  return [...changes].flatMap(([file, hunks]) => {
    const at = join(projectFolder, file);
    if (!existsSync(at)) return [`${path} no longer applies: ${file} is gone`];
    const text = readFileSync(at, 'utf8');
    return hunks
      .filter(({ before }) => text.split(`${before}\n`).length !== 2)
      .map(({ before }) => `${path} no longer applies: ${file} has not, or not once:\n${before}`);
  });
}
