// @ts-check
// The tests and what they import, as JavaScript beside the TypeScript: compiled on this host, where
// it takes some seconds, and not in a guest, whose CPUs are emulated.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';

const folders = ['lib', 'test', 'examples'];
const files = ['vitest.config.ts'];
const typeScript = /(?<!\.d)\.ts$/;

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
  const { default: ts } = await import('typescript');
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  };
  const sources = folders.flatMap((folder) => {
    const names = readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' });
    return names.map((name) => join(folder, name));
  });
  const wanted = [...sources.filter((path) => !path.includes('node_modules')), ...files];
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const fileName of wanted.filter((name) => typeScript.test(name))) {
    const source = readFileSync(join(projectFolder, fileName), 'utf8');
    const { outputText } = ts.transpileModule(source, { compilerOptions, fileName });
    texts.set(fileName.replace(typeScript, '.js'), outputText);
  }
  return texts;
}
