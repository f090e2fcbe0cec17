// @ts-check
// The tests as JavaScript beside the TypeScript: compiled on this host, where it takes some
// seconds, and not in a guest, whose CPUs are emulated; and bundled into few files, of which each
// that is loaded costs 50 ms there.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectFolder } from '../guest/host.mjs';
import { folderInGuest } from '../guest/project-layer.mjs';

const compilerOptions = { verbatimModuleSyntax: true, useDefineForClassFields: true };
const settings = [
  'vitest.config.ts',
  ...['global-setup', 'summary-reporter'].map((name) => `test/support/${name}.ts`),
];

/** Parameters of vitest that make it take the compiled files as they are. */
export const takesCompiled = [
  ...['--config', 'vitest.config.js', '--configLoader', 'native'],
  ...['--experimental.viteModuleRunner=false', '--experimental.nodeLoader=false'],
];

/** A name of each module's own. */
const ownAddress = 'ownAddressInGuest';

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

/** What vitest loads by its path, and parts that several of these files have. */
async function compile() {
  // Scripts that load this file may run before the packages are installed.
  const { build } = await import('esbuild');
  const names = readdirSync(join(projectFolder, 'test'), { recursive: true, encoding: 'utf8' });
  const tests = names.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name));
  const { outputFiles } = await build({
    absWorkingDir: projectFolder,
    entryPoints: [...tests, ...settings],
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
    define: { 'import.meta.url': ownAddress },
    write: false,
    logLevel: 'error',
    plugins: [ownAddresses],
  });
  return new Map(outputFiles.map(({ path, text }) => [relative(projectFolder, path), text]));
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
      const url = JSON.stringify(addressInGuest(path.replace(/\.ts$/, '.js')));
      const text = readFileSync(path, 'utf8');
      // In the first line: the others keep their numbers. Texts that speak of it stay as they are.
      if (!text.includes('import.meta.url')) return { contents: text, loader: 'ts' };
      return { contents: `const ${ownAddress} = ${url}; ${text}`, loader: 'ts' };
    });
  },
};

/** @param {string} path in the project */
function addressInGuest(path) {
  return pathToFileURL(join('/', folderInGuest, relative(projectFolder, path))).href;
}
