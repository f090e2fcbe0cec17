// @ts-check
// Debian's own numactl, numastat, migratepages and memhog: in the guest the command line of this
// project stands beside them. Nothing else needs them, so a guest without them is a guest as well.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { archiveObstacle } from './debian-archive.mjs';
import { cacheFolder, GuestError } from './host.mjs';
import { cachedLayer } from './layers.mjs';
import { fetchFrom, place } from './package-files.mjs';

const folder = join(cacheFolder, 'guest', 'numactl');
const folderInGuest = 'usr/bin';
const suite = 'bookworm';
const packageName = 'numactl';
const programs = ['numactl', 'numastat', 'migratepages', 'memhog'];

const paths = programs.map((name) => join(folder, name));

/** @returns {boolean} whether nothing is left to fetch here */
export function hasNumactl() {
  return paths.every((path) => existsSync(path)) || archiveObstacle() !== undefined;
}

/**
 * Fills the cache.
 * @returns {Promise<string | undefined>} why the programs cannot be had
 */
export async function fetchNumactl() {
  if (hasNumactl()) return archiveObstacle();
  try {
    await fetchFrom(suite, (archive) => {
      return archive.unpack(packageName, (root) => {
        for (const name of programs) place(join(root, 'usr/bin', name), join(folder, name));
      });
    });
    return undefined;
  } catch (error) {
    if (error instanceof GuestError) return error.message;
    throw error;
  }
}

/** @returns {string | undefined} path of the archive with the programs, if the cache has them */
export function numactlLayer() {
  if (!paths.every((path) => existsSync(path))) return undefined;
  const inputs = paths.map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`);
  return cachedLayer(packageName, inputs, (archive) => {
    for (const path of paths) archive.copy(path, path.replace(folder, folderInGuest), 0o755);
  });
}
