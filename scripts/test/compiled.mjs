// @ts-check
// The tests and what they import, as JavaScript beside the TypeScript: compiled on this host, where
// it takes some seconds, and not in a guest, whose CPUs are emulated.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';

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
  // Scripts that load this file may run before the packages are installed.
  const { transform } = await import('esbuild');
  const compilerOptions = { verbatimModuleSyntax: true, useDefineForClassFields: true };
  const sources = folders.flatMap((folder) => {
    const names = readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' });
    return names.map((name) => join(folder, name));
  });
  const wanted = [...sources.filter((path) => !path.includes('node_modules')), ...files];
  const texts = wanted
    .filter((name) => typeScript.test(name))
    .map(async (name) => {
      const source = readFileSync(join(projectFolder, name), 'utf8');
      const { code } = await transform(source, {
        loader: 'ts',
        target: 'es2022',
        tsconfigRaw: { compilerOptions },
      });
      /** @type {[string, string]} */
      const entry = [name.replace(typeScript, '.js'), code.replace(relativeImport, '$1.js$2')];
      return entry;
    });
  return new Map(await Promise.all(texts));
}
