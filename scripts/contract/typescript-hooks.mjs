// @ts-check
// Module hooks that let Node.js 20 import the contract's TypeScript: types are stripped, and
// `vitest` is the recorder, so that families declare their tests without running any.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

const recorder = new URL('./recorder.mjs', import.meta.url).href;
const jsonImport = /^import (\w+) from ["'](.+\.json)["'] with \{ type: ["']json["'] \};$/gm;

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  if (specifier === 'vitest') return { url: recorder, shortCircuit: true };
  return nextResolve(specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  // Node.js 20 warns of JSON that is imported: the files of machines/ go into the text.
  const text = readFileSync(path, 'utf8').replace(jsonImport, (_, name, file) => {
    return `const ${name} = ${readFileSync(join(dirname(path), file), 'utf8')};`;
  });
  const { code: source } = await transform(text, { loader: 'ts', target: 'es2022' });
  return { format: 'module', source, shortCircuit: true };
}
