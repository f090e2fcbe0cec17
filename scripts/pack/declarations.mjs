// @ts-check
// The types that users compile against: of all that the compiler writes, what the package's exports
// reach.

import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folder of dist/ that has them. */
export const publicTypes = 'types';

const entries = [
  ...['index.d.ts', 'syscalls/public.d.ts', 'simulator/public.d.ts'],
  ...['testing/public.d.ts', 'testing/vitest.d.ts'],
];

/**
 * @param {(path: string) => string} textOf a declaration beneath lib/
 * @returns {string[]} what the entry points reach, in the order in which they do
 */
export function reachableDeclarations(textOf) {
  /** @type {string[]} */
  const reached = [];
  const open = [...entries];
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    if (reached.includes(path)) continue;
    reached.push(path);
    for (const [, specifier] of textOf(path).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const target = new URL(/** @type {string} */ (specifier), `file:///${path}`);
      open.push(target.pathname.slice(1).replace(/\.(js|ts)$/, '.d.ts'));
    }
  }
  return reached;
}

/** @param {string} dist folder with the declarations of all sources */
export function copyPublicDeclarations(dist) {
  rmSync(join(dist, publicTypes), { recursive: true, force: true });
  for (const path of reachableDeclarations((name) => readFileSync(join(dist, name), 'utf8'))) {
    const target = join(dist, publicTypes, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(dist, path), target);
  }
}
