// @ts-check
// The guest's file system is made of layers: archives laid one over the other. Layers that change
// rarely stay in the cache under a name that holds the hash of their inputs.

import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CpioWriter } from './cpio.mjs';
import { cacheFolder } from './host.mjs';

const layersFolder = join(cacheFolder, 'guest', 'layers');
const unusedDaysMax = 3;

/**
 * @param {string} name
 * @param {string[]} inputs everything the content depends on
 * @param {(archive: CpioWriter) => void} fill
 * @returns {string} path of the archive
 */
export function cachedLayer(name, inputs, fill) {
  const hash = createHash('sha256').update(inputs.join('\n')).digest('hex').slice(0, 16);
  const path = join(layersFolder, `${name}-${hash}.cpio`);
  if (existsSync(path)) {
    const now = new Date();
    utimesSync(path, now, now);
    return path;
  }
  mkdirSync(layersFolder, { recursive: true });
  dropUnused(name);
  const incoming = join(layersFolder, `incoming-${process.pid}-${name}.cpio`);
  const archive = new CpioWriter(incoming);
  fill(archive);
  archive.close();
  renameSync(incoming, path);
  return path;
}

/**
 * Joins archives into the one file that a boot loader takes.
 * @param {string[]} layers
 * @param {string} path
 */
export function joinLayers(layers, path) {
  const descriptor = openSync(path, 'w');
  for (const layer of layers) {
    const content = readFileSync(layer);
    for (let written = 0; written < content.length; ) {
      written += writeSync(descriptor, content, written);
    }
  }
  closeSync(descriptor);
}

/**
 * Recently used layers stay: another run may be about to read one.
 * @param {string} name
 */
function dropUnused(name) {
  const oldest = Date.now() - unusedDaysMax * 24 * 3600 * 1000;
  for (const file of readdirSync(layersFolder)) {
    const path = join(layersFolder, file);
    if (!file.startsWith(`${name}-`) && !file.startsWith('incoming-')) continue;
    if (statSync(path).mtimeMs < oldest) rmSync(path, { force: true });
  }
}
