// @ts-check
// The harness is TypeScript; Node runs JavaScript.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildPuppet } from '../../test/puppet/build.mjs';
import { projectFolder } from '../guest/host.mjs';

export const bundlePath = join(projectFolder, 'build/Release/differential.mjs');

/** @typedef {typeof import('../../test/differential/index.ts')} Harness */
/** @typedef {import('../../test/differential/outcome.ts').Outcome} Outcome */

/**
 * Builds the bundle and the puppet.
 * @returns {Promise<Harness>}
 */
export async function buildHarness() {
  // Scripts that load this file may run before the packages are installed.
  const { build } = await import('rolldown');
  buildPuppet();
  mkdirSync(join(projectFolder, 'build/Release'), { recursive: true });
  await build({
    input: join(projectFolder, 'test/differential/index.ts'),
    platform: 'node',
    logLevel: 'warn',
    output: { file: bundlePath, format: 'esm' },
  });
  return import(pathToFileURL(bundlePath).href);
}
