// @ts-check
// The addon under ASan and UBSan, in a package folder of its own beside the storms: they find it
// where the facade and the tests find the ordinary one. Sources and flags are those of addon.gypi.

import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, findProgram, projectFolder, runProgram } from '../guest/host.mjs';
import { buildTypeScript } from '../setup/project-steps.mjs';

export const sanitizeFolder = join(cacheFolder, 'sanitize');
const objectFolder = join(sanitizeFolder, 'objects');
const addonApiFolder = join(projectFolder, 'node_modules', 'node-addon-api');
/** Programs of their own: storms and the workers that they start. */
const programs = [
  'test/native/storms/terminations.ts',
  'test/native/storms/storm-worker.ts',
  'test/native/storms/lives.ts',
  'test/native/storms/lives-worker.ts',
  'test/native/storms/releases.ts',
  'test/native/storms/hostile.ts',
  'test/native/storms/hostile-worker.ts',
  'test/native/storms/sharing.ts',
  'test/native/storms/sharing-worker.ts',
];

const addonFile = 'node_numa.node';
const compiler = 'g++';
// Not optimized: half of the time to compile, and calls that are longer to be interrupted in.
const sanitizerFlags = [
  ...['-O0', '-g1', '-fno-omit-frame-pointer', '-fPIC', '-pthread'],
  // Without run-time type information there is nothing to check a dynamic type by.
  ...['-fsanitize=address,undefined', '-fno-sanitize=vptr', '-fno-sanitize-recover=all'],
];
/** Replaces the addon's table of entries by one with faults beside them. */
const plantedSource = 'test/native/planted_faults.cc';
const replacedSource = 'native/addon.cc';

/** Where the addons are, each with the storms: two under the sanitizers, and that of `build`. */
export const packageFolders = {
  addon: join(sanitizeFolder, 'package'),
  planted: join(sanitizeFolder, 'planted'),
  plain: join(sanitizeFolder, 'plain'),
};

/**
 * @param {keyof typeof packageFolders} which
 * @param {string} name of a program
 */
export function stormFile(which, name) {
  return join(stormFolder(which), `${name}.mjs`);
}

/** @param {keyof typeof packageFolders} which */
function stormFolder(which) {
  return join(packageFolders[which], 'test', 'native');
}

/**
 * The sanitizer's library, which has to come before all others.
 * @returns {Promise<{ library: string } | { obstacle: string }>}
 */
export async function findSanitizer() {
  if (process.platform !== 'linux') return { obstacle: 'the addon is for Linux only' };
  if (findProgram(compiler) === undefined) return { obstacle: `${compiler} is not installed` };
  const answer = await runProgram(compiler, ['-print-file-name=libasan.so']);
  const library = answer.trim();
  // A compiler that does not have the file answers with the bare name.
  if (!library.includes('/')) return { obstacle: `${compiler} has no libasan.so` };
  if (!existsSync('/usr/include/numa.h')) return { obstacle: 'numa.h is missing (libnuma-dev)' };
  return { library };
}

/**
 * Compiles what has changed and bundles the storms.
 * @param {string} headers folder of node_api.h
 */
export async function build(headers) {
  mkdirSync(objectFolder, { recursive: true });
  const recipe = readRecipe(headers);
  await compilePrefix(recipe);
  const sources = [...recipe.sources, plantedSource];
  const waiting = [...sources];
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let source = waiting.shift(); source; source = waiting.shift()) {
      await compile(source, recipe);
    }
  });
  await Promise.all([...workers, bundleStorms('addon'), copyFacade('addon')]);
  cpSync(stormFolder('addon'), stormFolder('planted'), { recursive: true });
  await link(recipe.sources, packageFolders.addon);
  const planted = recipe.sources.map((one) => (one === replacedSource ? plantedSource : one));
  await link(planted, packageFolders.planted);
}

/** The addon that `npm run build:native` made, beside the storms. */
export async function buildPlain() {
  const file = join('build', 'Release', addonFile);
  await Promise.all([bundleStorms('plain'), copyFacade('plain')]);
  cpSync(join(projectFolder, file), join(packageFolders.plain, file));
}

/**
 * @typedef {object} Recipe
 * @property {string[]} sources
 * @property {string[]} flags
 * @property {string} stamp names the flags in the names of the objects
 */

/**
 * @param {string} headers
 * @returns {Recipe}
 */
function readRecipe(headers) {
  const gyp = readFileSync(join(projectFolder, 'native/addon.gypi'), 'utf8');
  /** @type {(name: string) => string[]} */
  const list = (name) => {
    const body = new RegExp(`'${name}': \\[([^\\]]*)\\]`).exec(gyp)?.[1] ?? '';
    return [...body.matchAll(/'([^']+)'/g)].map((match) => String(match[1]));
  };
  const sources = list('sources').map((name) => `native/${name}`);
  if (sources.length === 0) throw new Error('native/addon.gypi names no sources');
  const flags = [
    ...[...list('cflags'), ...list('cflags_cc'), ...sanitizerFlags],
    ...[...list('defines'), 'BUILDING_NODE_EXTENSION'].map((name) => `-D${name}`),
    ...[`-I${headers}`, `-I${addonApiFolder}`],
  ];
  const stamp = createHash('sha256').update(flags.join('\n')).digest('hex').slice(0, 12);
  return { sources, flags, stamp };
}

/**
 * The headers of Node-API take most of a file's time: they are compiled once.
 * @param {Recipe} recipe
 */
async function compilePrefix({ flags, stamp }) {
  const prefix = join(objectFolder, `prefix-${stamp}.h`);
  const compiled = `${prefix}.gch`;
  if (isCurrent(compiled, [addonApiFolder])) return;
  writeFileSync(prefix, '#include <napi.h>\n');
  await runProgram(compiler, [...flags, '-x', 'c++-header', prefix, '-o', compiled]);
}

/**
 * @param {string} source
 * @param {Recipe} recipe
 */
async function compile(source, { flags, stamp }) {
  const object = objectOf(source);
  const record = `${object}.flags`;
  const isSame = existsSync(record) && readFileSync(record, 'utf8') === stamp;
  if (
    isSame &&
    isCurrent(
      object,
      [source, 'native'].map((part) => join(projectFolder, part)),
    )
  ) {
    return;
  }
  const prefix = join(objectFolder, `prefix-${stamp}.h`);
  const input = ['-include', prefix, '-c', join(projectFolder, source)];
  await runProgram(compiler, [...flags, ...input, '-o', object]);
  writeFileSync(record, stamp);
}

/** @param {string} source */
function objectOf(source) {
  return join(objectFolder, `${source.replaceAll('/', '-')}.o`);
}

/**
 * @param {string[]} sources
 * @param {string} folder
 */
async function link(sources, folder) {
  const target = join(folder, 'build', 'Release', addonFile);
  const objects = sources.map(objectOf);
  mkdirSync(dirname(target), { recursive: true });
  if (isCurrent(target, objects)) return;
  const flags = ['-shared', ...sanitizerFlags, '-Wl,-z,nodelete'];
  await runProgram(compiler, [...flags, ...objects, '-lnuma', '-o', target]);
}

/**
 * Whether a result is newer than all that it is made of, folders with what is in them.
 * @param {string} result
 * @param {string[]} parts
 */
function isCurrent(result, parts) {
  if (!existsSync(result)) return false;
  const made = statSync(result).mtimeMs;
  /** @type {(path: string) => boolean} */
  const isOlder = (path) => {
    const state = statSync(path);
    if (!state.isDirectory()) return state.mtimeMs <= made;
    return readdirSync(path).every((name) => isOlder(join(path, name)));
  };
  return parts.every(isOlder);
}

/**
 * Plain JavaScript, which the oldest Node runs too; each storm and each worker is a file.
 * @param {keyof typeof packageFolders} which
 */
async function bundleStorms(which) {
  const { build: bundle } = await import('rolldown');
  const folder = stormFolder(which);
  rmSync(folder, { recursive: true, force: true });
  await bundle({
    input: programs.map((path) => join(projectFolder, path)),
    platform: 'node',
    logLevel: 'warn',
    output: {
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name]-[hash].mjs',
    },
  });
}

/**
 * The facade finds the addon of the package that it is in.
 * @param {keyof typeof packageFolders} which
 */
async function copyFacade(which) {
  await buildTypeScript();
  const folder = packageFolders[which];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "node-numa", "type": "module" }\n');
  cpSync(join(projectFolder, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path),
  });
}
