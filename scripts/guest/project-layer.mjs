// @ts-check
// The project in the guest: its own files, written anew for each run, and those of its packages
// that something runs (compilers and formatters stay outside), kept in the cache.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CpioWriter } from './cpio.mjs';
import { projectFolder } from './host.mjs';
import { cachedLayer } from './layers.mjs';

export const folderInGuest = '/node-numa';

const projectParts = [
  'package.json',
  'binding.gyp',
  'README.md',
  'dist',
  'build/Release',
  'build/bench',
  'prebuilds',
  'lib',
  'native',
  'test',
  'scripts',
  'examples',
  'machines',
  'scenarios',
  'docs',
];
const rootFilePattern = /^(vitest.*\.(ts|mts|js|mjs)|tsconfig.*\.json)$/;
const skippedFolders = new Set(['node_modules', 'obj.target', '.deps', '.cache', '.git']);

// Tools of the host: the guest runs what they have made.
const hostOnly = new RegExp(
  `^(${[
    'typescript|@typescript/.*|oxc-parser|@oxc-.*/.*|@biomejs/.*|@types/.*',
    'node-gyp|node-addon-api|prebuildify|esbuild|rollup|webpack|terser',
  ].join('|')})$`,
);
const uselessAtRunTime = /\.(map|md|markdown|d\.ts|d\.mts|d\.cts)$/;

/**
 * Writes the project's own files. Parts that do not exist (yet) are left out.
 * @param {CpioWriter} archive
 */
export function addProject(archive) {
  const rootFiles = readdirSync(projectFolder).filter((name) => rootFilePattern.test(name));
  for (const part of [...projectParts, ...rootFiles]) {
    const source = join(projectFolder, part);
    if (!existsSync(source)) continue;
    if (statSync(source).isFile()) archive.copy(source, join(folderInGuest, part));
    else addFolder(archive, source, join(folderInGuest, part), () => true);
  }
}

/** @returns {string | undefined} path of the archive with the project's packages */
export function packagesLayer() {
  const modules = join(projectFolder, 'node_modules');
  const lock = join(modules, '.package-lock.json');
  if (!existsSync(lock)) return undefined;
  const manifest = join(projectFolder, 'package.json');
  const inputs = [lock, manifest].map((path) => {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  });
  inputs.push(String(hostOnly), String(uselessAtRunTime));
  return cachedLayer('packages', inputs, (archive) => {
    for (const folder of runTimePackages()) {
      const target = join(folderInGuest, relative(projectFolder, folder));
      addFolder(archive, folder, target, (name) => !uselessAtRunTime.test(name));
    }
  });
}

/**
 * Follows dependencies from the project's manifest, as Node resolves them.
 * @returns {Set<string>} folders of packages
 */
function runTimePackages() {
  /** @type {Set<string>} */
  const found = new Set();
  const root = manifestOf(projectFolder);
  /** @type {{ name: string, from: string }[]} */
  const open = [root['dependencies'], root['optionalDependencies'], root['devDependencies']]
    .flatMap((list) => Object.keys(list ?? {}))
    .map((name) => ({ name, from: projectFolder }));
  for (let next = open.pop(); next; next = open.pop()) {
    if (hostOnly.test(next.name)) continue;
    const folder = resolvePackage(next.name, next.from);
    if (!folder || found.has(folder)) continue;
    const manifest = manifestOf(folder);
    if (!runsHere(manifest)) continue;
    found.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    for (const list of [dependencies, optionalDependencies, peerDependencies]) {
      for (const name of Object.keys(list ?? {})) open.push({ name, from: folder });
    }
  }
  return found;
}

/**
 * @param {string} name
 * @param {string} from
 * @returns {string | undefined} the package's folder; optional packages may be absent
 */
function resolvePackage(name, from) {
  for (let folder = from; folder.startsWith(projectFolder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

/** @param {Record<string, any>} manifest */
function runsHere({ os, cpu, libc }) {
  /** @type {(list: unknown, own: string) => boolean} */
  const allows = (list, own) => !Array.isArray(list) || list.includes(own);
  return allows(os, 'linux') && allows(cpu, 'x64') && allows(libc, 'glibc');
}

/**
 * @param {string} folder
 * @returns {Record<string, any>}
 */
function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/**
 * @param {CpioWriter} archive
 * @param {string} source
 * @param {string} target
 * @param {(name: string) => boolean} isWanted
 */
function addFolder(archive, source, target, isWanted) {
  archive.folder(target);
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    // A link that leads nowhere is not ours to repair.
    if (!existsSync(from)) continue;
    if (statSync(from).isDirectory()) {
      if (!skippedFolders.has(entry.name)) addFolder(archive, from, to, isWanted);
    } else if (isWanted(entry.name)) {
      archive.copy(from, to);
    }
  }
}
