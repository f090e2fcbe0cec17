// @ts-check
// The project's share of the set-up: npm packages, the native build, the TypeScript build. Each is
// left out while its inputs are those of its last success and its result is there.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, projectFolder } from '../guest/host.mjs';
import {
  fingerprintOf,
  forgetFingerprint,
  recordedFingerprint,
  recordFingerprint,
} from './fingerprint.mjs';
import { runLogged, say, step } from './steps.mjs';

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/**
 * @typedef {object} BuildStep
 * @property {string} name
 * @property {string} script of package.json
 * @property {string[]} inputs
 * @property {string} result
 */

/** @type {BuildStep} */
const nativeBuild = {
  name: 'native build',
  script: 'build:native',
  inputs: [
    ...['native', 'test/native/pin_page.cc', 'test/native/refusals.cc', 'binding.gyp'],
    'node_modules/node-addon-api/package.json',
  ],
  result: 'build/Release/node_numa.node',
};

/**
 * The processes that the contract suite drives; the guest has no compiler.
 * @type {BuildStep}
 */
const puppetBuild = {
  name: 'test puppet',
  script: 'build:puppet',
  inputs: ['test/puppet'],
  result: 'build/Release/puppet',
};

/** @type {BuildStep} */
const typeScriptBuild = {
  name: 'TypeScript build',
  script: 'build:ts',
  inputs: [
    ...['lib', 'machines', 'tsconfig.json', 'tsconfig.build.json', 'package.json'],
    ...['scripts/pack/bundle.mjs', 'node_modules/esbuild/package.json'],
    'node_modules/typescript/package.json',
  ],
  result: 'dist/index.js',
};

/** Installs the packages of the lock file, unless they are those already. */
export async function installPackages() {
  const lock = at('package-lock.json');
  if (!existsSync(lock)) throw new Error('package-lock.json is missing: the clone is not complete');
  // Inside node_modules: whoever deletes that folder deletes the record with it.
  const record = at('node_modules/.node-numa-lock');
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(record) && readFileSync(record, 'utf8') === wanted) return;
  if (!isInstalledAfter(lock)) await step('npm ci', () => runLogged(npm, npmCi));
  writeFileSync(record, wanted);
}

const npmCi = ['ci', '--no-audit', '--no-fund'];

/**
 * Someone may have run npm by hand: npm writes its own record when it has finished.
 * @param {string} lock
 */
function isInstalledAfter(lock) {
  const installed = at('node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}

/**
 * Builds the addon where it can run, and what its tests need.
 * @param {string[]} missingPackages of the operating system
 */
export async function buildNative(missingPackages) {
  if (process.platform !== 'linux' || !existsSync(at('binding.gyp'))) return;
  const needed = missingPackages.filter((name) => !/qemu|seabios/.test(name));
  const tools = ['g++', 'make', 'python3'].filter((name) => !findProgram(name));
  if (needed.length + tools.length > 0) {
    say('native build: left out, it needs the packages above');
    return;
  }
  await build(nativeBuild, ownHeaders());
  await build(puppetBuild);
}

/**
 * Node's headers often come with Node: then the build needs no download.
 * @returns {NodeJS.ProcessEnv}
 */
export function ownHeaders() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const isThere = ['common.gypi', 'node_api.h'].every((name) => {
    return existsSync(join(prefix, 'include', 'node', name));
  });
  return isThere ? { npm_package_config_node_gyp_nodedir: prefix } : {};
}

export async function buildTypeScript() {
  if (existsSync(at('tsconfig.build.json'))) await build(typeScriptBuild);
}

/**
 * @param {BuildStep} entry
 * @param {NodeJS.ProcessEnv} [environment]
 */
async function build({ name, script, inputs, result }, environment) {
  const record = script.replace(':', '-');
  const fingerprint = fingerprintOf(inputs);
  if (existsSync(at(result)) && recordedFingerprint(record) === fingerprint) return;
  forgetFingerprint(record);
  await step(name, () => runLogged(npm, ['run', '--silent', script], environment));
  recordFingerprint(record, fingerprint);
}

/** @param {string} part */
function at(part) {
  return join(projectFolder, part);
}
