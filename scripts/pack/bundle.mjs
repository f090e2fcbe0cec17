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

/** What scripts and tests of this project take from the build; of these no file is packed. */
export const innerModules = [
  ...['cli/command-line', 'cli/output', 'cli/render/colours', 'cli/render/page-map'],
  ...['core/calls', 'core/machine-description', 'native-backend/load-addon'],
  ...['native-backend/native-backend', 'services/doctor/examine'],
];

/** Folder of dist/ with what several of them have in common. */
export const parts = 'parts';

if (import.meta.filename === process.argv[1]) {
  rmSync(join(projectFolder, 'dist', parts), { recursive: true, force: true });
  await build({
    absWorkingDir: projectFolder,
    entryPoints: [...publicModules, ...innerModules].map((name) => `lib/${name}.ts`),
    outbase: 'lib',
    outdir: 'dist',
    chunkNames: `${parts}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Of classes, which inspect() and messages of assertions show.
    keepNames: true,
    packages: 'external',
    legalComments: 'none',
    logLevel: 'warning',
  });
  copyPublicDeclarations(join(projectFolder, 'dist'));
}
