// @ts-check
// What a change of files can affect: a graph of who names whom in the project, and the tests that
// it leads to from the files that changed, the nearest first.
//
// A file depends on what it imports, and on the files and folders that it names in texts: workers,
// programs, documents, recordings. Who names a built file depends on its sources.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, normalize } from 'node:path';

const folders = [
  ...['lib', 'native', 'machines', 'test', 'scripts', 'examples', 'docs', 'scenarios'],
];
const skipped = new Set(['node_modules', '__snapshots__']);
const scripts = new Set(['.ts', '.mjs', '.js']);

/** Tests that read the project as a whole. */
const readsAll = /^test\/(style|package)\/.*\.test\.ts$/;
const publicFiles = [
  ...['lib/index.ts', 'lib/syscalls/public.ts', 'lib/simulator/public.ts'],
  ...['lib/testing/public.ts', 'lib/testing/vitest.ts'],
];
const builtAddon = /build\/Release\/(node_numa|pin_page|refusals)|prebuilds\//;

/** Quoted, with a slash or a dot in it, between things that are computed. */
const quoted = /(?:['"`]|\}\/)([\w@.-]+(?:\/[\w@.-]+)*\/?)(?=['"`]|\$\{)/g;
const comment = /^\s*(?:\/\/|\/\*|\*).*$/gm;

/** @typedef {Map<string, Set<string>>} Users file → the files that depend on it */

/**
 * @param {string} root of the project
 * @param {readonly string[]} [changed] files that may be gone, and still have users
 * @returns {Users}
 */
export function readUsers(root, changed = []) {
  const top = readdirSync(root).filter((name) => statSync(join(root, name)).isFile());
  const files = [...top, ...folders.flatMap((folder) => filesBelow(root, folder))];
  const known = new Set([...files, ...changed.filter((file) => !file.endsWith('.test.ts'))]);
  /** @type {Map<string, string[]>} folder → files anywhere below it */
  const below = new Map();
  for (const file of files) {
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
      const others = below.get(folder);
      if (others) others.push(file);
      else below.set(folder, [file]);
    }
  }
  const workers = files.filter((file) => file.includes('/workers/'));
  const native = [...(below.get('native') ?? []), 'binding.gyp'];
  /** @type {Users} */
  const users = new Map([...known].map((file) => [file, new Set()]));
  for (const file of files.filter((name) => scripts.has(extname(name)))) {
    const text = readFileSync(join(root, file), 'utf8').replaceAll(comment, '');
    const named = placesIn(file, text).flatMap((name) =>
      known.has(name) ? [name] : (below.get(name) ?? []),
    );
    const threads = workers.filter((name) => text.includes(`'${basename(name, extname(name))}'`));
    const addon =
      builtAddon.test(text) || file === 'lib/native-backend/load-addon.ts' ? native : [];
    // Scripts say which tests run; they do not depend on them.
    const isDriver = file.startsWith('scripts/');
    for (const used of [...named, ...threads, ...addon]) {
      if (!(isDriver && used.endsWith('.test.ts'))) users.get(used)?.add(file);
    }
  }
  return users;
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(root, path);
    return entry.isFile() ? [path] : [];
  });
}

/**
 * Paths from the root that a text may mean.
 * @param {string} file
 * @param {string} text
 */
function placesIn(file, text) {
  const names = [...text.matchAll(quoted)].map((match) => match[1] ?? '');
  const places = names
    .filter((name) => /[./]/.test(name))
    .flatMap((name) => [normalize(join(dirname(file), name)), normalize(name)])
    .map((place) => place.replace(/\/$/, ''));
  const sources = places.map((place) => place.replace(/^dist\/(.*)\.js$/, 'lib/$1.ts'));
  // By the name of the package.
  if (/['"]node-numa['"/]/.test(text)) sources.push(...publicFiles);
  return [...new Set(sources)].filter((place) => place !== '.' && !place.startsWith('..'));
}

/**
 * @typedef {object} Affected
 * @property {string} file a test
 * @property {number} distance from what changed: 0 if it did itself
 */

/**
 * @param {Users} users
 * @param {readonly string[]} changed files
 * @returns {Affected[]} the nearest first, those for the folders that changed before the others
 */
export function affectedTests(users, changed) {
  const start = changed.map(sourceOf);
  /** @type {Map<string, number>} */
  const distances = new Map(start.map((file) => [file, 0]));
  for (const [file, distance] of distances) {
    for (const user of users.get(file) ?? []) {
      if (!distances.has(user)) distances.set(user, distance + 1);
    }
  }
  const last = Math.max(0, ...distances.values());
  const areas = new Set(start.map(areaOf));
  const readers = [...users.keys()].filter((file) => readsAll.test(file));
  for (const file of start.length > 0 ? readers : []) {
    if (!distances.has(file)) distances.set(file, last);
  }
  return [...distances]
    .filter(([file]) => file.endsWith('.test.ts') && users.has(file))
    .map(([file, distance]) => ({ file, distance }))
    .sort((a, b) => {
      const [one, other] = [a, b].map(({ file, distance }) =>
        distance === 0 || areas.has(areaOf(file)) ? distance : distance + last,
      );
      return Number(one) - Number(other);
    });
}

/**
 * The tests of a folder of the library are in a folder of its name.
 * @param {string} file
 */
function areaOf(file) {
  const [top = '', folder = ''] = file.split('/');
  return top === 'native' ? top : folder;
}

/**
 * A snapshot is its test's.
 * @param {string} file
 */
function sourceOf(file) {
  const [, folder, name] = /^(.*)\/__snapshots__\/(.*\.test\.ts)\.snap$/.exec(file) ?? [];
  return folder === undefined ? file : `${folder}/${name}`;
}
