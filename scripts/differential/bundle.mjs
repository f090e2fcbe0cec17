// @ts-check
// The harness is TypeScript; Node runs JavaScript. One bundle serves this machine and the guest,
// which gets the folder of build results.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildPuppet } from '../../test/puppet/build.mjs';
import { projectFolder } from '../guest/host.mjs';

export const bundlePath = join(projectFolder, 'build/Release/differential.mjs');

/** @typedef {typeof import('../../test/differential/index.ts')} Harness */

/** @returns {Promise<Harness>} */
export async function loadHarness() {
  return import(pathToFileURL(bundlePath).href);
}

/**
 * Builds the bundle and the puppet.
 * @returns {Promise<Harness>}
 */
export async function buildHarness() {
  // In the guest nothing is built: it can do without the bundler.
  const { build } = await import('rolldown');
  buildPuppet();
  mkdirSync(join(projectFolder, 'build/Release'), { recursive: true });
  await build({
    input: join(projectFolder, 'test/differential/index.ts'),
    platform: 'node',
    logLevel: 'warn',
    output: { file: bundlePath, format: 'esm' },
  });
  return loadHarness();
}
