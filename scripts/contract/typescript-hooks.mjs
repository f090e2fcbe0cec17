// @ts-check
// Module hooks that let Node.js 20 import the contract's TypeScript: types are stripped, and
// `vitest` is the recorder, so that families declare their tests without running any.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { withInlinedMachines } from '../pack/inline-machines.mjs';

const recorder = new URL('./recorder.mjs', import.meta.url).href;

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  if (specifier === 'vitest') return { url: recorder, shortCircuit: true };
  return nextResolve(specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const text = withInlinedMachines(readFileSync(path, 'utf8'), path);
  const { code: source } = await transform(text, { loader: 'ts', target: 'es2022' });
  return { format: 'module', source, shortCircuit: true };
}
