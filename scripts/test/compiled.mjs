// @ts-check
// The tests as JavaScript beside the TypeScript: compiled on this host, where it takes some
// seconds, and not in a guest, whose CPUs are emulated. What tests import is bundled into few
// files: in a guest each file that is loaded costs 50 ms.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectFolder } from '../guest/host.mjs';
import { folderInGuest } from '../guest/project-layer.mjs';
import { withInlinedMachines } from '../pack/inline-machines.mjs';

const compilerOptions = { verbatimModuleSyntax: true, useDefineForClassFields: true };
const folders = ['lib', 'test', 'examples'];
const files = ['vitest.config.ts'];
const typeScript = /(?<!\.d)\.ts$/;
const relativeImport = /(\b(?:from|import)\s*\(?\s*"\.{1,2}\/[^"]+)\.ts(")/g;

/** Parameters of vitest that make it take the compiled files as they are. */
export const takesCompiled = [
  ...['--config', 'vitest.config.js', '--configLoader', 'native'],
  ...['--experimental.viteModuleRunner=false', '--experimental.nodeLoader=false'],
];

/** @type {Promise<Map<string, string>> | undefined} */
let compiled;

/**
 * Path in the project → text. Done once for all guests of a run.
 * @returns {Promise<Map<string, string>>}
 */
export function compiledFiles() {
  compiled ??= compile();
  return compiled;
}

async function compile() {
  const [singly, bundled] = await Promise.all([compileSingly(), bundleTests()]);
  return new Map([...singly, ...bundled]);
}

/** Files with tests, and parts that several of them have. */
async function bundleTests() {
  const { build } = await import('esbuild');
  const names = readdirSync(join(projectFolder, 'test'), { recursive: true, encoding: 'utf8' });
  const entries = names.filter((name) => name.endsWith('.test.ts'));
  const { outputFiles } = await build({
    absWorkingDir: projectFolder,
    entryPoints: entries.map((name) => join('test', name)),
    outbase: projectFolder,
    outdir: projectFolder,
    chunkNames: 'test/bundled/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    packages: 'external',
    tsconfigRaw: { compilerOptions },
    write: false,
    logLevel: 'error',
    plugins: [ownAddresses],
  });
  return outputFiles.map(({ path, text }) => {
    /** @type {[string, string]} */
    const entry = [relative(projectFolder, path), text];
    return entry;
  });
}

/**
 * A bundled module goes on to find files by its place among the sources.
 * @type {import('esbuild').Plugin}
 */
const ownAddresses = {
  name: 'own addresses',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\..*\.mjs$/ }, ({ path, resolveDir }) => {
      return { path: addressInGuest(join(resolveDir, path)), external: true };
    });
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const url = JSON.stringify(addressInGuest(path));
      const text = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
      return { contents: text, loader: 'ts' };
    });
  },
};

/** @param {string} path in the project */
function addressInGuest(path) {
  return pathToFileURL(join('/', folderInGuest, relative(projectFolder, path))).href;
}

async function compileSingly() {
  // Scripts that load this file may run before the packages are installed.
  const { transform } = await import('esbuild');
  const sources = folders.flatMap((folder) => {
    const names = readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' });
    return names.map((name) => join(folder, name));
  });
  const wanted = [...sources.filter((path) => !path.includes('node_modules')), ...files];
  const texts = wanted
    .filter((name) => typeScript.test(name))
    .map(async (name) => {
      const path = join(projectFolder, name);
      const source = withInlinedMachines(readFileSync(path, 'utf8'), path);
      const { code } = await transform(source, {
        loader: 'ts',
        target: 'es2022',
        tsconfigRaw: { compilerOptions },
      });
      /** @type {[string, string]} */
      const entry = [name.replace(typeScript, '.js'), code.replace(relativeImport, '$1.js$2')];
      return entry;
    });
  return Promise.all(texts);
}
