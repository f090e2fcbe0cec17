// @ts-check
// Whether a step's inputs have changed since it last succeeded: by a hash over names, sizes and
// times of its files, kept in the cache. A hash sees deleted files too, which times alone do not.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, projectFolder } from '../guest/host.mjs';

const recordsFolder = join(cacheFolder, 'setup');

/**
 * @param {string[]} parts files and folders of the project; those that do not exist are left out
 * @returns {string}
 */
export function fingerprintOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) addTo(hash, join(projectFolder, part));
  return hash.digest('hex');
}

/**
 * @param {string} step
 * @returns {string | undefined} the fingerprint at its last success
 */
export function recordedFingerprint(step) {
  try {
    return readFileSync(join(recordsFolder, step), 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * @param {string} step
 * @param {string} fingerprint
 */
export function recordFingerprint(step, fingerprint) {
  mkdirSync(recordsFolder, { recursive: true });
  writeFileSync(join(recordsFolder, step), fingerprint);
}

/** @param {string} step */
export function forgetFingerprint(step) {
  rmSync(join(recordsFolder, step), { force: true });
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} path
 */
function addTo(hash, path) {
  const state = statSync(path, { throwIfNoEntry: false });
  if (state?.isDirectory()) {
    for (const name of readdirSync(path).sort()) addTo(hash, join(path, name));
  } else if (state) {
    hash.update(`${path}\n${state.size}\n${state.mtimeMs}\n`);
  }
}
