// @ts-check
// dist/ as few files: what is installed is loaded at once, by services, their workers and each
// command. The compiler writes the types, a file for each source; the machines are in the code.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectFolder } from '../guest/host.mjs';
import { copyPublicDeclarations } from './declarations.mjs';

/** What package.json exports, and the program. */
export const publicModules = [
  ...['index', 'syscalls/public', 'simulator/public', 'testing/public', 'testing/vitest'],
  'cli/main',
];

/**
 * What scripts and tests of this project take from the build, which is not packed. It is a build of
 * its own: an object of one is a stranger to the other.
 */
const innerModules = [
  ...['cli/command-line', 'cli/output', 'cli/render/colours', 'cli/render/page-map'],
  ...['core/calls', 'core/machine-description', 'native-backend/load-addon'],
  ...['native-backend/native-backend', 'services/doctor/examine', 'facade/open-numa'],
];

/** Folder of dist/ with what several of the public ones have in common. */
export const parts = 'parts';
const innerParts = 'inner-parts';

if (import.meta.filename === process.argv[1]) {
  const dist = join(projectFolder, 'dist');
  for (const folder of [parts, innerParts]) {
    rmSync(join(dist, folder), { recursive: true, force: true });
  }
  // Each file more costs an importing program a millisecond.
  await bundle(publicModules, parts);
  await bundle(innerModules, innerParts);
  copyPublicDeclarations(dist);
}

/**
 * @param {readonly string[]} modules
 * @param {string} common folder for what they share
 */
async function bundle(modules, common) {
  await build({
    absWorkingDir: projectFolder,
    entryPoints: modules.map((name) => `lib/${name}.ts`),
    outbase: 'lib',
    outdir: 'dist',
    chunkNames: `${common}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Of classes, which inspect() and messages of assertions show.
    keepNames: true,
    // A third less to install and to parse; names and short lines keep traces of stacks readable.
    ...{ minifyWhitespace: true, minifySyntax: true, lineLimit: 100 },
    packages: 'external',
    legalComments: 'none',
    logLevel: 'warning',
  });
}
