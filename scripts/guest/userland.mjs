// @ts-check
// What the guest needs besides the project: busybox and the first process; this Node with its
// libraries, and libnuma. The archives are kept in the cache until one of their inputs changes.

import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, projectFolder, runProgram } from './host.mjs';
import { cachedLayer } from './layers.mjs';

const initScript = fileURLToPath(new URL('init.sh', import.meta.url));
const nodeInGuest = '/usr/bin/node';

// vitest's bundler looks into ldd to tell which C library it runs on.
const lddScript = `#!/bin/sh
case $1 in
  --version) echo 'ldd (GNU libc)' ;;
  *) exec /lib64/ld-linux-x86-64.so.2 --list "$@" ;;
esac
`;

// Loaded by name at run time, so that no program's list of libraries mentions them.
const extraLibraries = ['libnuma.so.1', 'librt.so.1', 'libnss_files.so.2'];

/**
 * @param {string} busybox path of a static busybox
 * @returns {Promise<string>} path of the archive
 */
export async function userlandLayer(busybox) {
  const key = stampsOf([initScript, fileURLToPath(import.meta.url), busybox]);
  const applets = (await runProgram(busybox, ['--list'])).trim().split('\n');
  return cachedLayer('userland', key, (archive) => {
    archive.copy(initScript, 'init', 0o755);
    archive.copy(busybox, 'bin/busybox', 0o755);
    for (const applet of applets) {
      if (applet !== 'busybox') archive.link(`bin/${applet}`, 'busybox');
    }
    archive.link('usr/bin/env', '/bin/busybox');
    archive.file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
    archive.file('etc/group', 'root:x:0:\nnogroup:x:65534:\n');
    archive.file('etc/hosts', '127.0.0.1 localhost guest\n');
    for (const folder of ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'var/tmp', 'sbin']) {
      archive.folder(folder);
    }
    // The kernel opens the console for the first process before that one can mount /dev.
    archive.characterDevice('dev/console', 5, 1);
    archive.characterDevice('dev/null', 1, 3);
  });
}

/** @returns {Promise<string>} path of the archive */
export async function nodeLayer() {
  const node = realpathSync(process.execPath);
  const libraries = await libraryClosure(node);
  const key = stampsOf([fileURLToPath(import.meta.url), node, ...libraries]);
  return cachedLayer('node', key, (archive) => {
    archive.copy(node, nodeInGuest);
    for (const library of libraries) archive.copy(library, library);
    archive.file('usr/bin/ldd', lddScript, { mode: 0o755 });
  });
}

/** @param {string[]} paths */
function stampsOf(paths) {
  return paths.map((path) => {
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  });
}

/**
 * Libraries that Node and the built addon load, the dynamic loader included.
 * @param {string} node
 * @returns {Promise<string[]>}
 */
async function libraryClosure(node) {
  const built = join(projectFolder, 'build', 'Release');
  const addons = existsSync(built)
    ? readdirSync(built)
        .filter((name) => name.endsWith('.node'))
        .map((name) => join(built, name))
    : [];
  const extra = await librariesByName(extraLibraries);
  const paths = new Set(extra);
  for (const program of [node, ...addons, ...extra]) {
    for (const library of await dependenciesOf(program)) paths.add(library);
  }
  return [...paths].sort();
}

/** @param {string} program */
async function dependenciesOf(program) {
  let text;
  try {
    text = await runProgram('ldd', [program]);
  } catch {
    // A static program has none.
    return [];
  }
  const paths = text.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm);
  return [...paths].map(([, path]) => path ?? '');
}

/**
 * @param {string[]} names
 * @returns {Promise<string[]>} those that this machine has
 */
async function librariesByName(names) {
  const program = findProgram('ldconfig') ?? '/sbin/ldconfig';
  const text = existsSync(program) ? await runProgram(program, ['-p']) : '';
  return names.flatMap((name) => {
    const line = text.split('\n').find((entry) => {
      return entry.trim().startsWith(`${name} `) && entry.includes('x86-64');
    });
    const path = line?.split(' => ')[1]?.trim();
    return path && existsSync(dirname(path)) ? [path] : [];
  });
}
