// @ts-check
// A folder of prebuilds/: the addon, and a module that bundlers can follow to it.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} addon file
 * @param {string} folder
 * @returns {string} the copy
 */
export function writePrebuild(addon, folder) {
  const target = join(folder, 'node_numa.node');
  mkdirSync(folder, { recursive: true });
  copyFileSync(addon, target);
  writeFileSync(join(folder, 'index.cjs'), "module.exports = require('./node_numa.node');\n");
  const types = [
    '/** The loaded addon: for `openNuma({ nativeBinding })`. */',
    ...['declare const binding: object;', 'export = binding;', ''],
  ];
  writeFileSync(join(folder, 'index.d.cts'), types.join('\n'));
  return target;
}
