// @ts-check
// The releases of Node that the sanitizer run covers: from npm packages, kept in the cache.

import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from '../guest/host.mjs';
import { sanitizeFolder } from './build.mjs';

/** By major version. */
export const nodeReleases = Object.freeze({
  20: '20.20.2',
  22: '22.23.5',
  24: '24.22.3',
  26: '26.12.1',
});

/**
 * @typedef {object} NodeBinary
 * @property {string} release
 * @property {string} path
 */

/** @returns {NodeBinary} the one that runs this */
export function ownNode() {
  return { release: process.versions.node, path: process.execPath };
}

/**
 * Fetches a release unless it is there; throws with the reason.
 * @param {string} release
 * @returns {Promise<NodeBinary>}
 */
export async function fetchNode(release) {
  if (release === process.versions.node) return ownNode();
  const name = `node-linux-${process.arch}`;
  const folder = join(sanitizeFolder, 'nodes', release);
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--force'];
    await runProgram('npm', ['install', '--prefix', folder, ...quiet, `${name}@${release}`]);
  }
  const answer = await runProgram(path, ['--version']);
  if (answer.trim() !== `v${release}`) throw new Error(`${path} is ${answer.trim()}`);
  return { release, path };
}

/**
 * The headers that come with a Node, or those that node-gyp fetched when it built the addon.
 * @param {NodeBinary} node
 * @returns {string | undefined}
 */
export function headersOf({ release, path }) {
  const folders = [
    join(dirname(dirname(path)), 'include', 'node'),
    join(homedir(), '.cache', 'node-gyp', release, 'include', 'node'),
  ];
  return folders.find((folder) => existsSync(join(folder, 'node_api.h')));
}
